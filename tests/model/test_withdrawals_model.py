"""Grace, classes and purges in any order, with restarts (client.service.withdrawals, purge).

The model knows what was said, when it was heard, and which class is open; the room must agree after
every look. With `TONGKE_WHOLE=1` many histories.
"""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from client.domain.clock import FrozenClock
from client.domain.ids import LessonId, SourceId
from client.domain.record.bodies import Ended
from client.domain.withdrawal import CLASSES_A_DAY, URGENT, Withdrawal
from client.service.paths import Profile
from client.service.station import Station
from client.store.withdrawal_rows import WithdrawalRows
from tests.held_world import begin, content, here, hold, places_of, teach

ONE, HUB = LessonId("l1"), SourceId("hub")
DAY_S = 86_400


class Room(RuleBasedStateMachine):
    """WS1 to WS3, PG1."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock, self.boot = FrozenClock(), 0
        self.station = self._opened()
        self.station.room.add_class("three", 3, 13).result()
        self.said: Withdrawal | None = None
        self.heard: tuple[int, float] | None = None
        """Classes and running seconds when the room heard of it with the lesson here."""
        self.classes, self.ran_s = 0, 0.0
        self.sitting = None
        self.seen_open_s: float | None = None
        hold(self.station, "l1")

    def _opened(self) -> Station:
        self.boot += 1
        return Station(Profile(self.folder), self.clock, boot=str(self.boot))

    def teardown(self) -> None:
        if hasattr(self, "station"):
            self.station.close()
            shutil.rmtree(self.folder)

    # --- what happens --------------------------------------------------------------------

    @rule(days=st.integers(0, 3), reason=st.sampled_from(["legal", "outdated"]))
    def say(self, days: int, reason: str) -> None:
        self.said = Withdrawal(lesson=ONE, reason=reason, grace_days=days)
        WithdrawalRows(self.station.database).put(HUB, [self.said])
        self.look()

    @rule()
    def take_back(self) -> None:
        self.said = None
        WithdrawalRows(self.station.database).put(HUB, [])
        self.look()
        assert self.station.catalogue.record(ONE).is_withdrawn is False

    @precondition(lambda self: self.sitting is None)
    @rule(times=st.integers(1, CLASSES_A_DAY))
    def hold_classes(self, times: int) -> None:
        teach(self.station, "l2", times)
        self.classes += times
        self.look()

    @precondition(lambda self: self.sitting is None)
    @rule()
    def begin_class(self) -> None:
        self.sitting = begin(self.station, "l1")
        self.classes += 1
        self.look()

    @precondition(lambda self: self.sitting is not None)
    @rule()
    def end_class(self) -> None:
        self.station.records.recorder.end(self.sitting, Ended.FINISHED).result()
        self.sitting = None
        self.look()

    @rule(hours=st.integers(1, 30))
    def run(self, hours: int) -> None:
        self.clock.advance(hours * 3600)
        self.ran_s += hours * 3600
        self.look()

    @rule()
    def restart(self) -> None:
        self.station.close()
        self.clock.seconds = 0.0
        self.station = self._opened()
        self.look()

    @precondition(lambda self: ONE not in here(self.station))
    @rule()
    def comes_again(self) -> None:
        hold(self.station, "l1")
        self.look()

    # --- what must hold ------------------------------------------------------------------

    def look(self) -> None:
        is_here = ONE in here(self.station)
        if self.said is None:
            self.heard = None
        elif self.heard is None and is_here:
            self.heard = (self.classes, self.ran_s)
        if self.sitting is None or self.heard is None:
            self.seen_open_s = None
        elif self.seen_open_s is None:
            self.seen_open_s = self.ran_s
        self.station.withdrawals.look_now()
        stays = is_here and not self.is_over()
        assert (ONE in here(self.station)) == stays
        assert bool(places_of(self.station.profile.blobs, content("l1")[:100])) == stays

    def is_over(self) -> bool:
        if self.said is None or self.heard is None:
            return False
        if self.seen_open_s is not None and self.ran_s - self.seen_open_s < DAY_S:
            return False
        if self.said.reason in URGENT:
            return True
        held, days = self.classes - self.heard[0], int((self.ran_s - self.heard[1]) // DAY_S)
        return max(held, days * CLASSES_A_DAY) >= self.said.grace_days * CLASSES_A_DAY


TestRoom = Room.TestCase
TestRoom.settings = settings(
    max_examples=150 if "TONGKE_WHOLE" in os.environ else 6,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
