"""A profile's library over real stores, with one lesson known down to its files."""

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
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.service.library import LibraryService
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from tests.generator.lessons import SOURCE, Generated

FENSHU = Placement(stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册")
YUWEN = Placement(stage="小学", grade="一年级", subject="语文", edition="统编版", volume="上册")


class LibraryRoom:
    """Stores of one profile and the library over them."""

    def __init__(self, folder: Path) -> None:
        self.database = open_library(folder / "library.db")
        self.catalogue = CatalogueStore(self.database)
        self.blobs = BlobStore(folder / "blobs", floor_bytes=0)
        self.holdings = HoldingStore(self.database, self.blobs, folder / "lessons")
        self.chosen: tuple[BookId, ...] = ()
        self.library = LibraryService(self.database, self.holdings, lambda: self.chosen)

    def put(self, made: Generated) -> None:
        put(self.catalogue, made)

    def hold(self, lesson: Lesson, part: Part, path: str, decodes: Decodes) -> Blob:
        blob = Blob(
            digest=Digest(f"{len(path):064x}"),
            ext=".ts",
            size_bytes=9,
            trust=Trust.OBSERVED,
            decodes=decodes,
        )
        self.holdings.keep(lesson, part.id, path, blob)
        return blob


def remote_file(path: str, use: FileUse, size: int, *, protected: bool = False, height: int = 0):
    return RemoteFile(
        path=path, urls=(f"https://x/{path}",), format=path.rsplit(".", 1)[-1], flags=(), use=use,
        size_bytes=size if use is not FileUse.RENDITION else 300, is_protected=protected,
        height=height, total_bytes=size if use is FileUse.RENDITION else 0, duration_s=400.0,
        pages=2 if use is FileUse.DOCUMENT else 0,
    )  # fmt: skip


def fractions(*, protected: bool = False) -> Lesson:
    lesson = LessonId("fractions")
    video = Part(
        id=PartId("v"), lesson=lesson, role=Role.VIDEO, title="视频\n课程", label="视频",
        position=0, period=0, duration_s=726.0,
        files=(
            remote_file("a/720.m3u8", FileUse.RENDITION, 224, height=720, protected=protected),
            remote_file("a/360.m3u8", FileUse.RENDITION, 88, height=360, protected=protected),
            remote_file("a/cover.jpg", FileUse.IMAGE, 1),
        ),
    )  # fmt: skip
    sheet = Part(
        id=PartId("t"), lesson=lesson, role=Role.TASK, title="任务单", label="",
        position=1, period=0, files=(remote_file("a/sheet.pdf", FileUse.DOCUMENT, 6),),
    )  # fmt: skip
    return Lesson(
        id=lesson, source=SourceId("platform"), kind=LessonKind.NATIONAL,
        title="分数的初步认识（一）\n 分一分", place=FENSHU, book=BookId("math"),
        sections=(SectionId("u6"), SectionId("s1")), section_titles=("六 认识分数", "分一分（一）"),
        position=1, provider="某教研室", periods=((PartId("v"), PartId("t")),),
        parts=(video, sheet), has_detail=True,
    )  # fmt: skip


def put(catalogue: CatalogueStore, made: Generated) -> None:
    """Put a generated book with everything below it into the catalogue."""
    catalogue.put_books(SOURCE, [made.book])
    catalogue.put_sections(SOURCE, made.book.id, made.sections)
    catalogue.put_lessons(SOURCE, made.lessons)


def fill(room: LibraryRoom, *, protected: bool = False) -> Lesson:
    """See `fill_stores`."""
    return fill_stores(room.catalogue, room.library, protected=protected)


def fill_stores(
    catalogue: CatalogueStore, library: LibraryService, *, protected: bool = False
) -> Lesson:
    """Two books: one with 分数的初步认识 (all known) and an area lesson, one with a poem."""
    book = Book(id=BookId("math"), source=SOURCE, title="数学三年级下册", place=FENSHU)
    sections = (
        Section(id=SectionId("u5"), book=book.id, parent=None, position=0, title="五 面积"),
        Section(id=SectionId("u6"), book=book.id, parent=None, position=1, title="六 认识分数"),
        Section(
            id=SectionId("s1"),
            book=book.id,
            parent=SectionId("u6"),
            position=2,
            title="分一分\n（一）",
        ),
    )
    lesson = fractions(protected=protected)
    area = replace(
        lesson, id=LessonId("area"), title="什么是面积", parts=(), periods=(), has_detail=False,
        sections=(SectionId("u5"),), section_titles=("五 面积",), position=9,
    )  # fmt: skip
    put(catalogue, Generated(book=book, sections=sections, lessons=(lesson, area)))
    catalogue.put_detail(lesson)
    poem = replace(
        area, id=LessonId("poem"), title="咏鹅", book=BookId("yuwen"), place=YUWEN, sections=(),
        section_titles=(), kind=LessonKind.ELITE,
    )  # fmt: skip
    reader = Book(id=BookId("yuwen"), source=SOURCE, title="语文一年级上册", place=YUWEN)
    put(catalogue, Generated(book=reader, sections=(), lessons=(poem,)))
    library.refresh()
    return lesson
