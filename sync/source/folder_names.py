"""What the names of folders and files tell about lessons. Pure.

Invariants:
  N1  A folder says where its lessons stand only when its whole name is words of school: a
      lesson called like one of them and something more keeps its name.
  N2  A film or a recording never takes the role of a paper, nor a paper theirs: a light asks
      films and recordings whether they decode.
  N3  Names are shown in one line, whatever bytes they were made of.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from client.domain.catalogue import FileUse, Placement, Role
from client.service.paths import ASSETS
from client.service.school_words import load_subjects

LONGEST: Final = 200
_TEN: Final = 10
_JOINTS: Final = " -_.+&()"
_PAPER: Final = (Role.SLIDES, Role.TASK, Role.EXERCISE, Role.PLAN, Role.TEXTBOOK)
ROLES: Final[Mapping[FileUse, tuple[Role, ...]]] = {
    FileUse.VIDEO_FILE: (Role.VIDEO, Role.EXPERIMENT),
    FileUse.AUDIO: (Role.AUDIO,),
    FileUse.DOCUMENT: _PAPER,
    FileUse.IMAGE: _PAPER,
}
"""Roles a file may have, the usual one first (N2)."""

Natural = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What the folders on the way to some files tell."""

    place: Placement
    unit: str
    lesson: str
    """Name of the folder that is a lesson, empty when none is."""
    hint: str
    """Name of a folder below that which sorts by kind (`视频`), empty when none does."""


def shown(name: str) -> str:
    """Write a name in one line that can be kept and shown anywhere (N3)."""
    kept = "".join(" " if unicodedata.category(char) == "Cc" else char for char in name)
    whole = kept.encode("utf-8", "replace").decode("utf-8")
    return " ".join(whole.split())[:LONGEST]


def read_ways(ways: Sequence[str]) -> Ways:
    """Read the names of folders, outermost first. The outermost alone is never a lesson."""
    names: dict[str, str] = {}
    unit, lesson, hint = "", "", ""
    for at, raw in enumerate(ways):
        way = shown(raw)
        told = _places_in(way)
        if told:
            names.update(told)
            lesson = hint = ""
        elif any(word in way.lower() for word in _data().units):
            unit, lesson, hint = way, "", ""
        elif way.lower() in _data().kinds_of_folders:
            hint = way
        elif at:
            lesson, hint = way, ""
    return Ways(place=Placement(**names), unit=unit, lesson=lesson, hint=hint)


def role_of(use: FileUse, *names: str) -> Role:
    """Choose the role of a file by the first of its names that tells one it may have (N2)."""
    allowed = ROLES[use]
    for name in names:
        for role, words in _data().roles:
            if role in allowed and any(word in name.lower() for word in words):
                return role
    return allowed[0]


def bare(title: str) -> str:
    """Give the title of a file without the words that tell its role; all of it if none is left."""
    left = title
    for _, words in _data().roles:
        for word in words:
            left = re.sub(re.escape(word), " ", left, flags=re.IGNORECASE)
    return " ".join(left.split()).strip(_JOINTS) or title


def use_of(ext: str) -> FileUse | None:
    """Tell what a file is good for, None when its kind is not known."""
    return _data().uses.get(ext)


def is_office(ext: str) -> bool:
    """Tell whether a file is shown only as the PDF that is made of it."""
    return ext in _data().office


def natural(text: str) -> Natural:
    """Give a key that sorts numbers as numbers, in digits and in Chinese."""
    pieces: list[str | int] = [""]
    number: list[float] = []
    for char in text:
        value = unicodedata.numeric(char, -1.0)
        if value >= 0 and value == int(value):
            number.append(value)
            continue
        if number:
            pieces += [_number(number), ""]
            number = []
        pieces[-1] = f"{pieces[-1]}{char}"
    return (*pieces, _number(number), "") if number else tuple(pieces)


def _number(values: Iterable[float]) -> int:
    """Read digits (3, 1, 2) and ten, hundred as multipliers (2, 10, 1)."""
    total = here = 0
    for value in map(int, values):
        if value < _TEN:
            here = here * _TEN + value
        else:
            total, here = total + max(1, here) * value, 0
    return total + here


def _places_in(way: str) -> Mapping[str, str]:
    """Read a name that is nothing but words of school (N1)."""
    subject = load_subjects().find(way)
    if subject is not None:
        return {"subject": subject.name}
    found: dict[str, str] = {}
    left = way
    for word, kind, name in _data().places:
        if kind not in found and word in left:
            found[kind] = name
            left = left.replace(word, " ", 1)
    return {} if any(char.isalnum() for char in left) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    """The words of assets/roles.toml, places.toml, editions.toml and the subjects."""

    roles: tuple[tuple[Role, tuple[str, ...]], ...]
    uses: Mapping[str, FileUse]
    office: frozenset[str]
    units: tuple[str, ...]
    kinds_of_folders: frozenset[str]
    places: tuple[tuple[str, str, str], ...]
    """Word, what it names, and the name it stands for; longer words first."""


@cache
def _data() -> _Data:
    data = tomllib.loads((ASSETS / "roles.toml").read_text(encoding="utf-8"))
    roles = tuple((Role(row["role"]), tuple(row["words"])) for row in data["role"])
    uses = {"video": FileUse.VIDEO_FILE, "audio": FileUse.AUDIO}
    uses |= {"document": FileUse.DOCUMENT, "image": FileUse.IMAGE, "office": FileUse.DOCUMENT}
    words = {word for _, of_role in roles for word in of_role}
    return _Data(
        roles=roles,
        office=frozenset(data["kinds"]["office"]),
        uses={ext: uses[kind] for kind, exts in data["kinds"].items() for ext in exts},
        units=tuple(data["units"]["words"]),
        kinds_of_folders=frozenset(words | set(data["folders"]["words"])),
        places=tuple(sorted(_place_words(), key=lambda one: (-len(one[0]), one))),
    )


def _place_words() -> set[tuple[str, str, str]]:
    known = tomllib.loads((ASSETS / "places.toml").read_text(encoding="utf-8"))
    editions = tomllib.loads((ASSETS / "editions.toml").read_text(encoding="utf-8"))
    kinds = {"stage": "stages", "grade": "grades", "volume": "volumes"}
    words = {(word, kind, word) for kind, rows in kinds.items() for word in known[rows]}
    words |= {(word, "edition", word) for row in editions["subject"] for word in row["editions"]}
    for subject in load_subjects().all:
        names = (subject.name, *subject.aliases)
        words |= {(word, "subject", subject.name) for word in names if len(word) > 1}
    return words
