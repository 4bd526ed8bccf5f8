"""Names on a stick: readable on every system and television, and never a way out of it. Pure.

Invariants:
  P1  A name that is made here is allowed on FAT32, exFAT and NTFS: none of their forbidden
      characters, no device, no dot or blank at its ends, short enough, and it reads back as it was.
  P2  Names of one folder differ also where capitals and composed letters count for nothing.
  P3  A path that is taken from a stick leads into it: no `..`, root, drive, stream or device.
"""

import unicodedata
from typing import Final

LONGEST: Final = 48
"""Characters of a name. Six of them and a drive stay below what old systems open."""
MOST_DEPTH: Final = 8
_LONGEST_PATH: Final = 512
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
_PLAIN: Final = "_"
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"}
)
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain_name(text: str) -> str:
    """Make a name of any text (P1)."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if _is_odd(char) else char for char in composed)
    name = _trimmed(_cut(" ".join(kept.split())))
    if not name or name.partition(".")[0].strip().lower() in _DEVICES:
        name = _PLAIN + name
    return name


def file_name(text: str, ext: str) -> str:
    """Make the name of a file; `ext` begins with a dot and is plain."""
    return plain_name(text) + ext


class Names:
    """The names that are taken in one folder (P2)."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, text: str, ext: str = "") -> str:
        """Make a name that no other has yet."""
        number = 1
        while (key := same(name := file_name(_numbered(text, number), ext))) in self._taken:
            number += 1
        self._taken.add(key)
        return name


def same(name: str) -> str:
    """Give what two names have in common that a stick takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def steps_of(path: str) -> tuple[str, ...] | None:
    """Take a path apart that was found on a stick; None if it is no way into it (P3)."""
    steps = tuple(path.split("/"))
    if len(path) > _LONGEST_PATH or len(steps) > MOST_DEPTH:
        return None
    return steps if all(map(_is_step, steps)) else None


def _is_step(name: str) -> bool:
    is_plain = bool(name) and not any(map(_is_odd, name)) and name == _trimmed(name)
    return is_plain and name.partition(".")[0].strip().lower() not in _DEVICES


def _is_odd(char: str) -> bool:
    return char in _FORBIDDEN or unicodedata.category(char) in _UNSEEN


def _trimmed(name: str) -> str:
    return name.strip(" .")


def _cut(name: str) -> str:
    """Shorten a name, not between a letter and its accent."""
    if len(name) <= LONGEST:
        return name
    end = LONGEST
    while end and unicodedata.combining(name[end]):
        end -= 1
    return name[:end]


def _numbered(text: str, number: int) -> str:
    if number == 1:
        return text
    tail = f" ({number})"
    return plain_name(text)[: LONGEST - len(tail)] + tail
