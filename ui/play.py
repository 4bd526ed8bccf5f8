"""`play ID`: project one cached lesson in a real window; it is recorded like any class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEventLoop, QTimer

from client.domain.errors import UserError
from client.domain.ids import LessonId
from client.domain.record.bodies import Ended
from client.domain.sitting_keys import Key
from client.domain.timetable import ClassGroup
from client.service.api import LessonDetail
from client.service.school import grade_number
from client.service.sitting_port import SittingPlan, TrackPlan
from client.service.station import Station
from ui.program import Program

_TICK_MS: Final = 50
_FIRST_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What was shown."""

    id: LessonId
    title: str
    position_s: float
    seconds: float
    screenshot: Path | None


def play(
    program: Program,
    station: Station,
    lesson: LessonId,
    *,
    seconds: float | None = None,
    screenshot: Path | None = None,
) -> Played:
    """Play until the window is closed, or for some seconds of media time. GUI thread.

    Raises:
        UserError: `lesson_unknown`, or `nothing_to_play`: nothing of it is here.
    """
    detail = station.library.detail_now(lesson)
    if not any(part.path is not None for part in detail.parts):
        raise UserError("nothing_to_play", {"title": detail.row.title})
    window = program.teach(SittingPlan(tracks=(_track(station, detail),)))
    model = window.model
    _wait(lambda: model.image is not None or program.classroom is None, _FIRST_S)
    if seconds is None:
        _wait(lambda: program.classroom is None, None)
        return _report(detail, model.at_s, 0.0, None)
    begun = model.at_s
    model.press(Key.PLAY)
    _wait(lambda: model.at_s - begun >= seconds or program.classroom is None, seconds + _FIRST_S)
    if screenshot is not None:
        window.grab().save(str(screenshot))
    shown = model.at_s
    model.press(Key.END)
    for written in model.sitting.finish(Ended.FINISHED):
        written.result()
    window.close()
    return _report(detail, shown, shown - begun, screenshot)


def _track(station: Station, detail: LessonDetail) -> TrackPlan:
    groups = station.room.snapshot().classes
    number = grade_number(detail.row.place.grade)
    group = next((one for one in groups if one.grade == number), next(iter(groups), None))
    if group is None:
        group = ClassGroup(id=station.room.add_class("1", 1).result(), name="1", grade=1)
    return TrackPlan(
        class_id=group.id,
        class_name=group.name,
        lesson=detail,
        subject=detail.row.place.subject,
        headcount=group.headcount,
    )


def _report(detail: LessonDetail, at_s: float, seconds: float, screenshot: Path | None) -> Played:
    return Played(
        id=detail.row.id,
        title=detail.row.title,
        position_s=round(at_s, 2),
        seconds=round(seconds, 2),
        screenshot=screenshot,
    )


def _wait(holds: Callable[[], bool], limit_s: float | None) -> None:
    """Let the windows live until something holds."""
    loop, passed = QEventLoop(), [0.0]
    timer = QTimer()

    def look() -> None:
        passed[0] += _TICK_MS / 1000
        if holds() or (limit_s is not None and passed[0] >= limit_s):
            loop.quit()

    timer.timeout.connect(look)
    timer.start(_TICK_MS)
    loop.exec()
    timer.stop()
