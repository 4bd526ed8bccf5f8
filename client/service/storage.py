"""Room for lessons: what takes it, what may go and what stays, and making some.

Invariants:
  SR1  Room is asked for before anything begins. It is made as `client.domain.eviction` says, or
       nothing goes and the error says how much lacks.
  SR2  A lesson is looked at once more right before it goes: one that a class has opened stays.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from client.domain.availability import Trust
from client.domain.catalogue import display_title
from client.domain.errors import StorageFullError
from client.domain.eviction import (
    Eviction,
    Leaving,
    Limits,
    Room,
    Shield,
    Stored,
    default_floor_bytes,
    evict,
    lacking_bytes,
    most_freeable_bytes,
)
from client.domain.ids import EventId, LessonId
from client.service.records import RecordService
from client.service.room import RoomService
from client.store import library_read, storage_read
from client.store.database import Database
from client.store.holding_store import HoldingStore
from client.store.storage_read import StoredRow

MB: Final = 1 << 20
_PIN: Final = "pin."
_KEPT: Final = "1"
_NOT_FETCHED_AGAIN: Final = frozenset({"", "folder"})
"""Kinds of sources that do not give a lesson a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRoom:
    """One lesson and the room it takes. Without `shield` it may go, for the reason `leaving`."""

    lesson: LessonId
    title: str
    size_bytes: int
    is_pinned: bool
    shield: Shield | None
    leaving: Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRoom:
    """The lessons of one textbook, the largest first. `title` is empty for those of none."""

    title: str
    subject: str
    lessons: tuple[LessonRoom, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of its lessons; a file of two lessons counts for both."""
        return sum(one.size_bytes for one in self.lessons)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePage:
    """Everything that 传输 says of room. Books with the most bytes come first."""

    room: Room
    limits: Limits
    books: tuple[BookRoom, ...] = ()
    freeable_bytes: int = 0
    freeable: int = 0
    """How many lessons may go."""
    quota_mb: int = 0
    floor_mb: int | None = None
    """As they were set; None where nobody chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePorts:
    """What it works with. The functions block and may be called from any thread."""

    database: Database
    holdings: HoldingStore
    room: RoomService
    records: RecordService
    coming: Callable[[], Collection[LessonId]]
    """Lessons of the next ten school days."""


class StorageService:
    """See the module. Methods return at once, but those that end with `_now`."""

    def __init__(self, ports: StoragePorts) -> None:
        self._ports: Final = ports
        self._gate = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="storage")

    # --- for the page ----------------------------------------------------------------------

    def page(self) -> Future[StoragePage]:
        """Answer what takes room."""
        return self._worker.submit(self.page_now)

    def free(self) -> Future[int]:
        """Let everything go that may; the future gives the bytes that are free by it."""
        return self._worker.submit(self._free)

    def drop(self, lesson: LessonId) -> Future[int]:
        """Let one lesson go; 0 when it is being taught."""
        return self._worker.submit(self._drop, (lesson,))

    def pin(self, lesson: LessonId, *, is_pinned: bool) -> Future[None]:
        """Keep a lesson whatever else goes, or no longer. It survives deleting library.db."""
        return self._ports.room.set_local(_PIN + lesson, _KEPT if is_pinned else "")

    def set_limit(self, name: str, value: str) -> Future[EventId]:
        """Change `store_quota_mb` or `store_floor_mb`; an empty text is the default."""
        return self._ports.room.set_setting(name, value)

    def close(self) -> None:
        """Finish what was asked, then stop."""
        self._worker.shutdown(wait=True)

    # --- blocking --------------------------------------------------------------------------

    def page_now(self) -> StoragePage:
        """See `page`."""
        rows = self._rows()
        stored = self._stored(rows)
        pins = self._pins()
        books: dict[tuple[str, str], list[LessonRoom]] = {}
        for row, one in zip(rows, stored, strict=True):
            books.setdefault((row.book, row.subject), []).append(
                LessonRoom(
                    lesson=one.lesson,
                    title=display_title(row.title),
                    size_bytes=one.size_bytes,
                    is_pinned=one.lesson in pins,
                    shield=one.shield,
                    leaving=one.leaving,
                )
            )
        found = [
            BookRoom(
                title=title,
                subject=subject,
                lessons=tuple(sorted(lessons, key=lambda one: (-one.size_bytes, one.lesson))),
            )
            for (title, subject), lessons in books.items()
        ]
        room, settings = self._room(), self._ports.room.snapshot().settings
        return StoragePage(
            quota_mb=settings.store_quota_mb,
            floor_mb=settings.store_floor_mb,
            room=room,
            limits=self._limits(room),
            books=tuple(sorted(found, key=lambda book: (-book.size_bytes, book.title))),
            freeable_bytes=most_freeable_bytes(stored),
            freeable=sum(one.shield is None for one in stored),
        )

    def require_now(self, more_bytes: int) -> None:
        """Make room for so many bytes (SR1).

        Raises:
            StorageFullError: `disk_full` or `quota_full`, with `free_mb` and `need_mb`.
        """
        room = self._room()
        limits = self._limits(room)
        lacking = lacking_bytes(room, limits, more_bytes)
        if not lacking:
            return
        chosen = evict(self._stored(self._rows()), lacking)
        if not chosen.short_bytes and self._drop(one.lesson for one in chosen.goes) >= lacking:
            return
        is_full = lacking_bytes(room, Limits(floor_bytes=limits.floor_bytes), more_bytes)
        raise StorageFullError("disk_full" if is_full else "quota_full", _need(room, chosen))

    # --- inside ----------------------------------------------------------------------------

    def _free(self) -> int:
        stored = self._stored(self._rows())
        return self._drop(one.lesson for one in stored if one.shield is None)

    def _drop(self, lessons: Iterable[LessonId]) -> int:
        """Drop lessons, but those that a class opened meanwhile (SR2)."""
        freed = 0
        with self._gate:
            for lesson in lessons:
                if lesson not in self._teaching():
                    freed += self._ports.holdings.drop(lesson)
        return freed

    def _rows(self) -> tuple[StoredRow, ...]:
        return self._ports.database.read_here(storage_read.stored)

    def _room(self) -> Room:
        total, free = self._ports.holdings.blobs.room()
        held = self._ports.database.read_here(storage_read.held_bytes)
        return Room(total_bytes=total, free_bytes=free, held_bytes=held)

    def _limits(self, room: Room) -> Limits:
        settings = self._ports.room.snapshot().settings
        floor_mb = settings.store_floor_mb
        return Limits(
            quota_bytes=settings.store_quota_mb * MB,
            floor_bytes=default_floor_bytes(room.total_bytes)
            if floor_mb is None
            else floor_mb * MB,
        )

    def _stored(self, rows: Iterable[StoredRow]) -> tuple[Stored, ...]:
        sittings = [row.lesson for row in self._ports.records.sittings()]
        uses = Counter(sittings)
        last = {lesson: place for place, lesson in enumerate(sittings, start=1)}
        shields = (
            (Shield.TEACHING, self._teaching()),
            (Shield.COMING, frozenset(self._ports.coming())),
            (Shield.PINNED, self._pins()),
            (Shield.WANTED, self._ports.database.read_here(storage_read.wanted)),
        )
        return tuple(
            Stored(
                lesson=row.lesson,
                files=row.files,
                uses=uses[row.lesson],
                since=len(sittings) - last.get(row.lesson, 0),
                trust=Trust.OBSERVED if Trust.OBSERVED in row.trusts else Trust.ATTESTED,
                is_withdrawn=row.is_withdrawn,
                shields=frozenset(
                    [shield for shield, names in shields if row.lesson in names]
                    + [Shield.ONLY_COPY] * (row.source_kind in _NOT_FETCHED_AGAIN)
                ),
            )
            for row in rows
        )

    def _teaching(self) -> frozenset[LessonId]:
        return frozenset(one.point.lesson for one in self._ports.records.unfinished())

    def _pins(self) -> frozenset[LessonId]:
        mine = self._ports.room.locals(_PIN)
        named = {LessonId(name) for name, kept in mine.items() if kept}
        return frozenset(named | self._ports.database.read_here(library_read.pinned))


def _need(room: Room, chosen: Eviction) -> dict[str, object]:
    return {"free_mb": room.free_bytes // MB, "need_mb": -(-chosen.short_bytes // MB)}
