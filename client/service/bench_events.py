"""`bench events`: bytes of one class-day, sealed once (DESIGN §5).

Six lessons are recorded as the console records them, by the real recorder into a real journal with
a real key, while a clock of the bench moves on. Seeds choose lessons, times, counts and notes.
"""

import random
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from client.domain.canon import decode_array
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.segment import peek
from client.domain.timetable import SlotKey
from client.service.records import RecordService
from client.service.room import RoomService
from client.store.repair import open_journal

SEEDS: Final = 9
QUICK_SEEDS: Final = 3
LESSONS: Final = 6
_ROUNDS: Final = 2
_PUPILS: Final = 12
_START: Final = datetime(2027, 5, 18, 0, 30, tzinfo=UTC)
_CHINESE: Final = (0x4E00, 0x9FA5)
_NOTE_LENGTHS: Final = (18, 25)


@dataclass(slots=True)
class _Clock:
    """Both clocks of a machine: one oscillator, so they differ by a phase; no tick is shared."""

    noise: random.Random
    seconds: float
    phase_s: float

    def monotonic(self) -> float:
        """See `Clock`."""
        return self.seconds

    def boot_monotonic_ms(self) -> int:
        """See `Clock`."""
        return int(self.seconds * 1000)

    def wall(self) -> datetime:
        """See `Clock`."""
        # Read some microseconds later than the other one, as in life.
        later_s = self.noise.uniform(2e-6, 4e-5)
        return _START + timedelta(seconds=self.seconds + self.phase_s + later_s)

    def advance(self, least_s: float, most_s: float) -> None:
        """Let time pass."""
        self.seconds += self.noise.uniform(least_s, most_s)


def bench_events(
    seeds: int = SEEDS, progress: Callable[[str], None] = lambda _: None
) -> dict[str, object]:
    """Seal that many class-days.

    Returns:
        `class_day_bytes`, the median, with `least` and `most`; `events`; and the medians of the
        parts: `header_bytes`, `number_bytes`, `strings_bytes`, `signature_bytes`.
    """
    days: list[dict[str, int]] = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            days.append(_figures(class_day(Path(folder), seed)))
        progress(f"{seed + 1}/{seeds}")
    totals = [day["class_day_bytes"] for day in days]
    figures: dict[str, object] = {
        name: round(statistics.median(day[name] for day in days)) for name in days[0]
    }
    return figures | {"least": min(totals), "most": max(totals)}


def class_day(folder: Path, seed: int) -> bytes:
    """Record one day of one class on a new profile and seal it. Blocking.

    Returns:
        The one segment of that day; setting up the room is in the segment before.
    """
    noise = random.Random(seed)  # noqa: S311 - material, no secret
    clock = _Clock(noise=noise, seconds=noise.uniform(60, 900), phase_s=noise.uniform(0, 1))
    journal = open_journal(folder, clock).journal
    try:
        group = RoomService(journal).add_class("3", 3, _PUPILS).result()
        journal.seal().result()
        known = len(journal.segments())
        day = _Day(
            records=RecordService(journal, lambda: (group,)), clock=clock, noise=noise, group=group
        )
        with_note = noise.sample(range(1, LESSONS + 1), 2)
        for period in range(1, LESSONS + 1):
            day.lesson(period, has_note=period in with_note)
        journal.seal().result()
        (segment,) = journal.segments()[known:]
    finally:
        journal.close()
    return segment


@dataclass(slots=True, kw_only=True)
class _Day:
    records: RecordService
    clock: _Clock
    noise: random.Random
    group: ClassId

    def lesson(self, period: int, *, has_note: bool) -> None:
        """Teach one lesson: a film in parts with two questions, a sheet, the end page."""
        noise, recorder = self.noise, self.records.recorder
        self.clock.advance(500, 900)
        lesson = LessonId(str(UUID(int=noise.getrandbits(128), version=4)))
        key = SlotKey(day=2, period=period, class_id=self.group)
        opened = recorder.open((self.group,), lesson, key)
        self._kept(opened.recorded)
        sitting = opened.sitting
        self._cue(sitting, 1)
        heads = _PUPILS - noise.choice((0, 0, 0, 1, 1, 2))
        for _ in range(noise.choice((1, 1, 2))):
            self.clock.advance(3, 60)
            self._kept(recorder.headcount(sitting, self.group, heads))
            heads -= 1
        length_s = noise.uniform(600, 900)
        marks = [length_s * part for part in (0.0, 0.2, 0.7, 1.0)]
        for ordinal, (begin_s, end_s) in enumerate(pairwise(marks), 2):
            self._play(sitting, begin_s, end_s)
            self._cue(sitting, ordinal)
            if ordinal == _ROUNDS + 1:
                self._ask(sitting)
        for ordinal in (5, 6):
            self.clock.advance(120, 480)
            self._cue(sitting, ordinal)
        self._end(sitting, length_s, has_note=has_note)

    def _play(self, sitting: SittingId, begin_s: float, end_s: float) -> None:
        """Watch a part; a long one is written after five minutes, one in three is paused."""
        while end_s - begin_s > 300:  # noqa: PLR2004 - five minutes
            self.clock.advance(300, 300.03)
            self._kept(self.records.recorder.played(sitting, [(begin_s, begin_s + 300)]))
            begin_s += 300
        if self.noise.random() < 1 / 3:
            middle_s = self.noise.uniform(begin_s + 1, end_s - 1)
            self.clock.advance(middle_s - begin_s, middle_s - begin_s + 0.05)
            self._kept(self.records.recorder.played(sitting, [(begin_s, middle_s)]))
            self.clock.advance(5, 90)
            begin_s = middle_s
        self.clock.advance(end_s - begin_s, end_s - begin_s + 0.05)
        self._kept(self.records.recorder.played(sitting, [(begin_s, end_s)]))

    def _ask(self, sitting: SittingId) -> None:
        for number in range(1, _ROUNDS + 1):
            self.clock.advance(40, 180)
            answers = self.noise.choices("ABCD", (6, 3, 2, 1), k=_PUPILS)
            counts = [(letter, answers.count(letter)) for letter in "ABCD"]
            self._kept(self.records.recorder.question(sitting, number, counts))

    def _end(self, sitting: SittingId, screen_s: float, *, has_note: bool) -> None:
        recorder, noise = self.records.recorder, self.noise
        self.clock.advance(20, 120)
        level = noise.choice((Understood.MOST, Understood.MOST, Understood.HALF, Understood.FEW))
        self._kept(recorder.understood(sitting, self.group, level))
        self.clock.advance(2, 10)
        self._kept(recorder.taught_by(sitting, TaughtBy.OWN))
        if has_note:
            self.clock.advance(10, 60)
            self._kept(recorder.note(sitting, self._note()))
        self.clock.advance(2, 15)
        self._kept(recorder.end(sitting, Ended.FINISHED, screen_s))

    def _note(self) -> str:
        # Any characters: nothing can be made shorter that a real note would not allow.
        length = self.noise.randint(*_NOTE_LENGTHS)
        return "".join(chr(self.noise.randint(*_CHINESE)) for _ in range(length))

    def _cue(self, sitting: SittingId, ordinal: int) -> None:
        self._kept(self.records.recorder.cue(sitting, ordinal))

    def _kept(self, written: Future[Any]) -> None:
        written.result()
        # What follows at once is written a commit later.
        self.clock.advance(0.004, 0.025)


def _figures(data: bytes) -> dict[str, int]:
    *_, number, strings, signature = (part for part in decode_array(data))
    sizes = [len(part) for part in (number, strings, signature) if isinstance(part, bytes)]
    return {
        "class_day_bytes": len(data),
        "events": peek(data).count,
        "header_bytes": len(data) - sum(sizes),
        "number_bytes": sizes[0],
        "strings_bytes": sizes[1],
        "signature_bytes": sizes[2],
    }
