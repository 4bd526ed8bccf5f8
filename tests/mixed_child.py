"""Lives of a room that fetches by its list while a stick is taken in; each will be killed.

    python -m tests.mixed_child

Has everything loaded, and for each line `PROFILE STICK POINT LESSON...` on stdin begins a life in
a process of its own, as fast as a fork; its number is the answer. What an observer may rely on is a
line on stdout, written after it was acknowledged:

    life PID               it began
    open                   the profile is open
    kept LESSON PART SHA   a file is here for good
    complete               all lessons are here
    ended PID              it was killed

It lives until somebody kills it. Desks and links are those of the program on screen.
"""

import os
import sys
import threading
from pathlib import Path

from client.domain import failpoint
from client.domain.availability import PartState
from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.clock import SystemClock
from client.domain.holding import part_state
from client.domain.ids import LessonId
from client.service.paths import Profile
from client.service.station import Station
from sync.engine.courier_pack import Labels
from sync.engine.link_desk import LinkDesk
from sync.engine.stick_desk import StickDesk
from tests.fetch_room import sees_everything
from tests.power_child import tell

LABELS = Labels(role=lambda role: role.value, elsewhere=Role.VIDEO.value)


def live(profile: Path, stick: Path, names: list[LessonId]) -> None:
    """Be a room until the plug is pulled."""
    station = Station(Profile(profile), SystemClock())
    tell("open")
    changed = threading.Event()

    def kept(lesson: LessonId) -> None:
        for one in station.holdings.of_lesson(lesson):
            if one.blob is not None:
                tell("kept", lesson, one.part, one.blob.digest)
        changed.set()

    station.holdings.subscribe(kept)
    LinkDesk(station, sees_everything)
    sticks = StickDesk(station, sees_everything, lambda: LABELS)
    taken = sticks.take(stick, lambda _: None)
    taken.add_done_callback(lambda _: changed.set())
    while not (taken.done() and all(is_here(station, name) for name in names)):
        changed.wait(0.2)
        changed.clear()
    taken.result()
    tell("complete")
    CancelToken().sleep(3600)


def is_here(station: Station, name: LessonId) -> bool:
    lesson = station.catalogue.lesson(name)
    held = station.holdings.of_lesson(name)
    return lesson is not None and {part_state(part, held) for part in lesson.parts} == {
        PartState.PRESENT
    }


def main() -> None:
    """Begin lives."""
    for line in sys.stdin:
        profile, stick, point, *names = line.split()
        number = os.fork()
        if not number:
            failpoint._TRIGGER = failpoint._Trigger(point.strip("-"))
            try:
                live(Path(profile), Path(stick), [LessonId(name) for name in names])
            finally:
                os._exit(1)
        tell("life", number)
        os.waitpid(number, 0)
        tell("ended", number)


if __name__ == "__main__":
    main()
