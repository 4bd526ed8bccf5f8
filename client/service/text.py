"""Sentences: message keys become words in the language of the room.

The English sentence of every key stands in `client/service/words/<area>.py`, its translation in
`assets/locale/<language>/<area>.po`. `packaging/compile_words.py` merges the areas of a language
into one catalogue, keyed by message key, which is all that is read when the program starts.

Invariants:
  T1  A key always gives a text: the translation, else the English sentence, else the key.
  T2  A missing or odd value never raises: its placeholder stays in the text.
  T3  Asking for words may be done from any thread.
"""

import gettext
import importlib
import pkgutil
import struct
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from client.domain.errors import ClassroomError
from client.domain.record.labels import Label

Sentence: TypeAlias = str | tuple[str, str]
"""One text, or the pair (one, many) of a text that counts."""

DEFAULT_LANGUAGE: Final = "zh_CN"
SOURCE_LANGUAGE: Final = "en"
LOCALE_DIR: Final = Path(__file__).resolve().parents[2] / "assets" / "locale"
DOMAIN: Final = "tongke"

_KB: Final = 1024


class _Values(dict[str, object]):
    """Values for placeholders; a missing one stays as it is written."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


class Words:
    """The words of one language. Cheap to make; holds no open file."""

    def __init__(self, language: str = DEFAULT_LANGUAGE, folder: Path = LOCALE_DIR) -> None:
        self.language = pick_language(language, folder)
        self._catalogue = _catalogue(self.language, folder)

    def __call__(self, key: str, /, **values: object) -> str:
        """Give the text of `key`, its placeholders filled with `values`."""
        text = self._translated(key)
        if text is None:
            source = english().get(key, key)
            text = source if isinstance(source, str) else source[1]
        return _fill(text, values)

    def plural(self, key: str, n: int, /, **values: object) -> str:
        """Give the text of `key` for `n` things; `{n}` is filled with it."""
        text = self._translated_plural(key, n)
        if text is None:
            source = english().get(key, key)
            text = source if isinstance(source, str) else source[0 if n == 1 else 1]
        return _fill(text, {"n": n, **values})

    def has(self, key: str) -> bool:
        """Tell whether there is a text for `key` in any language."""
        return self._translated(key) is not None or key in english()

    def error(self, error: ClassroomError) -> str:
        """Say what happened."""
        return self._of_code("error", error.code, error.values)

    def hint(self, error: ClassroomError) -> str:
        """Say what to do next, empty when there is nothing to say."""
        key = f"hint.{error.code}"
        return self._of_code("hint", error.code, error.values) if self.has(key) else ""

    def size(self, size_bytes: float) -> str:
        """Write an amount of bytes as people read it: `3 KB`, `82 MB`, `1.9 GB`."""
        if size_bytes < _KB * _KB:
            return f"{max(1, round(size_bytes / _KB)) if size_bytes > 0 else 0} KB"
        if size_bytes < _KB**3:
            return f"{round(size_bytes / _KB**2)} MB"
        return f"{size_bytes / _KB**3:.1f} GB"

    def clock(self, seconds: float) -> str:
        """Write a media time: `6:48`, `1:02:03`."""
        minutes, second = divmod(int(max(0.0, seconds)), 60)
        hours, minute = divmod(minutes, 60)
        return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"

    def length(self, seconds: float) -> str:
        """Write how long something is in spoken form: minutes and seconds."""
        minutes, second = divmod(round(max(0.0, seconds)), 60)
        if minutes and second:
            return self("length.minutes_seconds", minutes=minutes, seconds=second)
        if minutes:
            return self.plural("length.minutes", minutes)
        return self.plural("length.seconds", second)

    def date(self, label: Label, this_year: int | None = None) -> str:
        """Write a time as well as it is known; `this_year` goes without saying."""
        values = dict(label.values)
        if "part" in values:
            values["part"] = self(f"date.{values['part']}")
        if "year" in values:
            values["date"] = self(
                "date.short" if values["year"] == this_year else "date.long", **values
            )
        return self(f"date.{label.code}", **values)

    def _of_code(self, family: str, code: str, values: Mapping[str, object]) -> str:
        named = {name: value for name, value in values.items() if name.isidentifier()}
        return self(f"{family}.{code}", **named)

    def _translated(self, key: str) -> str | None:
        if self._catalogue is None:
            return None
        text = self._catalogue.gettext(key)
        return None if text == key else text

    def _translated_plural(self, key: str, n: int) -> str | None:
        if self._catalogue is None:
            return None
        text = self._catalogue.ngettext(key, key, n)
        return self._translated(key) if text == key else text


def languages(folder: Path = LOCALE_DIR) -> tuple[str, ...]:
    """List the languages that can be chosen: the default first, the source language last."""
    found = {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    others = sorted(found - {DEFAULT_LANGUAGE, SOURCE_LANGUAGE})
    return (DEFAULT_LANGUAGE, *others, SOURCE_LANGUAGE)


def pick_language(wanted: str, folder: Path = LOCALE_DIR) -> str:
    """Choose the language nearest to `wanted` (`zh-Hans`, `en_GB.UTF-8`, …)."""
    known = languages(folder)
    name = wanted.split(".", maxsplit=1)[0].replace("-", "_")
    if name in known:
        return name
    stem = name.split("_", maxsplit=1)[0].lower()
    return next((lang for lang in known if lang.split("_")[0].lower() == stem), DEFAULT_LANGUAGE)


@cache
def english() -> Mapping[str, Sentence]:
    """Collect the English sentences of all areas, by key."""
    merged: dict[str, Sentence] = {}
    for _, sentences in areas():
        merged.update(sentences)
    return merged


def areas() -> Iterator[tuple[str, Mapping[str, Sentence]]]:
    """Find the areas: every module of `client.service.words`, by name."""
    package = importlib.import_module("client.service.words")
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"client.service.words.{found.name}")
        yield found.name, module.WORDS


def _catalogue(language: str, folder: Path) -> gettext.NullTranslations | None:
    if language == SOURCE_LANGUAGE:
        return None
    path = folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    try:
        with path.open("rb") as file:
            return gettext.GNUTranslations(file)
    except (OSError, ValueError, struct.error):
        return None


def _fill(text: str, values: Mapping[str, object]) -> str:
    try:
        return text.format_map(_Values(values))
    except (ValueError, TypeError, IndexError, AttributeError):
        return text
