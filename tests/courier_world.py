"""Rooms with lessons, and sticks between them, for tests of the courier."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
)
from client.domain.clock import FrozenClock
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from client.store.keyfile import verify
from sync.engine.courier_pack import Labels, Packed, Packer, PackPorts
from sync.engine.courier_unpack import Unpacked, Unpacker, UnpackPorts
from sync.protocol.manifest import BLOCK_BYTES
from sync.transport.stick import Stick, no_step
from tests.log_world import Key

PLACE = Placement(stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册")
BOOK = Book(id=BookId("b1"), source=SourceId("platform"), title="数学 三下", place=PLACE)
UNIT = Section(id=SectionId("u6"), book=BOOK.id, parent=None, position=0, title="第六单元")
LEAF = Section(id=SectionId("u6-1"), book=BOOK.id, parent=UNIT.id, position=1, title="分数")
LABELS = Labels(role=lambda role: role.value, elsewhere="elsewhere")
SIZE = 2 * BLOCK_BYTES + 5


def yes(path: Path) -> Decodes:
    assert path.is_file()
    return Decodes.YES


def content(seed: int, size: int = SIZE, head: bytes = b"%PDF-") -> bytes:
    return head + random.Random(seed).randbytes(size - len(head))


def film(seed: int, size: int = SIZE) -> bytes:
    return content(seed, size, b"\0\0\0\x18ftypmp42")


def a_lesson(name: str, *files: tuple[Role, str], title: str = "") -> Lesson:
    """A lesson of the platform in `BOOK`; a file is its role and extension."""
    parts = tuple(
        Part(
            id=PartId(f"{name}-{number}"),
            lesson=LessonId(name),
            role=role,
            title=role.value,
            label="",
            position=number,
            period=0,
            files=(
                RemoteFile(
                    path=f"{name}/{number}.{ext}",
                    urls=(),
                    format=ext,
                    flags=(),
                    use=FileUse.VIDEO_FILE if role is Role.VIDEO else FileUse.DOCUMENT,
                ),
            ),
        )
        for number, (role, ext) in enumerate(files)
    )
    return Lesson(
        id=LessonId(name),
        source=SourceId("platform"),
        kind=LessonKind.NATIONAL,
        title=title or name,
        place=PLACE,
        book=BOOK.id,
        sections=(UNIT.id, LEAF.id),
        section_titles=(UNIT.title, LEAF.title),
        parts=parts,
        has_detail=True,
    )


def room(folder: Path) -> Station:
    return Station(Profile(folder), FrozenClock())


def know(station: Station, lesson: Lesson) -> None:
    """Have a lesson and its book in the catalogue."""
    station.catalogue.put_books(BOOK.source, (BOOK,))
    station.catalogue.put_sections(BOOK.source, BOOK.id, (UNIT, LEAF))
    station.catalogue.put_whole((lesson,))


def keep(station: Station, lesson: Lesson, *contents: bytes, trust=Trust.OBSERVED) -> None:
    """Have a lesson with its files, in the order of its parts."""
    know(station, lesson)
    for part, data in zip(lesson.parts, contents, strict=False):
        digest = Digest(hashlib.sha256(data).hexdigest())
        ext = f".{part.files[0].format}"
        path = station.blobs.path(digest, ext)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        blob = Blob(digest=digest, ext=ext, size_bytes=len(data), trust=trust, decodes=Decodes.YES)
        station.holdings.keep(lesson, part.id, part.files[0].path, blob)


def pack(
    station: Station,
    stick: Path,
    *lessons: str,
    signer=None,
    hubs: Sequence[bytes] = (),
    step: Callable[[int], None] = no_step,
) -> Packed:
    stick.mkdir(exist_ok=True)
    names = [LessonId(one) for one in lessons]
    return Packer(
        PackPorts(
            station=station,
            stick=Stick(stick, step),
            signer=signer or station.journal.signer,
            verify=verify,
            hubs=hubs,
            labels=LABELS,
        )
    ).run(names or [one.id for one in station.holdings.kept_lessons()])


def unpack(station: Station, stick: Path, *, hubs=(), step=no_step, **more) -> Unpacked:
    ports = UnpackPorts(
        station=station, stick=Stick(stick, step), probe=yes, verify=verify, hubs=hubs
    )
    return Unpacker(replace(ports, **more)).run()


def shown_files(stick: Path) -> list[str]:
    """What a person sees on a stick."""
    found = (path.relative_to(stick).as_posix() for path in stick.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.startswith("TONGKE/"))


def hub_of(station: Station, key: Key) -> None:
    """Have a room know a hub."""
    station.hubs.put(
        KnownHub(
            key=key.public_key,
            url="http://127.0.0.1:1",
            authority=b"",
            site=b"school-1",
            school="石板小学",
            name="中心校",
        )
    )
