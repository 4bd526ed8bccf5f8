"""`bench promise`: a simulated term, and whether the lights and the promised hours were true.

The room is real: its profile, timetable, plan, purse and lights, on a real disk. Simulated are the
clock, the link, what the link brings, and the people. Things go wrong as in a village: dark hours
and dark nights, a power cut every few days and a clock that then shows 2013, 2099 or another hour
every hour, a hub that tells the time or cannot be reached, films that are protected, come damaged,
do not decode or vanish from the disk, sticks that come late or not at all.

    green_failed            lessons that were green when class began and did not play
    green_share             lessons that were green when class began
    papers_share            lessons whose papers were there
    arrivals                promises that stood at 17:00 for the next two days
    arrivals_kept_share     of these, the share that was kept to the minute
    over_budget_bytes       most that any true day or month carried beyond its budget
    closed_bytes            content in hours that were closed while the time was right
    content_mb_per_school_day, written_mb_per_school_day
                            what came, and what databases wrote besides (absent where the system
                            does not tell)
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes, Light, PartState, Trust
from client.domain.catalogue import (
    Lesson,
    Part,
    Role,
)
from client.domain.holding import Blob
from client.domain.ids import LessonId, PartId
from client.domain.record.anchors import AnchorKind
from client.domain.record.bodies import Ended
from client.domain.spend import (
    MEGABYTE,
    REQUEST_BYTES,
    Purpose,
    body_bytes,
    local_hours,
    wire_bytes,
)
from client.domain.timetable import SlotKey
from client.service.paths import Profile
from client.service.planner import Task
from client.service.station import Station
from sync.engine.bench_term import (
    CLASS,
    CLASSES,
    DAY_MB,
    HOURS,
    MONTH_MB,
    SCHOOL_DAYS,
    SUBJECTS,
    Chances,
    TermClock,
    content_of,
    furnish,
)

DAYS: Final = 200
QUICK_DAYS: Final = 15
_TICK_S: Final = 1800.0
_MORNING, _EVENING = 7.5, 17.0
_NEAR_MS: Final = 48 * 3600 * 1000
Log = Callable[[str], None]


@dataclass(slots=True)
class Promised:
    """One promise that a teacher saw."""

    lesson: LessonId
    by_ms: int
    has_film: bool


class Term:
    """One simulated term. Blocking; `run` once."""

    def __init__(self, folder: Path, seed: int = 1, chances: Chances | None = None) -> None:
        self._folder: Final = folder
        self._luck: Final = random.Random(seed)  # noqa: S311 - a simulation
        self._chances: Final = chances or Chances()
        self.clock: Final = TermClock()
        self._station: Station = self._open()
        self._arrived: dict[tuple[LessonId, bool], int] = {}
        """When halves of lessons came, local milliseconds."""
        self._parts: dict[tuple[LessonId, bool], int] = {}
        """Bytes of half a lesson that came."""
        self._promised: list[Promised] = []
        self._bad: set[PartId] = set()
        self.counts: Counter[str] = Counter()
        self.by_day: Counter[str] = Counter()
        self.by_month: Counter[str] = Counter()

    def run(self, days: int, log: Log) -> dict[str, object]:
        """Live through so many school days, and give the figures."""
        furnish(self._station, self._luck, DAYS + 10)
        before = _written()
        for number in range(days):
            self._school_day()
            if (number + 1) % 20 == 0:
                log(f"day {number + 1} of {days}")
            while self.clock.true.astimezone().isoweekday() > SCHOOL_DAYS:
                self._pass_day_off()
        after = _written()
        self._station.close()
        return self._figures(days, None if before is None or after is None else after - before)

    def _happens(self, chance: float) -> bool:
        return self._luck.random() < chance

    # --- days ------------------------------------------------------------------------------

    def _school_day(self) -> None:
        self._go_to(_MORNING)
        if self._happens(self._chances.power_cut):
            self._power_cut()
        self._meet_hub()
        self._bring_stick()
        for period, hour in enumerate(CLASSES, 1):
            self._go_to(hour)
            self._teach(period)
        self._go_to(_EVENING)
        self._settle_promises()
        self._note_promises()
        self._night()

    def _pass_day_off(self) -> None:
        self._go_to(_EVENING)
        self._settle_promises()
        self._night()

    def _go_to(self, hour: float) -> None:
        """Let time pass; what may come by day comes."""
        left = self.clock.until(hour)
        while left > 0:
            wait_s = self._wait_s()
            step = min(left, wait_s or _TICK_S)
            if wait_s:
                self.clock.true += timedelta(seconds=step)
            else:
                self._use_link(step)
            left -= step

    def _night(self) -> None:
        is_dark = self._happens(self._chances.dark_night)
        if is_dark:
            self.counts["dark_nights"] += 1
            self.clock.true += timedelta(seconds=self.clock.until(6.0))
            return
        self._go_to(6.0)

    def _power_cut(self) -> None:
        self.counts["power_cuts"] += 1
        self._station.close()
        self.clock.booted = self.clock.true
        self.clock.fault = self._luck.choice(["", "", "", "2013", "2099", "stepping"])
        self._station = self._open()
        if self._happens(self._chances.lost_file):
            self._lose_a_file()
        self._station.holdings.missing()

    def _meet_hub(self) -> None:
        """Let a hub tell the time, if it is reached."""
        if self._happens(self._chances.hub):
            journal = self._station.journal
            utc_ms = int(self.clock.true.timestamp() * 1000)
            journal.note_anchor(journal.present().anchor(AnchorKind.HUB, utc_ms, 300)).result()

    def _lose_a_file(self) -> None:
        found = sorted(p for p in self._station.profile.blobs.rglob("*.mp4") if p.is_file())
        if found:
            self._luck.choice(found).unlink()
            self.counts["files_lost"] += 1

    def _bring_stick(self) -> None:
        """Take films of the coming days from a stick that nothing else can bring."""
        if not self._happens(self._chances.stick):
            return
        self.counts["sticks"] += 1
        outlook = self._station.agenda.look_now()
        for forecast in outlook.plan.forecasts:
            if forecast.reason.code in {"plan_protected", "plan_papers", "plan_late"}:
                lesson = self._lesson(forecast.lesson)
                for part in lesson.parts:
                    self._keep(lesson, part)

    # --- class -----------------------------------------------------------------------------

    def _teach(self, period: int) -> None:
        """Look at the light as the teacher does, play, and move on in the book."""
        station = self._station
        day = self.clock.true.astimezone().isoweekday()
        key = SlotKey(day=day, period=period, class_id=CLASS)
        _, ahead = station.today.ahead_now()
        subject = SUBJECTS[(period + day) % len(SUBJECTS)]
        step = next((one.step for one in ahead if one.slot.subject == subject), None)
        if step is None:
            return
        self.counts["lessons"] += 1
        light = station.library.detail_now(step.lesson).light
        self.counts["green"] += light is Light.READY
        self.counts["green_failed"] += light is Light.READY and not self._plays(step.lesson)
        self.counts["papers"] += self._has(step.lesson, is_film=False)
        recorder = station.records.recorder
        opened = recorder.open((CLASS,), step.lesson, key)
        recorder.end(opened.sitting, Ended.FINISHED).result()
        station.today.finished((CLASS,), step, None).result()

    def _plays(self, lesson: LessonId) -> bool:
        """Tell whether every file is really there and right."""
        held = self._station.holdings.of_lesson(lesson)
        present = [one for one in held if one.state is PartState.PRESENT]
        return bool(present) and all(
            one.file is not None
            and one.file.is_file()
            and one.file.read_bytes() == content_of(one.part)
            and one.part not in self._bad
            for one in present
        )

    def _has(self, lesson: LessonId, *, is_film: bool) -> bool:
        held = {
            one.part
            for one in self._station.holdings.of_lesson(lesson)
            if one.state is PartState.PRESENT
        }
        wanted = [p for p in self._lesson(lesson).parts if (p.role is Role.VIDEO) is is_film]
        return all(part.id in held for part in wanted)

    # --- promises --------------------------------------------------------------------------

    def _note_promises(self) -> None:
        """Read at 17:00 what is promised for the next two days."""
        outlook = self._station.agenda.look_now()
        horizon_ms = _local_ms(self.clock.true) + _NEAR_MS
        for lesson, promise in outlook.promises.items():
            told = promise.arrives_ms
            if told is None or told[1] > horizon_ms or not promise.missing_bytes:
                continue
            has_film = bool(outlook.plan.by_lesson[lesson].rendition)
            self._promised.append(Promised(lesson=lesson, by_ms=told[1], has_film=has_film))

    def _settle_promises(self) -> None:
        """Look whether what was promised by now is here."""
        now_ms = _local_ms(self.clock.true)
        due = [one for one in self._promised if one.by_ms <= now_ms]
        self._promised = [one for one in self._promised if one.by_ms > now_ms]
        self.counts["arrivals"] += len(due)
        self.counts["kept"] += sum(self._is_kept(one) for one in due)

    def _is_kept(self, one: Promised) -> bool:
        halves = (False, True) if one.has_film else (False,)
        return all(
            self._arrived.get((one.lesson, half), one.by_ms) <= one.by_ms
            and self._has(one.lesson, is_film=half)
            for half in halves
        )

    # --- the link --------------------------------------------------------------------------

    def _use_link(self, seconds: float) -> None:
        """Let the link bring what the plan says, as far as it may and can."""
        lit_s = seconds * self._luck.uniform(0.5, 0.95)
        most = int(lit_s * self._luck.uniform(60_000, 140_000))
        begun, came = self.clock.true, 0
        for task in self._station.agenda.look_now().plan.tasks:
            came += self._fetch(task, most - came)
            self.clock.true = begun + timedelta(seconds=seconds * came / most)
            self._complete(task)
            if came >= most:
                break
        self.clock.true = begun + timedelta(seconds=seconds)
        if came:
            self._station.purse.measured(came, lit_s * came / most, seconds * came / most)

    def _wait_s(self) -> float:
        """Tell how long nothing may be spent, 0.0 when something may."""
        purse = self._station.purse
        asked = [purse.allowance(one) for one in (Purpose.CONTENT, Purpose.URGENT)]
        if any(one.bytes != 0 for one in asked):
            return 0.0
        return max(60.0, min(one.for_s for one in asked))

    def _fetch(self, task: Task, most: int) -> int:
        """Bring a half of a lesson, or what may come of it now; gives the bytes of its body."""
        purpose = Purpose.URGENT if task.is_urgent else Purpose.CONTENT
        key = task.lesson, task.is_film
        here = self._parts.get(key, 0)
        wanted = min(most, task.size_bytes - here)
        came = 0
        while came < wanted:
            ask = wire_bytes(wanted - came) + REQUEST_BYTES
            paid = self._station.purse.take(purpose, ask)
            piece = min(wanted - came, body_bytes(paid - REQUEST_BYTES))
            if piece <= 0:
                self._station.purse.give_back(purpose, paid)
                break
            self._count(paid)
            came += piece
        self._parts[key] = here + came
        return came

    def _count(self, wire: int) -> None:
        local = self.clock.true.astimezone()
        self.by_day[f"{local:%Y-%m-%d}"] += wire
        self.by_month[f"{local:%Y-%m}"] += wire
        is_open = any(begin <= local.hour < end for begin, end in local_hours(HOURS))
        is_sure = self._station.purse.standing().span is not None
        if not is_open and is_sure and not self.clock.fault:
            self.counts["closed_bytes"] += wire

    def _complete(self, task: Task) -> None:
        """Verify what is whole now: a damaged film is thrown away and comes again."""
        if self._parts[(task.lesson, task.is_film)] < task.size_bytes:
            return
        self._parts.pop((task.lesson, task.is_film))
        if task.is_film and self._happens(self._chances.damaged):
            self.counts["damaged"] += 1
            return
        lesson = self._lesson(task.lesson)
        for part in lesson.parts:
            if (part.role is Role.VIDEO) is task.is_film and not part.is_protected:
                self._keep(lesson, part)
        self._arrived[(task.lesson, task.is_film)] = _local_ms(self.clock.true)

    def _keep(self, lesson: Lesson, part: Part) -> None:
        """Commit a file and try whether it decodes, as a fetch does."""
        station = self._station
        growing = station.blobs.growing(part.id, part.id)
        growing.write(content_of(part.id))
        is_film = part.role is Role.VIDEO
        stored = station.blobs.commit(growing, ".mp4" if is_film else ".pdf")
        growing.discard()
        decodes = Decodes.UNKNOWN
        if is_film:
            decodes = Decodes.NO if self._happens(self._chances.undecodable) else Decodes.YES
        if decodes is Decodes.NO:
            self._bad.add(part.id)
        blob = Blob(
            digest=stored.digest,
            ext=stored.ext,
            size_bytes=stored.size_bytes,
            trust=Trust.OBSERVED,
            decodes=decodes,
        )
        station.holdings.keep(lesson, part.id, part.files[0].path, blob)

    # --- the room --------------------------------------------------------------------------

    def _open(self) -> Station:
        return Station(Profile(self._folder), self.clock, str(self.clock.booted))

    def _lesson(self, lesson: LessonId) -> Lesson:
        found = self._station.catalogue.lesson(lesson)
        assert found is not None  # noqa: S101 - it was put there
        return found

    def _figures(self, days: int, written: int | None) -> dict[str, object]:
        counts, content = self.counts, sum(self.by_day.values())
        over = [
            *(spent - DAY_MB * MEGABYTE for spent in self.by_day.values()),
            *(spent - MONTH_MB * MEGABYTE for spent in self.by_month.values()),
        ]
        figures: dict[str, object] = {
            "green_failed": counts["green_failed"],
            "arrivals_kept_share": round(counts["kept"] / max(1, counts["arrivals"]), 4),
            "arrivals": counts["arrivals"],
            "lessons": counts["lessons"],
            "green_share": round(counts["green"] / max(1, counts["lessons"]), 4),
            "papers_share": round(counts["papers"] / max(1, counts["lessons"]), 4),
            "over_budget_bytes": max(0, *over),
            "closed_bytes": counts["closed_bytes"],
            "content_mb_per_school_day": round(content / days / MEGABYTE, 1),
            "events": {
                name: counts[name]
                for name in ("power_cuts", "dark_nights", "sticks", "damaged", "files_lost")
            },
        }
        if written is not None:
            figures["written_mb_per_school_day"] = round(written / days / MEGABYTE, 2)
        return figures


def bench_promise(days: int, log: Log) -> dict[str, object]:
    """Run the bench; see the module.

    Args:
        days: School days of the term.
        log: Progress for people.
    """
    with tempfile.TemporaryDirectory(prefix="tongke-bench") as folder:
        return Term(Path(folder)).run(days, log)


def _local_ms(at: datetime) -> int:
    local = at.astimezone().replace(tzinfo=UTC)
    return int(local.timestamp() * 1000)


def _written() -> int | None:
    """Bytes that this process had written to disks, None where the system does not tell."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = dict(line.split(": ", 1) for line in lines)
    return int(found["write_bytes"])
