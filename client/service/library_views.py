"""Rows and details of lessons, made of catalogue and holdings (pure)."""

from collections.abc import Iterable

from client.domain.availability import (
    Decodes,
    LessonState,
    PartFacts,
    PartState,
    lesson_state,
    light,
)
from client.domain.catalogue import FileUse, Part, RemoteFile, Role, display_title
from client.domain.holding import Holding, is_protected, main_files, part_facts, part_state
from client.service.api import LessonDetail, LessonRow, PartView, Reason, RenditionView, Stopped
from client.store.library_read import ListedLesson


def lesson_row(listed: ListedLesson, matches: tuple[tuple[int, int], ...]) -> LessonRow:
    """Make a list row. `matches` are the stretches of the display title to mark."""
    lesson = listed.lesson
    return LessonRow(
        id=lesson.id,
        title=display_title(lesson.title),
        kind=lesson.kind,
        place=lesson.place,
        unit=listed.unit,
        provider=lesson.provider,
        state=_state(listed),
        duration_s=_films_s(lesson.parts),
        size_bytes=sum(_least_bytes(part) for part in lesson.parts),
        has_detail=lesson.has_detail,
        matches=matches,
        light=light(_facts(listed)),
        is_stopped=listed.is_stopped,
    )


def lesson_detail(
    listed: ListedLesson, *, is_pinned: bool, stopped: Stopped | None = None
) -> LessonDetail:
    """Make the detail of a lesson whose parts are complete."""
    lesson = listed.lesson
    row = lesson_row(listed, ())
    return LessonDetail(
        row=row,
        light=row.light,
        book=lesson.book,
        sections=lesson.section_titles,
        parts=tuple(
            _part_view(part, listed.holdings, withdrawn=listed.is_withdrawn)
            for part in lesson.parts
        ),
        periods=lesson.periods,
        is_pinned=is_pinned,
        stopped=stopped,
    )


def _state(listed: ListedLesson) -> LessonState:
    if listed.is_withdrawn and not listed.lesson.parts:
        return LessonState.WITHDRAWN
    return lesson_state(_facts(listed))


def _facts(listed: ListedLesson) -> tuple[PartFacts, ...]:
    return part_facts(listed.lesson, listed.holdings, withdrawn=listed.is_withdrawn)


def _main(part: Part) -> tuple[RemoteFile, ...]:
    paths = frozenset(main_files(part))
    return tuple(file for file in part.files if file.path in paths)


def _duration_s(part: Part) -> float:
    return part.duration_s or max((file.duration_s for file in part.files), default=0.0)


def _films_s(parts: Iterable[Part]) -> float:
    """Length of the films that can be had here, or of all if none can."""
    films = [part for part in parts if part.role is Role.VIDEO]
    open_ones = [part for part in films if not is_protected(part)]
    return sum(_duration_s(part) for part in open_ones or films)


def _least_bytes(part: Part) -> int:
    """Bytes of the smallest file that makes the part usable and may be had; 0 when unknown."""
    sizes = [file.fetch_bytes for file in _main(part) if not file.is_protected]
    return min((size for size in sizes if size), default=0)


def _part_view(part: Part, holdings: Iterable[Holding], *, withdrawn: bool) -> PartView:
    held = [one for one in holdings if one.part == part.id]
    state = part_state(part, held, withdrawn=withdrawn)
    here = next((one for one in held if one.state is PartState.PRESENT), None)
    blob = here.blob if here else None
    files = _main(part)
    return PartView(
        id=part.id,
        role=part.role,
        title=display_title(part.title),
        label=part.label,
        format=next((f.format for f in files if here and f.path == here.path), "")
        or next((f.format for f in files), ""),
        size_bytes=blob.size_bytes if blob else _least_bytes(part),
        duration_s=_duration_s(part),
        pages=max((file.pages for file in part.files), default=0),
        period=part.period,
        state=state,
        reason=_reason(state, held),
        digest=blob.digest if blob else None,
        trust=blob.trust if blob else None,
        decodes=blob.decodes if blob else Decodes.UNKNOWN,
        path=here.file if here else None,
        renditions=tuple(_rendition(file, held) for file in files if _is_film(file)),
    )


def _is_film(file: RemoteFile) -> bool:
    return file.use in {FileUse.RENDITION, FileUse.VIDEO_FILE}


def _rendition(file: RemoteFile, held: Iterable[Holding]) -> RenditionView:
    state = PartState.PROTECTED if file.is_protected else PartState.ABSENT
    known = next((one.state for one in held if one.path == file.path), state)
    return RenditionView(
        name=f"{file.height}p" if file.height else file.path,
        height=file.height,
        size_bytes=file.fetch_bytes,
        is_protected=file.is_protected,
        state=known,
    )


def _reason(state: PartState, held: Iterable[Holding]) -> Reason | None:
    if state is PartState.PRESENT:
        return None
    said = next((one.reason for one in held if one.reason), "")
    if said:
        return Reason(code=said)
    if state in {PartState.PROTECTED, PartState.WITHDRAWN}:
        return Reason(code=state.value)
    return None
