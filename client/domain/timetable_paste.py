"""A week's timetable as schools keep it in a spreadsheet, read into slots.

A table has a row that names days (perhaps twice or thrice, one block for each class), a column
that names periods, and subjects in the cells. The class stands in a column of its own, above
the block, in the row under the days, or is the only one of the room.

Invariants:
  TP1  Nothing is guessed: a word that is not known exactly becomes a problem with its place,
       and no slot.
  TP2  Text of any shape gives an answer; the parser never raises.
  TP3  Each slot stands once: the first cell wins, a second one that differs is a problem.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from client.domain.ids import ClassId
from client.domain.subjects import Subjects
from client.domain.timetable import (
    DEFAULT_BELLS,
    Bell,
    ClassGroup,
    Slot,
    SlotKey,
    TeachingMode,
    Weeks,
)

_MAX_ROWS: Final = 400
_MAX_COLUMNS: Final = 80
_MAX_CELL: Final = 200
_MAX_PERIOD: Final = 20
_NOON: Final = 12 * 60
_DAYS_NEEDED: Final = 2
"""So many cells of a row must be days before the row counts as a head."""
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?:\D.*)?")
_NUMBER: Final = re.compile(r"\d{1,2}")
_BRACKETS: Final = re.compile(r"^(.*?)\(([^()]*)\)(.*)$", re.DOTALL)


class Trouble(Enum):
    """Why a part of the table was not taken."""

    NO_DAYS = "no_days"
    """No row names days."""
    CLASS_UNKNOWN = "class_unknown"
    """It is not clear which class of this room a row belongs to."""
    PERIOD_UNKNOWN = "period_unknown"
    SUBJECT_UNKNOWN = "subject_unknown"
    TWICE = "twice"
    """Another cell says something else for the same class, day and period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteProblem:
    """What was not taken. `row` and `column` count from 1; `text` is the cell."""

    trouble: Trouble
    row: int
    column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTimetable:
    """Slots in the order of the week, and what was left out."""

    slots: tuple[Slot, ...]
    problems: tuple[PasteProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteWords:
    """The words of timetables (assets/timetable.toml), folded."""

    days: Mapping[str, int]
    forms: tuple[str, ...]
    afternoon: tuple[str, ...]
    class_endings: tuple[str, ...]
    modes: Mapping[str, TeachingMode]
    weeks: Mapping[str, Weeks]
    joint: frozenset[str]
    no_period: frozenset[str]
    free: frozenset[str]
    corner: frozenset[str]


def decode_table(data: bytes) -> str:
    """Turn the bytes of a file into text: UTF-8, UTF-16 with its mark, else GB 18030."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def fold(text: str) -> str:
    """Fold widths, blanks and case, so that spellings of one word are equal."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def parse_timetable(
    text: str,
    classes: Sequence[ClassGroup],
    subjects: Subjects,
    words: PasteWords,
    bells: Sequence[Bell] = DEFAULT_BELLS,
) -> ParsedTimetable:
    """Read a pasted table. Pure; see the module's docstring for the forms it knows."""
    table = _Table(rows=tuple(_cells(text)), classes=classes, words=words, bells=bells)
    return _Reader(table, subjects).read()


def _cells(text: str) -> Iterator[tuple[str, ...]]:
    delimiter = "\t" if "\t" in text else ","
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter)):
            if number >= _MAX_ROWS:
                return
            yield tuple(cell[:_MAX_CELL].strip() for cell in row[:_MAX_COLUMNS])
    except csv.Error:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """What one column under a head means."""

    at: int
    day: int
    class_id: ClassId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A head with the rows under it."""

    columns: tuple[_Column, ...]
    first: int
    end: int
    class_id: ClassId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The cells, and how single words of them are understood."""

    rows: tuple[tuple[str, ...], ...]
    classes: Sequence[ClassGroup]
    words: PasteWords
    bells: Sequence[Bell]

    def day(self, cell: str) -> int | None:
        """Read a day."""
        return self.words.days.get(fold(cell))

    def class_of(self, cell: str) -> ClassId | None:
        """Read a class: its name, or its grade where only one class has it."""
        word = fold(cell)
        if not word or _number(word) is not None or word in self.words.days:
            return None
        named = [group.id for group in self.classes if fold(group.name) in self._bare(word)]
        if named:
            return named[0] if len(named) == 1 else None
        graded = [
            group.id
            for group in self.classes
            if any(_number(one) == group.grade for one in self._bare(word))
        ]
        return graded[0] if len(graded) == 1 else None

    def _bare(self, word: str) -> set[str]:
        """Take the endings of class names off, one after the other."""
        found = {word}
        for _ in range(2):
            found |= {
                one.removesuffix(ending)
                for one in found
                for ending in self.words.class_endings
                if one.endswith(ending) and one != ending
            }
        return found

    def period(self, cell: str) -> int | None:
        """Read a period: a number in any form, or the time of a bell."""
        word = fold(cell)
        match = _TIME.fullmatch(word)
        if match is not None:
            begins = int(match[1]) * 60 + int(match[2])
            return next((bell.period for bell in self.bells if bell.begins == begins), None)
        before_noon = sum(1 for bell in self.bells if bell.begins < _NOON)
        for forms, offset in ((self.words.forms, 0), (self.words.afternoon, before_noon)):
            for form in forms:
                number = _between(word, form)
                if number is not None and 0 < number + offset <= _MAX_PERIOD:
                    return number + offset
        return None


@dataclass(slots=True)
class _Reader:
    """Walks over the table and collects."""

    table: _Table
    subjects: Subjects
    slots: dict[SlotKey, Slot] = field(default_factory=dict)
    problems: list[PasteProblem] = field(default_factory=list)

    def read(self) -> ParsedTimetable:
        """Read all blocks."""
        blocks = tuple(_blocks(self.table))
        if not blocks:
            self._problem(Trouble.NO_DAYS, 0, 0, "")
        for block in blocks:
            self._block(block)
        return ParsedTimetable(
            slots=tuple(self.slots[key] for key in sorted(self.slots)),
            problems=tuple(self.problems),
        )

    def _block(self, block: _Block) -> None:
        first_day = min(column.at for column in block.columns)
        period, class_id = None, block.class_id
        for number in range(block.first, block.end):
            row = self.table.rows[number]
            labels = row[:first_day]
            found = self._period(labels)
            if not any(row[first_day:]) or (found is None and self._is_pause(labels)):
                continue
            # A merged label stands in its first row only; another word begins something new.
            others = [label for label in labels if label and self.table.class_of(label) is None]
            period = found if found is not None or others else period
            class_id = self._class(labels) or class_id
            self._row(block, number, period, class_id)

    def _is_pause(self, labels: Sequence[str]) -> bool:
        return any(fold(label) in self.table.words.no_period for label in labels)

    def _period(self, labels: Sequence[str]) -> int | None:
        found = [self.table.period(label) for label in labels if self.table.class_of(label) is None]
        return next((one for one in reversed(found) if one is not None), None)

    def _class(self, labels: Sequence[str]) -> ClassId | None:
        return next(
            (one for label in labels if (one := self.table.class_of(label)) is not None), None
        )

    def _row(
        self, block: _Block, number: int, period: int | None, class_id: ClassId | None
    ) -> None:
        row = self.table.rows[number]
        for column in block.columns:
            cell = row[column.at] if column.at < len(row) else ""
            if fold(cell) in self.table.words.free:
                continue
            if period is None:
                self._problem(Trouble.PERIOD_UNKNOWN, number, 0, row[0])
                return
            self._cell(number, column, column.class_id or class_id, period)

    def _cell(self, number: int, column: _Column, class_id: ClassId | None, period: int) -> None:
        cell = self.table.rows[number][column.at]
        meaning = _meaning(cell, self.subjects, self.table.words)
        if meaning is None:
            self._problem(Trouble.SUBJECT_UNKNOWN, number, column.at, cell)
            return
        if class_id is None and not meaning.is_joint:
            self._problem(Trouble.CLASS_UNKNOWN, number, column.at, cell)
            return
        everyone = tuple(group.id for group in self.table.classes)
        for one in everyone if meaning.is_joint or class_id is None else (class_id,):
            key = SlotKey(day=column.day, period=period, class_id=one)
            slot = Slot(key=key, subject=meaning.subject, mode=meaning.mode, weeks=meaning.weeks)
            if self.slots.setdefault(key, slot) != slot:
                self._problem(Trouble.TWICE, number, column.at, cell)

    def _problem(self, trouble: Trouble, row: int, column: int, text: str) -> None:
        self.problems.append(
            PasteProblem(trouble=trouble, row=row + 1, column=column + 1, text=text)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    subject: str
    mode: TeachingMode = TeachingMode.OWN
    weeks: Weeks = Weeks.EVERY
    is_joint: bool = False


def _meaning(cell: str, subjects: Subjects, words: PasteWords) -> _Meaning | None:
    """Understand a cell: a subject, with remarks in brackets."""
    rest, remarks = fold(cell), []
    while (match := _BRACKETS.match(rest)) is not None:
        remarks.append(match[2])
        rest = match[1] + match[3]
    subject = subjects.find(rest)
    if subject is None:
        return None
    mode, weeks, is_joint = TeachingMode.OWN, Weeks.EVERY, False
    for remark in remarks:
        if remark in words.modes:
            mode = words.modes[remark]
        elif remark in words.weeks:
            weeks = words.weeks[remark]
        elif remark in words.joint:
            is_joint = True
        else:
            return None
    return _Meaning(subject=subject.name, mode=mode, weeks=weeks, is_joint=is_joint)


def _blocks(table: _Table) -> Iterator[_Block]:
    heads = [number for number in range(len(table.rows)) if _is_head(table, number)]
    ends = [*heads[1:], len(table.rows)] if heads else []
    for head, end in zip(heads, ends, strict=True):
        columns, first = _columns(table, head)
        yield _Block(
            columns=columns,
            first=first,
            end=end,
            class_id=_block_class(table, head, min(column.at for column in columns)),
        )


def _is_head(table: _Table, number: int) -> bool:
    days = [day for cell in table.rows[number] if (day := table.day(cell)) is not None]
    return len(set(days)) >= _DAYS_NEEDED


def _columns(table: _Table, head: int) -> tuple[tuple[_Column, ...], int]:
    """Find which column is which day, and of which class if the next row says so."""
    row = table.rows[head]
    under = table.rows[head + 1] if head + 1 < len(table.rows) else ()
    days = {at: day for at, cell in enumerate(row) if (day := table.day(cell)) is not None}
    first_day = min(days)
    by_class = {
        at: found
        for at, cell in enumerate(under)
        if at >= first_day and (found := table.class_of(cell)) is not None
    }
    if not by_class:
        plain = tuple(_Column(at=at, day=day, class_id=None) for at, day in days.items())
        return plain, head + 1
    columns = []
    for at, class_id in by_class.items():
        before = [start for start in days if start <= at]
        columns.append(_Column(at=at, day=days[max(before)], class_id=class_id))
    return tuple(columns), head + 2


def _block_class(table: _Table, head: int, first_day: int) -> ClassId | None:
    """Find the class of a block: in its corner, above it, or the only one there is."""
    corner = [cell for cell in table.rows[head][:first_day] if not _is_corner(table, cell)]
    above = _title_above(table, head)
    for cell in (*corner, *above):
        found = table.class_of(cell)
        if found is not None:
            return found
    return table.classes[0].id if len(table.classes) == 1 else None


def _title_above(table: _Table, head: int) -> tuple[str, ...]:
    """Return the words of the nearest row above a head that has few of them."""
    for number in range(head - 1, max(-1, head - 3), -1):
        filled = [cell for cell in table.rows[number] if cell]
        if len(filled) == 1:
            return tuple(filled)
        if filled:
            return ()
    return ()


def _is_corner(table: _Table, cell: str) -> bool:
    return fold(cell) in table.words.corner


def _between(word: str, form: str) -> int | None:
    before, _, after = form.partition("{n}")
    if not word.startswith(before) or not word.endswith(after):
        return None
    return _number(word[len(before) : len(word) - len(after)])


def _number(word: str) -> int | None:
    """Read a whole number in Arabic or Chinese figures up to 99."""
    if _NUMBER.fullmatch(word):
        return int(word)
    values = [int(unicodedata.numeric(sign, -1)) for sign in word]
    match values:
        case [one] if one >= 0:
            return one
        case [10, unit] if 0 < unit < 10:  # noqa: PLR2004 - decimal figures
            return 10 + unit
        case _:
            return None
