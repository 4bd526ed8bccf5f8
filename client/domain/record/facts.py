"""Facts as people read them: one line each, out of the fold.

Invariants:
  A1  A date is given as well as it is known (`client.domain.record.dates`), or not at all.
  A2  Lines stand in rank order, whatever order the events came in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

from client.domain.errors import UserError
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.bodies import Ended
from client.domain.record.dates import Dated, Dates, Quality
from client.domain.record.fold import Entry, Fold, seconds, union
from client.domain.record.values import NO_SITTING, write_counts, write_stretches


class FactKind(Enum):
    """Kinds of lines; the first five may be added by hand."""

    HEADCOUNT = "headcount"
    NOTE = "note"
    ANSWER = "answer"
    OPENED = "opened"
    PLAYED = "played"
    CUE = "cue"
    UNDERSTOOD = "understood"
    TAUGHT_BY = "taught_by"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of the fold."""

    id: str
    kind: str
    class_id: ClassId
    lesson: LessonId | None
    when: Dated
    value: str

    @property
    def at(self) -> str:
        """The likeliest moment as ISO 8601 in UTC, empty where nobody knows it."""
        return iso(self.when)

    @property
    def at_quality(self) -> str:
        """See `Quality`: `exact`, `clock`, `day`, `about` or `unknown`."""
        return self.when.quality.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingRow:
    """One sitting: for 今天, coverage and reports. `how` is None while it has no end."""

    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    day: int
    period: int
    lesson_period: int
    opened: Dated
    how: Ended | None
    screen_s: int


_Where: TypeAlias = tuple[tuple[ClassId, ...], LessonId | None]
_Opened: TypeAlias = Mapping[SittingId, _Where]
_Line: TypeAlias = tuple[Entry, FactKind, _Where, str]


def fact_rows(fold: Fold, since: str | None = None, dates: Dates | None = None) -> tuple[Fact, ...]:
    """List the fold, oldest first.

    Args:
        fold: What to list.
        since: ISO date or time; what may have been later, or at any time, is listed as well.
        dates: Times of its events; None repairs them from what is listed, without anchors.

    Raises:
        UserError: `since_unreadable`.
    """
    limit = None if since is None else _moment(since).timestamp() * 1000
    lines = sorted(_lines(fold), key=lambda line: line[0].rank)
    dates = dates or Dates(entry.event for entry, *_ in lines)
    rows = (row for line in lines for row in _rows(line, dates.of(line[0].event)))
    return tuple(row for row in rows if limit is None or _last_ms(row.when) >= limit)


def sitting_rows(fold: Fold, dates: Dates) -> tuple[SittingRow, ...]:
    """List the sittings of a fold, oldest first."""
    ends = {body.sitting: body for body in fold.shown_of(b.SittingEnded)}
    rows = []
    for entry, body in fold.facts_of(b.SittingOpened):
        if body.sitting == NO_SITTING:
            continue
        end = ends.get(body.sitting)
        rows.append(
            SittingRow(
                sitting=body.sitting,
                class_ids=body.class_ids,
                lesson=body.lesson,
                day=body.day,
                period=body.period,
                lesson_period=body.lesson_period,
                opened=dates.of(entry.event),
                how=None if end is None else end.how,
                screen_s=0 if end is None else end.screen_s,
            )
        )
    return tuple(rows)


def _lines(fold: Fold) -> Iterator[_Line]:
    opened = {
        body.sitting: (body.class_ids, body.lesson) for _, body in fold.facts_of(b.SittingOpened)
    }
    yield from _fact_lines(fold, opened)
    yield from _played_lines(fold)
    yield from _register_lines(fold, opened)


def _fact_lines(fold: Fold, opened: _Opened) -> Iterator[_Line]:
    for entry, begin in fold.facts_of(b.SittingOpened):
        yield entry, FactKind.OPENED, (begin.class_ids, begin.lesson), ""
    for entry, cue in fold.facts_of(b.CueReached):
        yield entry, FactKind.CUE, _where(opened, cue.sitting), str(cue.ordinal)
    for entry, asked in fold.facts_of(b.QuestionRound):
        where = (asked.class_ids, asked.lesson)
        yield entry, FactKind.ANSWER, where, write_counts(asked.counts)
    for entry, count in fold.facts_of(b.HeadcountTaken):
        yield entry, FactKind.HEADCOUNT, ((count.class_id,), count.lesson), str(count.count)


def _played_lines(fold: Fold) -> Iterator[_Line]:
    """Join what was played per sitting, classes and lesson; the first event names the line."""
    first: dict[tuple[SittingId, _Where], Entry] = {}
    joined: dict[tuple[SittingId, _Where], list[tuple[int, int]]] = {}
    for entry, body in fold.facts_of(b.Played):
        key = body.sitting, (body.class_ids, body.lesson)
        first.setdefault(key, entry)
        joined.setdefault(key, []).extend(body.stretches)
    for key, entry in first.items():
        yield entry, FactKind.PLAYED, key[1], write_stretches(union(joined[key]))


def _register_lines(fold: Fold, opened: _Opened) -> Iterator[_Line]:
    for entry, note in fold.writes_of(b.NoteWritten):
        if note.text:
            yield entry, FactKind.NOTE, (note.class_ids, note.lesson), note.text
    for entry, level in fold.writes_of(b.UnderstoodWritten):
        if level.level is not b.Understood.UNSAID:
            where = ((level.class_id,), _where(opened, level.sitting)[1])
            yield entry, FactKind.UNDERSTOOD, where, level.level.value
    for entry, taught in fold.writes_of(b.TaughtByWritten):
        yield entry, FactKind.TAUGHT_BY, _where(opened, taught.sitting), taught.who.value
    for entry, end in fold.writes_of(b.SittingEnded):
        yield entry, FactKind.ENDED, _where(opened, end.sitting), end.how.value


def _where(opened: _Opened, sitting: SittingId) -> _Where:
    return opened.get(sitting, ((), None))


def _rows(line: _Line, when: Dated) -> Iterator[Fact]:
    entry, kind, (classes, lesson), value = line
    for number, class_id in enumerate(classes or (ClassId(""),)):
        name = entry.id.hex()
        yield Fact(
            id=f"{name}/{class_id}" if number else name,
            kind=kind.value,
            class_id=class_id,
            lesson=lesson,
            when=when,
            value=value,
        )


def iso(when: Dated) -> str:
    """Write the likeliest moment as ISO 8601 in UTC, to the second; empty where nobody knows it."""
    if when.quality is Quality.UNKNOWN:
        return ""
    return datetime.fromtimestamp(round(when.middle_ms / 1000), UTC).isoformat()


def _last_ms(when: Dated) -> int:
    return when.middle_ms if when.is_sure else when.latest_ms


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError("since_unreadable", {"text": text}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def played_seconds(fold: Fold, class_id: ClassId, lesson: LessonId) -> int:
    """Count the seconds of a lesson that a class saw at least once."""
    return seconds(
        stretch
        for _, body in fold.facts_of(b.Played)
        if class_id in body.class_ids and body.lesson == lesson
        for stretch in body.stretches
    )
