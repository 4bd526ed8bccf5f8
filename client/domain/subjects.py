"""School subjects: their names, their other spellings, their colour role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject. `role` names its colour, `english` is shown where the app speaks English."""

    name: str
    short: str
    role: str
    english: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """All subjects, in school order."""

    all: tuple[Subject, ...]
    _by_word: Mapping[str, Subject] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the words; the first subject that has a word keeps it."""
        index: dict[str, Subject] = {}
        for subject in self.all:
            for word in (subject.name, subject.short, subject.english, *subject.aliases):
                index.setdefault(word.casefold(), subject)
        object.__setattr__(self, "_by_word", MappingProxyType(index))

    def find(self, word: str) -> Subject | None:
        """Find a subject by any of its words, None when nobody calls one so."""
        return self._by_word.get(word.strip().casefold())
