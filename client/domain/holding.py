"""What this machine holds of a lesson: one `Holding` for each remote file that was ever wanted.

`PRESENT` holdings name a blob; all others say in `reason` why there is none. A file without
a holding is simply absent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from client.domain.availability import Decodes, PartFacts, PartState, Trust
from client.domain.catalogue import FileUse, Lesson, Part, RemoteFile, Role
from client.domain.ids import Digest, LessonId, PartId

VIDEO_ROLES = frozenset({Role.VIDEO, Role.EXPERIMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One verified file on this machine. `ext` begins with a dot."""

    digest: Digest
    ext: str
    size_bytes: int
    trust: Trust
    decodes: Decodes = Decodes.UNKNOWN
    verified_at: str = ""
    """ISO 8601 by this machine's clock, as evidence only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """State of one remote file of one part. `path` is the file's host-less address."""

    lesson: LessonId
    part: PartId
    path: str
    state: PartState
    reason: str = ""
    """Message code, empty while nothing is wrong."""
    blob: Blob | None = None
    file: Path | None = None
    """Where the blob's bytes are; None unless present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLesson:
    """One cached lesson as a list row."""

    id: LessonId
    title: str
    """Raw, as in the catalogue."""
    size_bytes: int
    """Bytes of the blobs it refers to."""
    verified_at: str
    """When the longest unchecked of its files was last verified; evidence only."""


def is_video(part: Part) -> bool:
    """Tell whether a part is something that must decode: a film or a recording."""
    return part.role in VIDEO_ROLES or part.role is Role.AUDIO


def main_files(part: Part) -> tuple[str, ...]:
    """Paths of the files that make a part usable: covers and previews do not."""
    uses = {file.use for file in part.files}
    for wanted in (
        {FileUse.RENDITION, FileUse.VIDEO_FILE},
        {FileUse.AUDIO},
        {FileUse.DOCUMENT},
        {FileUse.IMAGE},
        {FileUse.BOOKMARKS},
    ):
        if uses & wanted:
            return tuple(file.path for file in part.files if file.use in wanted)
    return ()


def choose_rendition(files: Iterable[RemoteFile], wanted: str) -> RemoteFile | None:
    """Choose by height: the wanted one, else the nearest below, else the lowest."""
    heights = sorted(files, key=lambda file: file.height)
    limit = int(wanted.rstrip("p")) if wanted.rstrip("p").isdigit() else 0
    below = [file for file in heights if file.height <= limit]
    if below:
        return below[-1]
    return heights[0] if heights else None


def is_protected(part: Part) -> bool:
    """Tell whether nothing that matters of a part may ever be fetched; its cover may."""
    paths = set(main_files(part))
    mains = [file for file in part.files if file.path in paths]
    return bool(mains) and all(file.is_protected for file in mains)


def part_state(part: Part, holdings: Iterable[Holding], *, withdrawn: bool = False) -> PartState:
    """Fold what is held of a part into one state; the first line that fits decides.

    | condition                                      | state     |
    |------------------------------------------------|-----------|
    | any file present, also one of an older edition | PRESENT   |
    | its record is withdrawn                        | WITHDRAWN |
    | every main file is protected                   | PROTECTED |
    | a main file is being fetched                   | FETCHING  |
    | a main file failed                             | FAILED    |
    | else                                           | ABSENT    |
    """
    held = [holding for holding in holdings if holding.part == part.id]
    if any(holding.state is PartState.PRESENT for holding in held):
        return PartState.PRESENT
    paths = set(main_files(part))
    states = {holding.state for holding in held if holding.path in paths}
    if withdrawn:
        return PartState.WITHDRAWN
    if is_protected(part) or states == {PartState.PROTECTED}:
        return PartState.PROTECTED
    for state in (PartState.FETCHING, PartState.FAILED):
        if state in states:
            return state
    return PartState.ABSENT


def part_facts(
    lesson: Lesson, holdings: Iterable[Holding], *, withdrawn: bool = False
) -> tuple[PartFacts, ...]:
    """Give what the lights need to know of each part of a lesson that is shown, in order."""
    held = tuple(holdings)
    return tuple(
        PartFacts(
            is_video=is_video(part),
            state=part_state(part, held, withdrawn=withdrawn),
            decodes=_decodes(part, held),
        )
        for part in lesson.parts
        if part.role is not Role.BOOKMARKS
    )


def _decodes(part: Part, holdings: tuple[Holding, ...]) -> Decodes:
    """Say YES when one of a part's files decodes here, else what the first one said."""
    said = [h.blob.decodes for h in holdings if h.part == part.id and h.blob is not None]
    if Decodes.YES in said:
        return Decodes.YES
    return said[0] if said else Decodes.UNKNOWN
