"""One life of a room that fetches and teaches at once, as a process that will be killed.

    python -m tests.power_child PROFILE BASE SEED LESSON...

Everything an observer may rely on is a line on stdout, written after it was acknowledged:

    open                      the profile is open
    notice CODE               the program says what it did at start
    fact ID                   an event of the class is durable
    place SITTING SECONDS     the place to go on from is durable
    kept PATH DIGEST          a file is here for good
    complete                  all lessons are here

It teaches until somebody ends it.
"""

import random
import sys
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.ids import LessonId
from client.domain.record.bodies import Ended
from client.domain.sitting_keys import Key
from client.media.null_player import NullPlayer
from client.service.paths import Profile
from client.service.records import OpenedSitting, SittingRecorder
from client.service.sitting import Sitting
from client.service.sitting_port import SittingPlan
from client.service.station import Station
from sync.engine.fetch import Fetcher, FetchPorts
from sync.engine.fetch_plan import Choice
from sync.source.addresses import AddressBook
from sync.transport.http import HttpTransport
from tests.fetch_room import QUICK, sees_everything

_GATE = threading.Lock()


def tell(*words: object) -> None:
    """Write one line at once, whole."""
    with _GATE:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()


class Watched:
    """The room's recorder; tells what it acknowledged. Nothing of it is replaced."""

    def __init__(self, recorder: SittingRecorder) -> None:
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._recorder, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            answer = act(*args, **kwargs)
            if name == "save_resume":
                line = ("place", args[0], kwargs["position_s"])
                answer.add_done_callback(partial(told, line))
            elif isinstance(answer, OpenedSitting):
                answer.recorded.add_done_callback(partial(told, None))
            elif isinstance(answer, Future):
                answer.add_done_callback(partial(told, None))
            return answer

        return call


def told(line: tuple[object, ...] | None, done: "Future[Any]") -> None:
    """Tell a fact or a place, if it was kept."""
    if done.exception() is None:
        tell(*(line or ("fact", done.result().hex())))


def plan_of(station: Station) -> SittingPlan:
    """Go on with the interrupted class, else begin one."""
    page = station.today.page_now()
    if page.resume is not None:
        return station.today.resume_plan(page.resume).result()
    cards = [card for row in page.rows for card in row.cards if card is not None]
    return station.today.sitting_plan(cards[:1]).result()


def teach(station: Station, luck: random.Random, stop: CancelToken) -> None:
    """Hold classes: play, stop, ask, count, end, begin anew."""
    while True:
        plan = plan_of(station)
        sitting = Sitting(
            plan,
            Watched(station.records.recorder),  # type: ignore[arg-type]
            lambda: NullPlayer(station.clock),
            station.clock,
            on_frame=lambda _: None,
            on_change=lambda: None,
        )
        for _ in range(luck.randint(5, 40)):
            sitting.press(luck.choice((Key.PLAY, Key.PLAY, Key.HEAD_MORE, Key.QUESTION, Key.ADD)))
            stop.sleep(luck.uniform(0.01, 0.06))
            sitting.tick()
        for future in sitting.finish(Ended.FINISHED):
            future.result()
        sitting.close()


def fetch(station: Station, base: str, lessons: list[LessonId]) -> None:
    """Have all lessons here."""
    addresses = AddressBook(base)
    transport = HttpTransport(resolve=addresses.redirect, stall_s=5.0)
    ports = FetchPorts(
        transport=transport,
        addresses=addresses,
        holdings=station.holdings,
        clock=station.clock,
        probe=sees_everything,
    )
    fetcher = Fetcher(ports, patience=QUICK)

    def kept(lesson: LessonId) -> None:
        for holding in station.holdings.of_lesson(lesson):
            if holding.blob is not None:
                tell("kept", holding.path, holding.blob.digest)

    station.holdings.subscribe(kept)
    whole = True
    for name in lessons:
        lesson = station.catalogue.lesson(name) or station.holdings.lesson(name)
        assert lesson is not None
        whole &= fetcher.fetch(lesson, Choice(), CancelToken()).is_complete
    if whole:
        tell("complete")


def main() -> None:
    """Live."""
    profile, base, seed, *names = sys.argv[1:]
    station = Station(Profile(Path(profile)), SystemClock())
    for notice in station.notices:
        tell("notice", notice.code)
    tell("open")
    fetching = threading.Thread(
        target=fetch, args=(station, base, [LessonId(name) for name in names]), daemon=True
    )
    fetching.start()
    teach(station, random.Random(int(seed)), CancelToken())


if __name__ == "__main__":
    main()
