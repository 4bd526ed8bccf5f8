"""A scripted school day in real windows: `demo --report DIR`.

Every step presses keys as a teacher does, waits until the program shows what it should, and keeps
a picture. A step of a later version stands as `absent`.
"""

import html
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from client.domain.availability import Light
from client.service.api import Card, ResumeNotice
from client.service.station import Station
from client.service.text import Words
from ui.program import Program
from ui.view.classroom import ClassroomWindow, Layout

PATIENCE_S: Final = 20.0
WATCH_S: Final = 4.0
ABSENT: Final = ("hub", "courier", "dual_teacher")


class Verdict(Enum):
    """How a step went."""

    HELD = "held"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step of the day."""

    name: str
    verdict: str
    seconds: float = 0.0
    picture: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """The whole day."""

    school: str
    steps: tuple[StepReport, ...]
    held: int
    failed: int
    absent: int


class DemoDay:
    """Runs the day on an open program whose profile holds the demo school. GUI thread."""

    def __init__(self, program: Program, station: Station, folder: Path, words: Words) -> None:
        self._program = program
        self._station = station
        self._folder = folder
        self._words = words
        self._steps: list[StepReport] = []
        self._position = 0.0

    def run(self) -> DayReport:
        """Live the day and write `report.json`, `report.html` and the pictures."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, step in (
            ("room", self._room),
            ("lights", self._lights),
            ("search", self._search),
            ("start", self._start),
            ("play", self._play),
            ("pause", self._pause),
            ("again", self._again),
            ("question", self._question),
            ("black", self._black),
            ("slides", self._slides),
            ("power_cut", self._power_cut),
            ("end", self._end),
            ("record", self._record),
            ("print", self._print),
        ):
            self._take(name, step)
        self._steps += [StepReport(name=name, verdict=Verdict.ABSENT.value) for name in ABSENT]
        return self._written()

    # --- the steps -----------------------------------------------------------------------

    def _room(self) -> str:
        self._program.show()
        self._until(lambda: self._program.today.page is not None and bool(self._cards()))
        groups = self._station.room.snapshot().classes
        return f"{len(groups)} classes, {len(self._station.holdings.kept_lessons())} lessons"

    def _lights(self) -> str:
        self._until(lambda: any(card.light is Light.READY for card in self._cards()))
        ready = sum(card.light is Light.READY for card in self._cards())
        return f"{ready} ready of {len(self._cards())}"

    def _search(self) -> str:
        page = self._station.library.search_now("fyf", limit=5)
        self._expect(bool(page.rows), "nothing found by initials")
        return page.rows[0].title

    def _start(self) -> str:
        card = next(card for card in self._cards() if card.light is Light.READY)
        self._program.start((card,))
        self._until(lambda: self._program.classroom is not None)
        self._until(lambda: self._classroom.model.image is not None)
        return card.title

    def _play(self) -> str:
        self._key(Qt.Key.Key_Space)
        self._until(lambda: self._classroom.model.at_s > WATCH_S)
        return f"{self._classroom.model.at_s:.1f} s"

    def _pause(self) -> str:
        self._key(Qt.Key.Key_Space)
        self._rest(400)
        self._position = self._classroom.model.at_s
        self._rest(600)
        self._expect(self._classroom.model.at_s == self._position, "the picture still moves")
        return f"{self._position:.1f} s"

    def _again(self) -> str:
        self._key(Qt.Key.Key_Up)
        self._until(lambda: self._classroom.model.at_s < self._position - 1.0)
        return f"{self._classroom.model.at_s:.1f} s"

    def _question(self) -> str:
        for key in (Qt.Key.Key_Q, Qt.Key.Key_1, Qt.Key.Key_1, Qt.Key.Key_2):
            self._key(key)
        self._until(lambda: self._classroom.model.view.state.question is not None)
        self._rest(400)
        return "A=2 B=1"

    def _black(self) -> str:
        self._key(Qt.Key.Key_Q)
        self._key(Qt.Key.Key_B)
        self._rest(400)
        return ""

    def _slides(self) -> str:
        self._key(Qt.Key.Key_B)
        self._key(Qt.Key.Key_K)
        self._rest(1500)
        self._key(Qt.Key.Key_PageDown)
        self._rest(1000)
        return ""

    def _power_cut(self) -> str:
        """Close without ending, as a power cut does, and go on from 今天."""
        self._classroom.close()
        self._until(lambda: self._program.classroom is None)
        self._program.today.refresh()
        self._until(lambda: self._program.today.page is not None and bool(self._notice()))
        notice = self._notice()
        self._expect(notice is not None, "no class to go on with")
        if notice is not None:
            self._program.resume(notice)
        self._until(lambda: self._program.classroom is not None)
        self._until(lambda: self._classroom.model.image is not None)
        return f"{notice.position_s:.1f} s" if notice is not None else ""

    def _end(self) -> str:
        window = self._classroom
        QTest.keyPress(window, Qt.Key.Key_Escape)
        self._until(lambda: window.layout_now is Layout.END)
        QTest.keyRelease(window, Qt.Key.Key_Escape)
        self._rest(800)
        self._picture("end_page")
        self._expect(window.end_page is not None, "no end page")
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Return)
        self._until(lambda: self._program.classroom is None)
        return ""

    def _record(self) -> str:
        kinds = [fact.kind for fact in self._station.records.facts()]
        for kind in ("opened", "played", "answer", "ended"):
            self._expect(kind in kinds, f"{kind} is not in the record")
        return f"{len(kinds)} facts"

    def _print(self) -> str:
        lesson = self._station.holdings.kept_lessons()[0].id
        made = []
        for what in ("task", "steps"):
            future = self._station.print_desk.make(lesson, what, self._folder, self._words, None)
            self._until(future.done)
            made.append(future.result().name)
        return ", ".join(made)

    # --- helpers -------------------------------------------------------------------------

    @property
    def _classroom(self) -> ClassroomWindow:
        window = self._program.classroom
        self._expect(window is not None, "the classroom is not open")
        assert window is not None  # noqa: S101 - said above
        return window

    def _cards(self) -> tuple[Card, ...]:
        page = self._program.today.page
        rows = page.rows if page is not None else ()
        return tuple(card for row in rows for card in row.cards if card is not None)

    def _notice(self) -> ResumeNotice | None:
        page = self._program.today.page
        return page.resume if page is not None else None

    def _key(self, key: Qt.Key) -> None:
        QTest.keyClick(self._classroom, key)
        self._rest(150)

    def _take(self, name: str, step: Callable[[], str]) -> None:
        began = time.monotonic()
        try:
            detail, verdict = step(), Verdict.HELD
        except StepFailedError as error:
            detail, verdict = str(error), Verdict.FAILED
        self._steps.append(
            StepReport(
                name=name,
                verdict=verdict.value,
                seconds=round(time.monotonic() - began, 2),
                picture=self._picture(name),
                detail=detail,
            )
        )

    def _picture(self, name: str) -> str:
        self._rest(250)
        window: QWidget = self._program.classroom or self._program.window
        file = f"{len(self._steps) + 1:02}-{name}.png"
        window.grab().save(str(self._folder / file))
        return file

    def _until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            self._expect(time.monotonic() < end, "it did not happen in time")
            self._rest(30)

    def _rest(self, milliseconds: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def _expect(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not holds:
            raise StepFailedError(what)

    def _written(self) -> DayReport:
        verdicts = [step.verdict for step in self._steps]
        room = self._station.room.snapshot().room
        report = DayReport(
            school=room.school if room is not None else "",
            steps=tuple(self._steps),
            held=verdicts.count(Verdict.HELD.value),
            failed=verdicts.count(Verdict.FAILED.value),
            absent=verdicts.count(Verdict.ABSENT.value),
        )
        text = json.dumps(asdict(report), ensure_ascii=False, indent=1)
        (self._folder / "report.json").write_text(text + "\n", encoding="utf-8")
        (self._folder / "report.html").write_text(_page(report), encoding="utf-8")
        return report


class StepFailedError(Exception):
    """A step did not show what it should; the day goes on with the next one."""


def _page(report: DayReport) -> str:
    rows = "".join(
        f"<section><h2>{number}. {html.escape(step.name)}: {step.verdict}</h2>"
        f"<p>{html.escape(step.detail)} ({step.seconds} s)</p>"
        + (f'<img src="{step.picture}" width="960">' if step.picture else "")
        + "</section>"
        for number, step in enumerate(report.steps, 1)
    )
    return (
        '<!doctype html><meta charset="utf-8"><title>Tongke</title>'
        "<style>body{font-family:sans-serif;max-width:60rem;margin:auto}img{width:100%}</style>"
        f"<h1>{html.escape(report.school)}</h1>"
        f"<p>held {report.held}, failed {report.failed}, absent {report.absent}</p>{rows}"
    )


def run_day(program: Program, station: Station, folder: Path, words: Words) -> DayReport:
    """Run the day and close the program."""
    try:
        return DemoDay(program, station, folder, words).run()
    finally:
        program.close()
        app = QApplication.instance()
        if app is not None:
            app.quit()
