"""What is missing of a lesson, by what it would cost. Pure."""

from collections.abc import Callable, Iterable, Sequence

from client.domain.availability import PartState
from client.domain.catalogue import Lesson, LessonKind, Part, RemoteFile, Role
from client.domain.holding import VIDEO_ROLES, Holding, choose_rendition, main_files
from client.domain.ids import PartId
from client.service.planner import Film, Need


def need_of(
    lesson: Lesson,
    holdings: Iterable[Holding],
    rendition: str,
    roles: frozenset[Role] = frozenset(),
    is_offered: Callable[[str], bool] = lambda _: False,
) -> Need:
    """Add up what is missing of a lesson.

    Args:
        lesson: With its parts.
        holdings: What is held of it.
        rendition: The wanted height of its films; smaller ones are offered beside it.
        roles: Wanted parts, empty for all.
        is_offered: Tells whether a hub has the file at a path.
    """
    held = tuple(holdings)
    barred = {(one.part, one.path) for one in held if one.state is PartState.PROTECTED}
    here = {one.part for one in held if one.state is PartState.PRESENT}
    wanted = [part for part in lesson.parts if not roles or part.role in roles]
    missing = [part for part in wanted if part.id not in here]
    files = {part.id: _allowed(part, barred) for part in missing}
    if lesson.kind is LessonKind.FOLDER:
        # What came from a folder has no other way here than a hub.
        files = {
            part: tuple(file for file in found if is_offered(file.path))
            for part, found in files.items()
        }
    films = [part for part in missing if part.role in VIDEO_ROLES and main_files(part)]
    open_films = [files[part.id] for part in films if files[part.id]]
    papers = [part for part in missing if part.role not in VIDEO_ROLES and files[part.id]]
    return Need(
        lesson=lesson.id,
        papers_bytes=sum(files[part.id][0].fetch_bytes for part in papers),
        films=_sizes(open_films, rendition),
        has_sound=any(part.role is Role.AUDIO for part in wanted),
        is_barred=len(open_films) < len(films),
        is_unknown=not lesson.has_detail,
    )


def _allowed(part: Part, barred: set[tuple[PartId, str]]) -> tuple[RemoteFile, ...]:
    paths = set(main_files(part))
    return tuple(
        file
        for file in part.files
        if file.path in paths and not file.is_protected and (part.id, file.path) not in barred
    )


def _sizes(films: Sequence[Sequence[RemoteFile]], rendition: str) -> tuple[Film, ...]:
    """Offer the wanted size, and each smaller one that saves something."""
    if not films:
        return ()
    limit = int(rendition.rstrip("p")) if rendition.rstrip("p").isdigit() else 0
    heights = {file.height for files in films for file in files if 0 < file.height < limit}
    offered: list[Film] = []
    for name in (rendition, *(f"{height}p" for height in sorted(heights, reverse=True))):
        chosen = [choose_rendition(files, name) for files in films]
        size = sum(file.fetch_bytes for file in chosen if file is not None)
        if not offered or size < offered[-1].size_bytes:
            offered.append(Film(rendition=name, size_bytes=size))
    return tuple(offered)
