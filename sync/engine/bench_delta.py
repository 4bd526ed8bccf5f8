"""`bench delta`: what a catalogue and its changes weigh on the link (DESIGN §5).

The generator of catalogues lives with the tests, so this bench runs from a checkout only. Ids are
made random as those of the platform are, since they are most of what cannot be packed.
"""

import hashlib
import importlib
import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from client.domain.canon import encode
from client.domain.catalogue import FileUse, Lesson, Part, RemoteFile, Role
from client.domain.clock import Clock, SystemClock
from client.domain.edition import Attested, Group
from client.domain.errors import UserError
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId
from sync.protocol.edition_rows import group_order, rows_of
from sync.protocol.row_stream import applied, framed, packed, rows_in, steps, unpacked

RESOURCES: Final = 130_000
LESSONS: Final = 88_000
EVERY: Final = 100
"""One lesson of so many changes: of five, three are edited, one is new, one goes."""
_SEED: Final = 7
_CHANGED, _NEW = 3, 4
_KINDS: Final = 5
_ENTITLED: Final = 2000
"""Lessons that have a film and a document, to weigh what a lesson of a hub takes more."""


def bench_delta(
    n: int = RESOURCES,
    lessons: int = LESSONS,
    *,
    progress: Callable[[str], None] = lambda _: None,
    clock: Clock | None = None,
) -> dict[str, object]:
    """Pack a whole catalogue, then the steps that 1 % of changed lessons take.

    Args:
        n: Lessons of the whole catalogue.
        lessons: Lessons of the catalogue that changes.
        progress: Told what is being done, as a word.
        clock: Measures.

    Raises:
        UserError: The generator is not here: the program does not run from its checkout.
    """
    clock = clock or SystemClock()
    generator = _generator()
    progress("catalogue")
    whole = _rows([_as_real(one) for one in generator.generate(n)])
    begun = clock.monotonic()
    catalogue_bytes = _weight(whole)
    pack_s = clock.monotonic() - begun
    progress("changes")
    groups = [_as_real(one) for one in generator.generate(lessons)]
    dice = random.Random(_SEED)  # noqa: S311 - which lessons change is no secret
    base, target = _rows(groups), _rows([_changed(group, dice) for group in groups])
    between = b"".join(packed(framed(steps(base, target))))
    begun = clock.monotonic()
    changes = rows_in(unpacked([between], len(between) * 100))
    is_right = list(applied(base, changes)) == target
    apply_s = clock.monotonic() - begun
    progress("files")
    some = [_as_real(one) for one in generator.generate(_ENTITLED)]
    more = _weight(_rows([_with_files(group) for group in some])) - _weight(_rows(some))
    return {
        "catalogue_bytes": catalogue_bytes,
        "rows": len(whole),
        "delta_bytes": len(between),
        "changed_lessons": sum(1 for _ in steps(base, target)),
        "delta_is_right": is_right,
        "lesson_with_files_bytes": round(more / _ENTITLED, 1),
        "pack_s": round(pack_s, 2),
        "apply_s": round(apply_s, 2),
    }


def _generator() -> Any:  # noqa: ANN401 - a module of the tests
    try:
        return importlib.import_module("tests.generator.lessons")
    except ImportError as error:
        raise UserError("bench_needs_checkout") from error


def _as_real(one: Any) -> Group:  # noqa: ANN401 - see above
    """Give a generated book as a group whose ids are like those of the platform."""
    book = replace(one.book, id=BookId(_random(one.book.id)))
    sections = tuple(
        replace(
            section,
            id=SectionId(_random(section.id)),
            book=book.id,
            parent=None if section.parent is None else SectionId(_random(section.parent)),
        )
        for section in one.sections
    )
    lessons = tuple(
        replace(
            lesson,
            id=LessonId(_random(lesson.id)),
            book=book.id,
            sections=tuple(SectionId(_random(id_)) for id_ in lesson.sections),
            tags=book.tags,
        )
        for lesson in one.lessons
    )
    return Group(key=str(book.id), book=book, sections=sections, lessons=lessons)


def _random(text: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16]))


def _rows(groups: Iterable[Group]) -> list[bytes]:
    in_order = sorted(groups, key=lambda group: group_order(group.key))
    return [encode(row) for group in in_order for row in rows_of(group)]


def _weight(rows: Sequence[bytes]) -> int:
    return sum(map(len, packed(framed(rows))))


def _changed(group: Group, dice: random.Random) -> Group:
    lessons: list[Lesson] = []
    for lesson in group.lessons:
        kind = dice.randrange(_KINDS) if dice.randrange(EVERY) == 0 else -1
        if kind != _NEW:
            lessons.append(_edited(lesson, dice) if 0 <= kind < _CHANGED else lesson)
        if kind == _CHANGED:
            fresh = LessonId(_random(f"{lesson.id} new"))
            lessons.append(replace(lesson, id=fresh, title=f"{lesson.title} 2"))
    return replace(group, lessons=tuple(lessons))


def _edited(lesson: Lesson, dice: random.Random) -> Lesson:
    if dice.randrange(2):
        return replace(lesson, position=lesson.position + 1)
    return replace(lesson, title=f"{lesson.title}{lesson.unit}"[:60])


def _with_files(group: Group) -> Group:
    """Give every lesson a film of several blocks and a document, as a hub that has them says it."""
    attested: list[Attested] = []
    lessons = []
    for lesson in group.lessons:
        film = _file(lesson, "ts", FileUse.RENDITION, 300 << 20)
        paper = _file(lesson, "pdf", FileUse.DOCUMENT, 1 << 19)
        attested += [_attest(film, has_manifest=True), _attest(paper, has_manifest=False)]
        parts = (_part(lesson, Role.VIDEO, 0, film), _part(lesson, Role.SLIDES, 1, paper))
        lessons.append(replace(lesson, parts=parts, has_detail=True))
    return replace(group, lessons=tuple(lessons), attested=tuple(attested))


def _file(lesson: Lesson, kind: str, use: FileUse, size: int) -> RemoteFile:
    name = _random(f"{lesson.id} {kind}")
    path = f"/edu_product/esp/assets/{name}.t/zh-CN/{kind}"
    return RemoteFile(path=path, urls=(), format=kind, flags=(), use=use, size_bytes=size)


def _attest(file: RemoteFile, *, has_manifest: bool) -> Attested:
    digest = hashlib.sha256(file.path.encode()).hexdigest()
    manifest = hashlib.sha256(digest.encode()).hexdigest() if has_manifest else ""
    return Attested(
        path=file.path,
        digest=Digest(digest),
        size_bytes=file.size_bytes,
        manifest=Digest(manifest),
    )


def _part(lesson: Lesson, role: Role, position: int, file: RemoteFile) -> Part:
    return Part(
        id=PartId(_random(f"{lesson.id} {role.value}")),
        lesson=lesson.id,
        role=role,
        title=lesson.title,
        label="",
        position=position,
        period=-1,
        files=(file,),
    )
