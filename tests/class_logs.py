"""Logs of several PCs about the same classes, and the page 班级 they make."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from client.domain.catalogue import Lesson, LessonKind, Placement
from client.domain.ids import SourceId
from client.domain.record import bodies as b
from client.domain.record.dates import Dated, Quality
from client.domain.record.event import Event
from client.domain.record.facts import Fact, fact_rows
from client.domain.record.fold import Fold
from client.service.classes_page import ClassesPage, Known, build_page
from tests.record_samples import LESSON, event

HERE, OTHER = b"\x01" * 8, b"\x02" * 8
CHINA = timezone(timedelta(hours=8))
NOTHING = Known()


class Logs:
    """Several logs that grow. A given time begins a start of the machine; else time passes."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._tips: dict[bytes, Event] = {}

    def add(self, body: b.Body, writer: bytes = HERE, wall_ms: int | None = None) -> Event:
        tip = self._tips.get(writer)
        made = event(body, writer=writer, before=tip)
        if wall_ms is not None:
            made = replace(made, wall_ms=wall_ms, boot=(tip.boot + 1 if tip else 0), mono_ms=0)
        elif tip is not None:
            more = {"wall_ms": tip.wall_ms + 1000, "mono_ms": tip.mono_ms + 1000}
            made = replace(made, boot=tip.boot, **more)
        self._tips[writer] = made
        self.events.append(made)
        return made

    def page(self, known: Known = NOTHING) -> ClassesPage:
        return page_of(self.events, known)


def page_of(events: Iterable[Event], known: Known = NOTHING) -> ClassesPage:
    """Make the page of some events, read here."""
    fold = Fold(events)
    return build_page(fold, fact_rows(fold), HERE, known, CHINA)


def with_time(fact: Fact, at: str, quality: str) -> SimpleNamespace:
    """Give a fact another time, as sure as `quality` says."""
    names = ("id", "kind", "class_id", "lesson", "value")
    kept = {name: getattr(fact, name) for name in names}
    at_ms = int(datetime.fromisoformat(at).timestamp() * 1000) if at else 0
    when = Dated(earliest_ms=at_ms, latest_ms=at_ms, quality=Quality(quality))
    return SimpleNamespace(**kept, when=when)


def lesson(title: str = "分一分", subject: str = "数学") -> Lesson:
    return Lesson(
        id=LESSON,
        source=SourceId("demo"),
        kind=LessonKind.FOLDER,
        title=title,
        place=Placement(subject=subject),
    )
