"""A room that reads the platform's replica, and its rows beside the replica's truth."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from client.domain.catalogue import Lesson, Part, RemoteFile, Role, display_title
from client.domain.ids import LessonId
from client.store.catalogue_store import CatalogueStore
from client.store.database import Database
from client.store.library import open_library
from sync.engine.catalogue_sync import CatalogueReport, Wanted, sync_catalogue
from sync.source.addresses import AddressBook
from sync.source.platform.pace import LOOPBACK_PACE, Pace
from sync.source.platform.source import PLATFORM, PlatformSource
from sync.transport.http import HttpTransport
from tests.replica import Replica

ALL = Wanted(with_details=True)
ROLES = {
    "micro_lesson_video": Role.VIDEO,
    "coursewares": Role.SLIDES,
    "lesson_plandesign": Role.PLAN,
    "learning_task": Role.TASK,
    "after_class_exercise": Role.EXERCISE,
    "experiment_video": Role.EXPERIMENT,
}


@dataclass(frozen=True)
class Room:
    """A profile's catalogue and how it is brought up to date."""

    db: Database
    store: CatalogueStore
    base: str

    def source(self, pace: Pace | None = None) -> PlatformSource:
        """A source as a new program run would make it."""
        addresses = AddressBook(self.base)
        transport = HttpTransport(resolve=addresses.redirect)
        memory = self.store.memory(PLATFORM)
        return PlatformSource(transport, addresses, memory, pace=pace or LOOPBACK_PACE)

    def sync(self, wanted: Wanted = ALL, **options: Any) -> CatalogueReport:
        """One `catalogue sync`."""
        return sync_catalogue(self.source(), self.store, wanted, **options)

    def differences(self, replica: Replica, chapters: dict[str, str] | None = None) -> list[str]:
        """What is held otherwise than the replica says, row by row; empty when all is right.

        `chapters` are the shown titles of renamed chapters: the replica's trees have them, its
        truth keeps the first ones.
        """
        truth = replica.truth()
        for book in truth["books"]:
            for lesson in book["lessons"]:
                pairs = zip(lesson["chapter_ids"], lesson["chapter_titles"], strict=True)
                lesson["chapter_titles"] = [(chapters or {}).get(id_, old) for id_, old in pairs]
        return list(_differences(self.store, truth))


@contextmanager
def room(folder: Path, replica: Replica) -> Iterator[Room]:
    """A room whose profile lies in `folder`."""
    db = open_library(folder / "library.db")
    try:
        yield Room(db, CatalogueStore(db), replica.base)
    finally:
        db.close()


def _differences(store: CatalogueStore, truth: dict[str, Any]) -> Iterator[str]:
    held_books = {str(book.id): book.title for book in store.books(PLATFORM)}
    true_books = {book["id"]: book["title"] for book in truth["books"]}
    yield from _compare("books", held_books, true_books)
    for book in truth["books"]:
        held = store.lessons_of_book(book["id"])
        ids = [lesson["id"] for lesson in book["lessons"]]
        yield from _compare(
            f"ids of {book['title']}", sorted(map(str, ids)), sorted(i.id for i in held)
        )
        for lesson in book["lessons"]:
            yield from _lesson(store, lesson)
    held_textbooks = {str(lesson.id): lesson.title for lesson in store.textbooks(PLATFORM)}
    true_textbooks = {entry["id"]: entry["title"] for entry in truth["textbooks"]}
    yield from _compare("e-textbooks", held_textbooks, true_textbooks)
    for entry in truth["textbooks"]:
        record = store.lesson(LessonId(entry["id"]))
        if entry["detail_status"] == 200 and record is not None:
            sounds = [part for part in record.parts if part.role is Role.AUDIO]
            book = replace(record, parts=tuple(p for p in record.parts if p not in sounds))
            yield from _compare(entry["title"], _held_files(book), _true_files(entry["files"]))
            yield from _compare(f"recordings of {entry['title']}", len(sounds), entry["audios"])


def _lesson(store: CatalogueStore, true: dict[str, Any]) -> Iterator[str]:
    record = store.record(true["id"])
    if record is None:
        yield f"{true['title']!r} is not held"
        return
    lesson = record.lesson
    what = f"{true['type']} {true['display_title']}"
    yield from _compare(f"{what}: row", _held_row(lesson), _true_row(true))
    status = {"here": 200, "gone": 404, "refused": 403}.get(record.detail.value, 0)
    yield from _compare(f"{what}: detail", status, true["detail_status"])
    if true["detail_status"] != 200:
        return
    yield from _compare(f"{what}: periods", [list(p) for p in lesson.periods], true["periods"])
    yield from _compare(f"{what}: parts", _held_parts(lesson), _true_parts(true))
    yield from _compare(f"{what}: files", _held_files(lesson), _true_files(true["files"]))
    yield from _compare(f"{what}: videos", _held_videos(lesson), _true_videos(true["videos"]))


def _held_row(lesson: Lesson) -> dict[str, object]:
    tags: dict[str, list[str]] = {}
    for tag in lesson.tags:
        tags.setdefault(tag.dimension, []).append(tag.id)
    return {
        "type": lesson.kind.value,
        "title": lesson.title,
        "shown": display_title(lesson.title),
        "chapter_ids": list(lesson.sections),
        "chapter_titles": list(lesson.section_titles),
        "tags": {dimension: sorted(ids) for dimension, ids in tags.items()},
        "has_week": bool(lesson.week),
    }


def _true_row(true: dict[str, Any]) -> dict[str, object]:
    return {
        "type": true["type"],
        "title": true["title"],
        "shown": true["display_title"],
        "chapter_ids": true["chapter_ids"],
        "chapter_titles": true["chapter_titles"],
        "tags": {dimension: sorted(ids) for dimension, ids in true["tags"].items()},
        "has_week": true["week"] is not None,
    }


def _held_parts(lesson: Lesson) -> list[tuple[object, ...]]:
    return [(part.id, part.role, part.label, part.title, part.period) for part in lesson.parts]


def _true_parts(true: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (sub["id"], ROLES[sub["kind"]], sub["label"], sub["title"], sub["period"])
        for sub in true["subs"]
    ]


def _files_of(lesson: Lesson) -> Iterator[tuple[Part, RemoteFile]]:
    for part in lesson.parts:
        for file in part.files:
            yield part, file


def _held_files(lesson: Lesson) -> dict[str, tuple[object, ...]]:
    return {
        file.path: (
            part.id.removesuffix(".bookmarks"),
            file.format,
            sorted(file.flags),
            file.md5,
            file.size_bytes,
            file.is_protected,
        )
        for part, file in _files_of(lesson)
    }


def _true_files(files: list[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    return {
        file["path"]: (
            file["owner"],
            file["format"],
            sorted(file["flags"]),
            file["md5"],
            file["size"] if file["size_in_catalogue"] else 0,
            file["protected"],
        )
        for file in files
    }


def _held_videos(lesson: Lesson) -> dict[str, tuple[object, ...]]:
    return {
        file.path: (
            part.id,
            file.is_protected,
            file.height,
            file.total_bytes,
            file.segments,
            file.duration_s,
        )
        for part, file in _files_of(lesson)
        if file.format == "m3u8"
    }


def _true_videos(videos: list[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    return {
        rendition["path"]: (
            video["sub"],
            video["protected"],
            rendition["height"],
            rendition["total_size"],
            rendition["count"],
            video["seconds"],
        )
        for video in videos
        for rendition in video["renditions"]
    }


def _compare(what: str, held: object, true: object) -> Iterator[str]:
    if held != true:
        yield f"{what}: held {held!r}, in truth {true!r}"
