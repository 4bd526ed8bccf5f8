"""A class to teach in tests: plans, a recorder that remembers, documents, and the wait for Qt."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from client.domain.availability import Decodes, LessonState, Light, PartState
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.ids import ClassId, LessonId, PartId, SittingId
from client.domain.timetable import Bell, SlotKey, TeachingMode
from client.service.api import Card, CardAction, LessonDetail, LessonRow, PartView
from client.service.sitting_port import SittingPlan, TrackPlan


def part(role: Role, path: Path, *, seconds: float = 0.0, pages: int = 0) -> PartView:
    """A part that is here."""
    return PartView(
        id=PartId(f"{role.value}-{path.stem}"),
        role=role,
        title=path.stem,
        label="",
        format=path.suffix.lstrip("."),
        size_bytes=path.stat().st_size if path.exists() else 0,
        duration_s=seconds,
        pages=pages,
        period=0,
        state=PartState.PRESENT,
        decodes=Decodes.YES,
        path=path,
    )


def lesson(*parts: PartView, title: str = "分一分（一）认识几分之一") -> LessonDetail:
    """A lesson of these parts."""
    return LessonDetail(
        row=LessonRow(
            id=LessonId("lesson-1"),
            title=title,
            kind=LessonKind.FOLDER,
            place=Placement(grade="三年级", subject="数学", edition="北师大版", volume="下册"),
            unit="第六单元",
            provider="",
            state=LessonState.READY,
            has_detail=True,
        ),
        light=Light.READY,
        book=None,
        sections=(),
        parts=tuple(parts),
    )


def plan(*details: LessonDetail, **over: object) -> SittingPlan:
    """A class (two details: 复式) in its period."""
    names = (("c3", "三年级", 13), ("c5", "五年级", 11))
    tracks = tuple(
        TrackPlan(
            class_id=ClassId(key),
            class_name=name,
            lesson=detail,
            subject="数学",
            headcount=heads,
        )
        for (key, name, heads), detail in zip(names, details, strict=False)
    )
    values: dict[str, object] = {
        "tracks": tracks,
        "key": SlotKey(day=2, period=2, class_id=ClassId("c3")),
        "bell": Bell(period=2, begins=560, ends=600),
        "screen_limit_s": 72 * 60.0,
        "planned_min": 240,
        "planned_periods": 6,
        "next_bell": Bell(period=3, begins=620, ends=660),
        "next_cards": (("三年级", next_card("英语", "Unit 6 How many?", Light.PARTIAL)),),
        "next_time": (("三年级", "分一分（一）第二课时"),),
    }
    return SittingPlan(**(values | over))  # type: ignore[arg-type]


def next_card(subject: str, title: str, light: Light) -> Card:
    """What comes after."""
    return Card(
        key=SlotKey(day=2, period=3, class_id=ClassId("c3")),
        subject=subject,
        mode=TeachingMode.OWN,
        light=light,
        action=CardAction.START,
        title=title,
    )


@dataclass
class Notebook:
    """A recorder that remembers every call. `fails_with` makes the next writes fail."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    fails_with: Exception | None = None

    def _note(self, *call: object) -> "Future[object]":
        future: Future[object] = Future()
        if self.fails_with is not None:
            future.set_exception(self.fails_with)
            return future
        self.calls.append(call)
        future.set_result(None)
        return future

    def open(self, class_ids, lesson, slot=None, lesson_period=0):
        sitting = SittingId(f"{len(self.of('open')):016x}")
        return SimpleNamespace(
            sitting=sitting,
            recorded=self._note("open", tuple(class_ids), lesson, slot, lesson_period),
        )

    def go_on(self, point):
        self.calls.append(("go_on", point))

    def save_resume(self, sitting, **place):
        return self._note("save_resume", sitting, place)

    def played(self, sitting, stretches):
        return self._note("played", sitting, tuple(stretches))

    def cue(self, sitting, ordinal):
        return self._note("cue", sitting, ordinal)

    def question(self, sitting, round_, counts):
        return self._note("question", sitting, round_, tuple(counts))

    def headcount(self, sitting, class_id, count):
        return self._note("headcount", sitting, class_id, count)

    def note(self, sitting, text):
        return self._note("note", sitting, text)

    def understood(self, sitting, class_id, level):
        return self._note("understood", sitting, class_id, level)

    def taught_by(self, sitting, who):
        return self._note("taught_by", sitting, who)

    def end(self, sitting, how, screen_s=0.0):
        return self._note("end", sitting, how)

    def of(self, kind: str) -> list[tuple[object, ...]]:
        """The calls of one kind."""
        return [call for call in self.calls if call[0] == kind]


def make_pdf(path: Path, pages: int) -> Path:
    """Write a PDF whose pages carry their numbers, drawn by Qt."""
    from PySide6.QtGui import QFont, QPageSize, QPainter, QPdfWriter

    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setResolution(72)
    painter = QPainter(writer)
    for number in range(1, pages + 1):
        if number > 1:
            writer.newPage()
        painter.setFont(QFont("Noto Sans CJK SC", 40))
        painter.drawText(60, 200, f"第 {number} 页")
        painter.fillRect(60, 260, 80 * number, 40, 0xFF1F7A5A)
    painter.end()
    return path


Clock = Callable[[], float]
