"""Pupils of a class, and lists of names as schools keep them.

Only the roster's own modules may know this one (pyproject.toml): a name never comes near the log
or the network.

Invariants:
  RO1  A list is taken whole or refused whole; text of any shape gives one or the other.
  RO2  What is raised here holds rows and counts, never a name; no value shows one in its `repr`.
  RO3  Through a new list a pupil whose name it holds keeps the local id, and so the marks; who is
       not in it stays, as absent.
  RO4  Names that stand twice are two pupils, and their places are told.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NewType

from client.domain.errors import UserError
from client.domain.ids import ClassId
from client.domain.timetable_paste import fold

PupilId = NewType("PupilId", str)
"""Random, 16 hex digits, of this machine only."""

MOST_PUPILS: Final = 200
LONGEST_NAME: Final = 60
_MOST_CHARACTERS: Final = 1 << 20
_MOST_ROWS: Final = 1000
_MOST_NUMBER: Final = 999
"""A number above is no place in a class but one of the school's own."""
_LONGEST_NUMBER: Final = 20
_TITLE_ROWS: Final = 5
"""A head may stand below so many rows of titles."""
_LONGEST_VALUE: Final = 200
_LONGEST_DAY: Final = 40
_NUMBERED: Final = re.compile(r"(\d{1,4})[\s.、)）:：]+(\S.*)")
_UNSEEN: Final = "\ufeff\u200b"


class MarkKind(Enum):
    """What a mark of a pupil is about."""

    ATTENDANCE = "attendance"
    ANSWER = "answer"
    SCORE = "score"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """One pupil of a class."""

    id: PupilId
    position: int
    """The pupil's number in the class, from 1."""
    name: str = field(repr=False)
    is_present: bool = True
    """Still in the class; who left is kept for the marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something noted of one pupil on a day, in the words it was given."""

    class_id: ClassId
    pupil: PupilId
    kind: MarkKind
    value: str = field(repr=False)
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWords:
    """The words that head the columns of a list (assets/roster.toml), folded."""

    names: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """A list that was read: positions and names in order."""

    rows: tuple[tuple[int, str], ...] = field(repr=False)

    @property
    def duplicates(self) -> tuple[tuple[int, ...], ...]:
        """Positions of names that stand more than once (RO4)."""
        places: dict[str, list[int]] = {}
        for position, name in self.rows:
            places.setdefault(name, []).append(position)
        return tuple(tuple(found) for found in places.values() if len(found) > 1)


# --- reading a list ----------------------------------------------------------------------


def decode_list(data: bytes) -> str:
    """Turn the bytes of a list into text: UTF-8, UTF-16 with its mark, else GB 18030.

    Raises:
        UserError: `roster_spreadsheet` (XLSX or XLS), `roster_unreadable`.
    """
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UserError("roster_spreadsheet")
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UserError("roster_unreadable")


def parse_names(text: str, words: ListWords) -> NameList:
    """Read a list: one name a line, a number before it, or a table with a head. Pure.

    Raises:
        UserError: `roster_empty`, `roster_too_many`, `roster_columns`, `roster_name_long`,
            `roster_unreadable`.
    """
    if len(text) > _MOST_CHARACTERS:
        raise UserError("roster_too_many", {"limit": MOST_PUPILS})
    entries = [(number, clean_name(name)) for number, name in _entries(_rows(text), words)]
    entries = [(number, name) for number, name in entries if name]
    if not entries:
        raise UserError("roster_empty")
    if len(entries) > MOST_PUPILS:
        raise UserError("roster_too_many", {"limit": MOST_PUPILS})
    for row, (_, name) in enumerate(entries, 1):
        if not _is_name(name):
            raise UserError("roster_columns")
        if len(name) > LONGEST_NAME:
            raise UserError("roster_name_long", {"row": row, "limit": LONGEST_NAME})
    numbers = [number for number, _ in entries]
    if len(set(numbers)) < len(numbers) or not all(0 < n <= _MOST_NUMBER for n in numbers):
        numbers = list(range(1, len(entries) + 1))
    names = (name for _, name in entries)
    return NameList(rows=tuple(sorted(zip(numbers, names, strict=True))))


def clean_name(text: str) -> str:
    """Give a name without control signs, and without the blanks that only align it."""
    seen = (sign for sign in text if sign not in _UNSEEN)
    words = "".join(
        sign for sign in seen if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cs"}
    ).split()
    name = ""
    for word in words:
        is_aligned = bool(name) and _is_han(name[-1]) and _is_han(word[0])
        name += word if is_aligned or not name else f" {word}"
    return name


def _is_name(text: str) -> bool:
    """Tell a name from numbers, dashes and what a lost encoding leaves."""
    return any(sign.isalpha() for sign in text)


def _is_han(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("CJK")


def _rows(text: str) -> list[tuple[str, ...]]:
    """Split a text into rows of cells; rows without any text are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    rows = []
    try:
        for row in csv.reader(io.StringIO(lines), delimiter="\t" if "\t" in lines else ","):
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                rows.append(cells)
            if len(rows) > _MOST_ROWS:
                raise UserError("roster_too_many", {"limit": MOST_PUPILS})
    except csv.Error as error:
        raise UserError("roster_unreadable") from error
    return rows


def _entries(rows: Sequence[tuple[str, ...]], words: ListWords) -> list[tuple[int, str]]:
    """Find number and name of each row; 0 stands for no number."""
    for at, row in enumerate(rows[:_TITLE_ROWS]):
        heads = [fold(cell) for cell in row]
        name = _first(heads, words.names)
        if name is not None:
            number = _first(heads, words.numbers)
            return [(_number(_cell(one, number)), _cell(one, name)) for one in rows[at + 1 :]]
    used = sorted({at for row in rows for at, cell in enumerate(row) if cell})
    match used:
        case [] | [_]:
            return [_numbered(_cell(row, used[0])) for row in rows]
        case [first, second] if all(_number(_cell(row, first)) for row in rows):
            return [(_number(_cell(row, first)), _cell(row, second)) for row in rows]
        case _:
            raise UserError("roster_columns")


def _first(heads: Sequence[str], wanted: frozenset[str]) -> int | None:
    return next((at for at, head in enumerate(heads) if head in wanted), None)


def _cell(row: tuple[str, ...], at: int | None) -> str:
    return row[at] if at is not None and at < len(row) else ""


def _numbered(text: str) -> tuple[int, str]:
    found = _NUMBERED.fullmatch(text)
    return (int(found[1]), found[2]) if found is not None else (0, text)


def _number(cell: str) -> int:
    word = fold(cell)
    return int(word) if word.isdecimal() and len(word) <= _LONGEST_NUMBER else 0


# --- changing a class --------------------------------------------------------------------


def in_order(pupils: Sequence[Pupil]) -> tuple[Pupil, ...]:
    """Sort a class by number, those who left last."""
    return tuple(sorted(pupils, key=lambda p: (not p.is_present, p.position, p.id)))


def relisted(
    pupils: Sequence[Pupil], names: NameList, new_id: Callable[[], PupilId]
) -> tuple[Pupil, ...]:
    """Make the class what a list says (RO3)."""
    known: dict[str, list[Pupil]] = {}
    for pupil in in_order(pupils):
        known.setdefault(pupil.name, []).append(pupil)
    listed = []
    for position, name in names.rows:
        same = known.get(name)
        pupil = same.pop(0) if same else Pupil(id=new_id(), position=position, name=name)
        listed.append(replace(pupil, position=position, is_present=True))
    left = [replace(pupil, is_present=False) for same in known.values() for pupil in same]
    return in_order((*listed, *left))


def added(pupils: Sequence[Pupil], name: str, new_id: PupilId) -> tuple[Pupil, ...]:
    """Put a new pupil at the end.

    Raises:
        UserError: `name_empty`, `roster_name_long`, `roster_too_many`.
    """
    here = [pupil.position for pupil in pupils if pupil.is_present]
    new = Pupil(id=new_id, position=max(here, default=0) + 1, name=_checked(name))
    return _limited((*pupils, new))


def renamed(pupils: Sequence[Pupil], who: PupilId, name: str) -> tuple[Pupil, ...]:
    """Change a name.

    Raises:
        UserError: `pupil_unknown`, `name_empty`, `roster_name_long`.
    """
    return _with(pupils, replace(_find(pupils, who), name=_checked(name)))


def moved(pupils: Sequence[Pupil], who: PupilId, *, is_present: bool) -> tuple[Pupil, ...]:
    """Let a pupil leave the class, or come back.

    Raises:
        UserError: `pupil_unknown`, `roster_too_many`.
    """
    return _limited(_with(pupils, replace(_find(pupils, who), is_present=is_present)))


def reordered(pupils: Sequence[Pupil], order: Sequence[PupilId]) -> tuple[Pupil, ...]:
    """Give the pupils who are present their numbers anew.

    Raises:
        UserError: `roster_order`: `order` does not hold each of them once.
    """
    if sorted(order) != sorted(pupil.id for pupil in pupils if pupil.is_present):
        raise UserError("roster_order")
    return tuple(
        replace(pupil, position=order.index(pupil.id) + 1) if pupil.is_present else pupil
        for pupil in pupils
    )


def checked_mark(mark: Mark) -> Mark:
    """Give a mark without blanks around its texts.

    Raises:
        UserError: `value_does_not_fit`.
    """
    value, day = mark.value.strip(), mark.day.strip()
    if not 0 < len(value) <= _LONGEST_VALUE or not 0 < len(day) <= _LONGEST_DAY:
        raise UserError("value_does_not_fit")
    return replace(mark, value=value, day=day)


def _checked(name: str) -> str:
    clean = clean_name(name)
    if not _is_name(clean):
        raise UserError("name_empty")
    if len(clean) > LONGEST_NAME:
        raise UserError("roster_name_long", {"row": 1, "limit": LONGEST_NAME})
    return clean


def _limited(pupils: tuple[Pupil, ...]) -> tuple[Pupil, ...]:
    if sum(pupil.is_present for pupil in pupils) > MOST_PUPILS:
        raise UserError("roster_too_many", {"limit": MOST_PUPILS})
    return pupils


def _find(pupils: Sequence[Pupil], who: PupilId) -> Pupil:
    for pupil in pupils:
        if pupil.id == who:
            return pupil
    raise UserError("pupil_unknown")


def _with(pupils: Sequence[Pupil], changed: Pupil) -> tuple[Pupil, ...]:
    return tuple(changed if pupil.id == changed.id else pupil for pupil in pupils)
