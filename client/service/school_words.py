"""Words of schools that are data: subjects and the spellings of timetables, from `assets`."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from client.domain.subjects import Subject, Subjects
from client.domain.timetable import TeachingMode, Weeks
from client.domain.timetable_paste import PasteWords, fold

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"


@cache
def load_subjects(path: Path = ASSETS / "subjects.toml") -> Subjects:
    """Read the subjects, in school order. Kept: the file does not change while running."""
    return Subjects(
        all=tuple(
            Subject(
                name=entry["name"],
                short=entry["short"],
                role=entry["role"],
                english=entry["english"],
                aliases=tuple(entry["aliases"]),
            )
            for entry in _read(path)["subject"]
        )
    )


@cache
def load_paste_words(path: Path = ASSETS / "timetable.toml") -> PasteWords:
    """Read the words of timetables. Kept: the file does not change while running."""
    data = _read(path)
    slot: Mapping[str, Iterable[str]] = data["slot"]
    return PasteWords(
        days={
            fold(word): int(day) for day, spellings in data["days"].items() for word in spellings
        },
        forms=_folded(data["period"]["forms"]),
        afternoon=_folded(data["period"]["afternoon"]),
        class_endings=_folded(data["class"]["endings"]),
        modes={
            word: mode
            for mode in (TeachingMode.DELIVERY, TeachingMode.MASTER, TeachingMode.PARTNER)
            for word in _folded(slot[mode.value])
        },
        weeks={
            word: weeks for weeks in (Weeks.ODD, Weeks.EVEN) for word in _folded(slot[weeks.value])
        },
        joint=frozenset(_folded(slot["joint"])),
        no_period=frozenset(_folded(data["ignore"]["period"])),
        free=frozenset(_folded(data["ignore"]["cell"])),
        corner=frozenset(_folded(data["ignore"]["corner"])),
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _folded(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold(word) for word in words)
