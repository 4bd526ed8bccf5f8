"""Paths, dimensions and codes of the platform, read from `assets/platform.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from client.domain.catalogue import LessonKind, Role
from sync.source.addresses import DATA_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Which tag dimension says what."""

    stage: str
    grade: str
    subject: str
    edition: str
    volume: str
    week: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Host-less paths of documents; `{id}` stands for the id of a book or e-textbook."""

    lesson_tags: str
    textbook_tags: str
    books: str
    book: str
    tree: tuple[str, ...]
    lessons: str
    textbooks: str
    recordings: str
    question_books: str
    questions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRules:
    """Everything about the platform that may change without its code changing."""

    paths: Paths
    details: Mapping[LessonKind, str]
    dimensions: Dimensions
    roles: Mapping[str, Role]
    connections: int
    gap_s: float


def load_rules(path: Path = DATA_FILE) -> PlatformRules:
    """Read `platform.toml`."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    paths = {**data["paths"], "tree": tuple(data["paths"]["tree"])}
    return PlatformRules(
        paths=Paths(**paths),
        details={LessonKind(kind): detail for kind, detail in data["details"].items()},
        dimensions=Dimensions(**data["dimensions"]),
        roles={code: Role(role) for code, role in data["roles"].items()},
        connections=int(data["pace"]["connections"]),
        gap_s=float(data["pace"]["gap_s"]),
    )
