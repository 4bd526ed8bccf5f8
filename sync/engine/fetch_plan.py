"""Which files of a lesson to fetch, in which order: pure decisions.

Invariants:
  L1  Protected files are never chosen, whatever else is missing.
  L2  Documents come before recordings, and these before films.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from client.domain.availability import PartState
from client.domain.catalogue import FileUse, Lesson, Part, RemoteFile, Role
from client.domain.holding import Holding, choose_rendition, main_files
from client.domain.ids import LessonId, PartId

DEFAULT_RENDITION: Final = "360p"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody wants of a lesson."""

    rendition: str = DEFAULT_RENDITION
    """`360p`, `720p`, …: this height, else the nearest below, else the lowest."""
    roles: frozenset[Role] = frozenset()
    """Empty for all."""
    paths: frozenset[str] = frozenset()
    """Exactly these files, empty to choose by rendition; used to heal what was damaged."""


class PartStatus(Enum):
    """How a part stands after a fetch; values are those of the command line."""

    PRESENT = "present"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOutcome:
    """One part in a fetch report. `reason` is a message code or empty."""

    id: PartId
    role: Role
    status: PartStatus
    reason: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What a fetch did. Bytes of bodies; `bytes_reused` were here and verified before."""

    id: LessonId
    bytes_needed: int
    bytes_received: int
    bytes_reused: int
    seconds: float
    parts: tuple[PartOutcome, ...]
    lit_s: float = 0.0
    """Of `seconds`, those in which bytes came."""
    bytes_near: int = 0
    """From PCs near by; `bytes_received` are those of the link."""

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing that could have come is missing."""
        return all(part.status is not PartStatus.FAILED for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file to have. `held` is the present holding, None when it must come."""

    part: Part
    file: RemoteFile
    held: Holding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """Items in the order of fetching, and the parts that cannot be had."""

    items: tuple[Item, ...]
    unavailable: tuple[PartOutcome, ...]

    @property
    def bytes_needed(self) -> int:
        """Bytes of all items, present ones too; unknown sizes count as 0."""
        return sum(item.file.fetch_bytes for item in self.items)


def _anywhere(_: RemoteFile) -> bool:
    return True


def plan_fetch(
    lesson: Lesson,
    choice: Choice,
    holdings: Iterable[Holding],
    reachable: Callable[[RemoteFile], bool] = _anywhere,
) -> FetchPlan:
    """Choose one file for each wanted part (L1, L2), one that can be reached if there is any."""
    known = tuple(holdings)
    held = {
        (holding.part, holding.path): holding
        for holding in known
        if holding.state is PartState.PRESENT
    }
    marked = {
        (holding.part, holding.path) for holding in known if holding.state is PartState.PROTECTED
    }
    items: list[Item] = []
    unavailable: list[PartOutcome] = []
    for part in lesson.parts:
        if choice.roles and part.role not in choice.roles:
            continue
        chosen = _chosen(part, choice, marked, reachable)
        if isinstance(chosen, str):
            unavailable.append(
                PartOutcome(
                    id=part.id, role=part.role, status=PartStatus.UNAVAILABLE, reason=chosen
                )
            )
        else:
            items += [
                Item(part=part, file=file, held=held.get((part.id, file.path))) for file in chosen
            ]
    items.sort(key=_order)
    return FetchPlan(items=tuple(items), unavailable=tuple(unavailable))


def _chosen(
    part: Part,
    choice: Choice,
    marked: set[tuple[PartId, str]],
    reachable: Callable[[RemoteFile], bool],
) -> tuple[RemoteFile, ...] | str:
    """Choose the files of one part, or say by a code why there is none."""
    main = set(main_files(part))
    files = [file for file in part.files if file.path in main]
    if choice.paths:
        return tuple(f for f in files if f.path in choice.paths and not f.is_protected)
    if not files:
        return "no_file"
    allowed = [f for f in files if not f.is_protected and (part.id, f.path) not in marked]
    if not allowed:
        return "protected"
    allowed = [file for file in allowed if reachable(file)] or allowed
    if any(file.use in (FileUse.RENDITION, FileUse.VIDEO_FILE) for file in allowed):
        best = choose_rendition(allowed, choice.rendition)
        return () if best is None else (best,)
    return (allowed[0],)


def _order(item: Item) -> tuple[int, int]:
    weight = {
        FileUse.DOCUMENT: 0,
        FileUse.IMAGE: 0,
        FileUse.BOOKMARKS: 0,
        FileUse.AUDIO: 1,
        FileUse.VIDEO_FILE: 2,
        FileUse.RENDITION: 2,
    }
    return weight.get(item.file.use, 1), item.part.position
