"""Colour roles and short names of school subjects, from `assets/subjects.toml`.

A subject that is not in the file has the role `other` and its own name.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[2] / "assets" / "subjects.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Looked up by canonical name, short name or alias."""

    roles: Mapping[str, str]
    shorts: Mapping[str, str]
    names: tuple[str, ...]
    """Canonical names in school order."""

    @classmethod
    def load(cls, path: Path = FILE) -> "Subjects":
        """Read the file; an absent file knows no subject."""
        if not path.exists():
            return cls(roles={}, shorts={}, names=())
        roles: dict[str, str] = {}
        shorts: dict[str, str] = {}
        names: list[str] = []
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("subject", ()):
            name = str(entry["name"])
            names.append(name)
            short = str(entry.get("short", name))
            for known in (name, short, *map(str, entry.get("aliases", ()))):
                roles[known] = str(entry.get("role", "other"))
                shorts[known] = short
        return cls(roles=roles, shorts=shorts, names=tuple(names))

    def role(self, subject: str) -> str:
        """Colour role of `subject`."""
        return self.roles.get(subject, "other")

    def tone(self, subject: str) -> str:
        """Theme token of `subject`, for `Theme.color` and the `tone` of labels."""
        return f"subject:{self.role(subject)}"

    def short(self, subject: str) -> str:
        """Name for narrow places."""
        return self.shorts.get(subject, subject)
