"""班级: what each class did, by day and lesson, and what two machines wrote differently. Pure.

Invariants:
  CP1  Every line of the fold (`fact_rows`) stands on the page exactly once: under the sitting it
       belongs to, else among what was added by hand.
  CP2  Days stand newest first. A time that nobody knows stands behind the last day its own log
       knew before it.
  CP3  Showing one class leaves out what others did, and nothing of that class.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Final, TypeAlias, TypeVar

from client.domain.catalogue import Book, Lesson, display_title
from client.domain.ids import BookId, ClassId, EventId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.bodies import Ended, EventType, TaughtBy, Understood
from client.domain.record.facts import Fact, FactKind
from client.domain.record.fold import Entry, Fold, seconds
from client.domain.record.values import NO_SITTING, read_stretches
from client.service.disputes import Dispute, disputed_bodies, find_disputes, own_logs
from client.service.when import When, is_about, local_moment, when_of

T = TypeVar("T")

_FACTS: Final = (
    EventType.SITTING_OPENED,
    EventType.PLAYED,
    EventType.CUE_REACHED,
    EventType.QUESTION_ROUND,
    EventType.HEADCOUNT,
)
_WRITES: Final = (
    EventType.NOTE,
    EventType.UNDERSTOOD,
    EventType.TAUGHT_BY,
    EventType.SITTING_ENDED,
)
_Held: TypeAlias = (
    b.SittingOpened
    | b.Played
    | b.CueReached
    | b.QuestionRound
    | b.HeadcountTaken
    | b.NoteWritten
    | b.UnderstoodWritten
    | b.TaughtByWritten
    | b.SittingEnded
)
"""Bodies that a fact line comes from; each names its sitting."""
_NO_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
_Line: TypeAlias = tuple[Fact, Entry, _Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One question round: how many chose what."""

    number: int
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """How many pupils of a class were there. Several counts: two machines counted."""

    class_id: ClassId
    counted: tuple[int, ...]
    assumed: int
    """From the list, 0 when nobody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One class that took place. What two machines said differently is all here, shown one last."""

    id: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    title: str
    """Empty when the catalogue has no such lesson (any more)."""
    subject: str
    when: When
    day: int
    period: int
    """Place in the week, 0 outside of the timetable."""
    ends: tuple[Ended, ...]
    """Empty while it has no end."""
    screen_s: int
    played_s: int
    steps: int
    rounds: tuple[Round, ...]
    heads: tuple[Heads, ...]
    understood: tuple[tuple[ClassId, Understood], ...]
    taught_by: tuple[TaughtBy, ...]
    notes: tuple[str, ...]
    is_disputed: bool
    facts: tuple[Fact, ...]
    """Every line that belongs to it."""

    @property
    def shown_s(self) -> int:
        """How long the screen was used, as far as anybody knows."""
        return self.screen_s or self.played_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A line that was added by hand, outside of any sitting."""

    fact: Fact
    when: When
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day. `date` None: nobody knows when; `is_about`: no time of it is sure."""

    date: date | None
    is_about: bool
    sittings: tuple[Sitting, ...]
    loose: tuple[Loose, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesPage:
    """Everything 班级 shows. `names` holds the classes that were taken out as well."""

    days: tuple[Day, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    names: tuple[tuple[ClassId, str], ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    """Of the lessons and books named on the page that the catalogue knows, by id."""

    def sittings(self) -> Iterator[Sitting]:
        """Go through all sittings."""
        return (one for day in self.days for one in day.sittings)


# --- building ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the page names."""

    lessons: tuple[LessonId, ...]
    books: tuple[BookId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the catalogue knows of it."""

    lessons: Mapping[LessonId, Lesson] = field(default_factory=dict)
    books: Mapping[BookId, Book] = field(default_factory=dict)

    def titles(self) -> Iterator[tuple[str, str]]:
        """Give the display title of each by its id."""
        for lesson in self.lessons.values():
            yield lesson.id, display_title(lesson.title)
        for book in self.books.values():
            yield book.id, " ".join(part for part in (book.place.edition, book.title) if part)


def named_in(fold: Fold, facts: Sequence[Fact]) -> Named:
    """List what the page needs titles for."""
    disputed = tuple(disputed_bodies(fold))
    lessons = [fact.lesson for fact in facts]
    lessons += [getattr(body, "lesson", None) for body in disputed]
    books = [body.book for body in disputed if isinstance(body, b.BookChosen)]
    return Named(
        lessons=tuple(dict.fromkeys(lesson for lesson in lessons if lesson)),
        books=tuple(dict.fromkeys(book for book in books if book)),
    )


def build_page(
    fold: Fold,
    facts: Sequence[Fact],
    writer: bytes,
    known: Known,
    zone: tzinfo | None = None,
) -> ClassesPage:
    """Make the page.

    Args:
        fold: All events that are here.
        facts: `fact_rows` of it.
        writer: Name of the log this PC writes.
        known: Titles of what is `named_in` them; what is not known is shown without.
        zone: Local time, None for that of this machine.
    """
    lines = _lines(fold, facts)
    whens = {fact.id: when_of(fact) for fact, _, _ in lines}
    disputes = find_disputes(fold, own_logs(fold, writer), whens)
    groups: dict[SittingId, list[_Line]] = {}
    for line in lines:
        groups.setdefault(line[2].sitting, []).append(line)
    loose = groups.pop(NO_SITTING, [])
    room = _Room(fold, known.lessons, {one.sitting for one in disputes})
    days = _Days(lines, zone)
    for name, held in groups.items():
        days.add_sitting(room.sitting(name, held), held[0][1])
    for fact, entry, _ in loose:
        title = room.title(fact.lesson)
        days.add_loose(Loose(fact=fact, when=whens[fact.id], title=title), entry)
    return ClassesPage(
        days=days.made(),
        disputes=disputes,
        names=tuple((body.class_id, body.name) for body in room.groups.values()),
        titles=tuple(known.titles()),
    )


def of_class(page: ClassesPage, class_id: str) -> ClassesPage:
    """Leave what concerns a class (CP3); empty shows all."""
    if not class_id:
        return page
    days = (
        replace(
            day,
            sittings=tuple(one for one in day.sittings if class_id in one.class_ids),
            loose=tuple(one for one in day.loose if one.fact.class_id == class_id),
        )
        for day in page.days
    )
    return replace(
        page,
        days=tuple(day for day in days if day.sittings or day.loose),
        disputes=tuple(
            one for one in page.disputes if not one.class_ids or class_id in one.class_ids
        ),
    )


# --- inside ------------------------------------------------------------------------------


def _lines(fold: Fold, facts: Sequence[Fact]) -> list[_Line]:
    """Join facts with the events they come from."""
    written = (entry for kind in _WRITES for group in fold.registers(kind) for entry in group)
    held = {
        entry.id.hex(): (entry, entry.body)
        for entry in (*fold.facts(*_FACTS), *written)
        if isinstance(entry.body, _Held)
    }
    return [(fact, *held[fact.id.partition("/")[0]]) for fact in facts]


class _Room:
    """Makes sittings out of their lines."""

    def __init__(
        self, fold: Fold, lessons: Mapping[LessonId, Lesson], disputed: set[SittingId]
    ) -> None:
        self.groups = {body.class_id: body for body in fold.shown_of(b.ClassWritten)}
        self._lessons = lessons
        self._disputed = disputed

    def title(self, lesson: LessonId | None) -> str:
        found = self._lessons.get(lesson) if lesson is not None else None
        return "" if found is None else display_title(found.title)

    def sitting(self, name: SittingId, lines: Sequence[_Line]) -> Sitting:
        bodies = list(dict.fromkeys(body for _, _, body in lines))
        opened = next((body for body in bodies if isinstance(body, b.SittingOpened)), None)
        first = next((fact for fact, _, body in lines if body is opened), lines[0][0])
        named = (fact.lesson for fact, _, _ in lines if fact.lesson is not None)
        lesson = next(named, None) if opened is None else opened.lesson
        classes = dict.fromkeys(() if opened is None else opened.class_ids)
        classes |= dict.fromkeys(fact.class_id for fact, _, _ in lines)
        known = None if lesson is None else self._lessons.get(lesson)
        ends = [body for body in bodies if isinstance(body, b.SittingEnded)]
        levels = [body for body in bodies if isinstance(body, b.UnderstoodWritten)]
        return Sitting(
            id=name,
            class_ids=tuple(one for one in classes if one),
            lesson=lesson,
            title=self.title(lesson),
            subject="" if known is None else known.place.subject,
            when=when_of(first),
            day=0 if opened is None else opened.day,
            period=0 if opened is None else opened.period,
            ends=_distinct(body.how for body in ends),
            screen_s=ends[-1].screen_s if ends else 0,
            played_s=seconds(span for fact, _, _ in lines for span in _stretches(fact)),
            steps=len({body.ordinal for body in bodies if isinstance(body, b.CueReached)}),
            rounds=_rounds(bodies),
            heads=self._heads(bodies, classes),
            understood=_distinct((body.class_id, body.level) for body in levels),
            taught_by=_distinct(one.who for one in bodies if isinstance(one, b.TaughtByWritten)),
            notes=_distinct(one.text for one in bodies if isinstance(one, b.NoteWritten)),
            is_disputed=name in self._disputed,
            facts=tuple(fact for fact, _, _ in lines),
        )

    def _heads(self, bodies: Iterable[_Held], classes: Iterable[ClassId]) -> tuple[Heads, ...]:
        counted: dict[ClassId, list[int]] = {one: [] for one in classes if one}
        for body in bodies:
            if isinstance(body, b.HeadcountTaken):
                counted.setdefault(body.class_id, []).append(body.count)
        return tuple(
            Heads(
                class_id=one,
                counted=_distinct(counts),
                assumed=self.groups[one].headcount if one in self.groups else 0,
            )
            for one, counts in counted.items()
        )


class _Days:
    """Puts sittings and lines into days (CP2)."""

    def __init__(self, lines: Iterable[_Line], zone: tzinfo | None) -> None:
        self._zone = zone
        self._before = _known_before(lines, zone)
        self._sittings: dict[tuple[date, bool], list[Sitting]] = {}
        self._loose: dict[tuple[date, bool], list[Loose]] = {}

    def add_sitting(self, sitting: Sitting, entry: Entry) -> None:
        self._sittings.setdefault(self._key(sitting.when, entry), []).append(sitting)

    def add_loose(self, loose: Loose, entry: Entry) -> None:
        self._loose.setdefault(self._key(loose.when, entry), []).append(loose)

    def made(self) -> tuple[Day, ...]:
        keys = sorted({*self._sittings, *self._loose}, reverse=True)
        return tuple(self._day(key) for key in keys)

    def _key(self, when: When, entry: Entry) -> tuple[date, bool]:
        """Name a day: the date, and whether it is only what stood before an unknown time."""
        moment = local_moment(when, self._zone)
        if moment is not None:
            return moment.date(), False
        return self._before.get(entry.id, date.min), True

    def _begins(self, sitting: Sitting) -> datetime:
        return local_moment(sitting.when, self._zone) or _NO_MOMENT

    def _day(self, key: tuple[date, bool]) -> Day:
        sittings = tuple(sorted(self._sittings.get(key, ()), key=self._begins))
        loose = tuple(self._loose.get(key, ()))
        whens = [one.when for one in sittings] + [one.when for one in loose]
        return Day(
            date=None if key[1] else key[0],
            is_about=all(is_about(when) for when in whens),
            sittings=sittings,
            loose=loose,
        )


def _known_before(lines: Iterable[_Line], zone: tzinfo | None) -> Mapping[EventId, date]:
    """Tell for each line the last date that its own log knew until then."""
    found: dict[EventId, date] = {}
    last: dict[bytes, date] = {}
    for fact, entry, _ in sorted(lines, key=lambda line: line[1].event.seq):
        moment = local_moment(when_of(fact), zone)
        log = entry.event.writer
        if moment is not None:
            last[log] = moment.date()
        if log in last:
            found[entry.id] = last[log]
    return found


def _stretches(fact: Fact) -> tuple[tuple[int, int], ...]:
    return read_stretches(fact.value) if fact.kind == FactKind.PLAYED.value else ()


def _rounds(bodies: Iterable[_Held]) -> tuple[Round, ...]:
    asked = [body for body in bodies if isinstance(body, b.QuestionRound)]
    return tuple(
        Round(number=body.round, counts=body.counts)
        for body in sorted(asked, key=lambda body: body.round)
    )


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    """Drop what was said before; the last stays last."""
    return tuple(reversed(dict.fromkeys(reversed(list(values)))))
