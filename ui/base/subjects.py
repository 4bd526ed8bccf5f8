"""How subjects look and what they are called here; the list itself is the school's.

A subject that nobody listed has the role `other` and its own name.
"""

from functools import cache

from client.domain.subjects import Subject, Subjects
from client.service.school_words import load_subjects
from client.service.text import SOURCE_LANGUAGE


class SubjectLook:
    """Colour role and short name of a subject, found by any of its words."""

    def __init__(self, language: str) -> None:
        self._is_english = language == SOURCE_LANGUAGE
        self._subjects = _listed()

    @property
    def all(self) -> tuple[Subject, ...]:
        """All subjects in school order."""
        return self._subjects.all

    def find(self, word: str) -> Subject | None:
        """Find a subject by one of its words."""
        return self._subjects.find(word)

    def tone(self, subject: str) -> str:
        """Give the theme token of `subject`, for `Theme.color` and the `tone` of labels."""
        found = self._subjects.find(subject)
        return f"subject:{found.role if found is not None else 'other'}"

    def short(self, subject: str) -> str:
        """Give the name for narrow places, in English where the app speaks English."""
        found = self._subjects.find(subject)
        if found is None:
            return subject
        return found.english if self._is_english else found.short

    def full(self, subject: str) -> str:
        """Give the whole name, in English where the app speaks English."""
        found = self._subjects.find(subject)
        if found is None:
            return subject
        return found.english if self._is_english else found.name


@cache
def _listed() -> Subjects:
    return load_subjects()
