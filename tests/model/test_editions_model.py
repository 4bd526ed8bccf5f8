"""Rooms that follow a hub in fits and starts (edition_sync, edition_files, edition_store).

Editions of any catalogue follow each other; a room takes some of them, is cut off anywhere, is
shown old heads and damaged files, loses its library or its rows. In the end it has the last one.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.canon import encode
from client.domain.clock import FrozenClock
from client.domain.edition import Group
from client.domain.edition_known import read_known
from client.domain.errors import ClassroomError, ProtocolError, UnreachableError
from client.domain.ids import Digest, SourceId
from client.domain.record.anchors import Present
from client.store.catalogue_store import CatalogueStore
from client.store.edition_store import EditionStore
from client.store.keyfile import verify
from client.store.library import open_library
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.catalogue_sync import CatalogueProgress
from sync.engine.edition_files import EditionFiles
from sync.engine.edition_sync import EditionPorts, EditionReport, sync_edition
from sync.engine.edition_way import Use
from sync.protocol.edition import Delta, Head, NamedFile, pack_head
from sync.protocol.edition_rows import group_order, rows_of
from sync.protocol.row_stream import framed, packed, rows_in, steps
from tests.catalogue_world import film, groups, one_lesson
from tests.log_world import Key

HUB = SourceId("hub")
catalogues = st.lists(
    groups(), min_size=1, max_size=3, unique_by=lambda group: group.key
) | st.just([])


class Hub:
    """Makes editions in memory."""

    def __init__(self) -> None:
        self.key = Key()
        self.files: dict[str, bytes] = {}
        self.heads: list[bytes] = []
        self.streams: list[bytes] = []

    def publish(self, catalogue: list[Group]) -> None:
        in_order = sorted(catalogue, key=lambda group: group_order(group.key))
        rows = [encode(row) for group in in_order for row in rows_of(group)]
        stream = b"".join(framed(rows))
        head = Head(
            number=len(self.heads) + 1,
            signed_ms=len(self.heads),
            rows_digest=Digest(hashlib.sha256(stream).hexdigest()),
            rows_bytes=len(stream),
            rows=len(rows),
            whole=self._file(stream),
            deltas=tuple(
                self._delta(number, before, rows) for number, before in enumerate(self.streams, 1)
            ),
        )
        self.heads.append(pack_head(head, self.key))
        self.streams.append(stream)

    def _delta(self, number: int, before: bytes, rows: list[bytes]) -> Delta:
        between = b"".join(framed(steps(rows_in([before]), rows)))
        return Delta(base=number, file=self._file(between), unpacked_bytes=len(between))

    def _file(self, plain: bytes) -> NamedFile:
        data = b"".join(packed([plain]))
        digest = Digest(hashlib.sha256(data).hexdigest())
        self.files[digest] = data
        return NamedFile(digest=digest, size_bytes=len(data))


class Way:
    """Carries a hub's files, or breaks after so many of them."""

    def __init__(self, hub: Hub, folder: Path, number: int, breaks: int) -> None:
        self._hub, self._folder, self._number, self._left = hub, folder, number, breaks
        self.requests = 0

    def head(self, _: CancelToken) -> bytes:
        return self._hub.heads[self._number]

    def bring(self, file: NamedFile, use: Use, _: CancelToken) -> None:
        self._left -= 1
        if self._left == 0:
            raise UnreachableError("cut_off")
        path = self._folder / "came"
        path.write_bytes(self._hub.files[file.digest])
        use(path)

    def rows(self, _head: Head, _use: Use, _cancel: CancelToken) -> bool:
        return False


class Room:
    """A library and what is known, through several lives."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder, self.hub, self.known = folder, hub, b""

    @contextmanager
    def store(self) -> Iterator[tuple[EditionStore, CatalogueStore, WithdrawalRows]]:
        db = open_library(self.folder / "library.db")
        try:
            yield EditionStore(db), CatalogueStore(db), WithdrawalRows(db)
        finally:
            db.close()

    def sync(self, number: int, breaks: int = 0, stop_at: int = 0) -> EditionReport:
        cancel = CancelToken()

        def tell(progress: CatalogueProgress) -> None:
            if progress.done == stop_at:
                cancel.cancel()

        with self.store() as (store, catalogue, withdrawals):
            ports = EditionPorts(
                source=HUB,
                key=self.hub.key.public_key,
                way=Way(self.hub, self.folder, number, breaks),
                files=EditionFiles(self.folder / "editions"),
                store=store,
                catalogue=catalogue,
                withdrawals=withdrawals,
                others=(),
                load=lambda: self.known,
                save=lambda known: setattr(self, "known", known),
                present=lambda: Present(writer=b"", boot=1, mono_ms=1, wall_ms=0),
                verify=verify,
                clock=FrozenClock(),
                received=lambda: 0,
            )
            return sync_edition(ports, tell, cancel)

    def shown(self) -> dict[str, tuple[object, ...]]:
        with self.store() as (store, catalogue, _):
            books = {str(book.id): book for book in catalogue.books()}
            ids = [id_ for key in books for id_ in catalogue.ids_of_book(books[key].id)]
            found = catalogue.lessons((*ids, *catalogue.loose_ids()))
            told = {
                file.path: [one for _, one in store.attested(file.path)]
                for lesson in found
                for part in lesson.parts
                for file in part.files
            }
            return {
                "books": (tuple(sorted(books)),),
                **{f"lesson {one.id}": (replace(one, section_titles=()),) for one in found},
                **{f"file {path}": tuple(one) for path, one in told.items()},
            }


def wanted(catalogue: list[Group]) -> dict[str, tuple[object, ...]]:
    """What a room that has an edition shows."""
    lessons = [lesson for group in catalogue for lesson in group.lessons]
    protected = {
        file.path
        for lesson in lessons
        for part in lesson.parts
        for file in part.files
        if file.is_protected
    }
    told = {
        one.path: one for group in catalogue for one in group.attested if one.path not in protected
    }
    files = {file.path for lesson in lessons for part in lesson.parts for file in part.files}
    return {
        "books": (tuple(sorted(group.key for group in catalogue if group.key)),),
        **{f"lesson {one.id}": (replace(one, section_titles=()),) for one in lessons},
        **{f"file {path}": (told[path],) if path in told else () for path in files},
    }


def apart(catalogue: list[Group], number: int) -> list[Group]:
    """Give records ids that come again in other editions, and never twice in one."""
    made = []
    for place, given_group in enumerate(catalogue):
        group = given_group
        if given_group.book is not None:
            book = replace(given_group.book, id=f"b-{place}")
            sections = tuple(replace(one, book=book.id) for one in given_group.sections)
            group = replace(given_group, key=book.id, book=book, sections=sections)
        mark = f"{group.key}/{number % 2}/"
        lessons = []
        paths: dict[str, str] = {}
        for lesson in group.lessons:
            parts = []
            for part in lesson.parts:
                files = []
                for file in part.files:
                    if file.path in paths:
                        continue
                    paths[file.path] = mark + file.path
                    files.append(replace(file, path=paths[file.path]))
                parts.append(replace(part, lesson=f"{mark}{lesson.id}", files=tuple(files)))
            at_home = None if group.book is None else group.book.id
            lessons.append(
                replace(lesson, id=f"{mark}{lesson.id}", book=at_home, parts=tuple(parts))
            )
        attested = [replace(one, path=paths[one.path]) for one in group.attested]
        made.append(replace(group, lessons=tuple(lessons), attested=tuple(attested)))
    return made


TWO = [one_lesson(film(b"x")[0], f"l-{name}", name) for name in ("a", "b")]
happenings = st.lists(
    st.tuples(
        st.sampled_from(
            ["sync", "sync", "break", "stop", "old", "lose library", "lose rows", "damage"]
        ),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(catalogues, happenings), min_size=2, max_size=4))
@example([([], [("sync", 0)]), (TWO, [("stop", 0)]), ([], [("sync", 0)])])
@example([(TWO, [("sync", 0)]), (TWO[:1], [("sync", 0)]), (TWO, [("stop", 0), ("sync", 0)])])
def test_ey2_a_room_ends_with_the_last_edition_whatever_happened(tmp_path_factory, story):
    """EY1 to EY3, EF1, EF3, ES1, ES3: and what it believes never goes back."""
    hub = Hub()
    room = Room(tmp_path_factory.mktemp("room"), hub)
    believed, was_damaged = 0, False
    last: list[Group] = []
    for number, (catalogue, events) in enumerate(story):
        last = apart(catalogue, number)
        hub.publish(last)
        for event, chance in events:
            try:
                happen(room, number, event, chance)
            except ClassroomError as error:
                assert not isinstance(error, ProtocolError) or event == "old" or was_damaged
            was_damaged |= event == "damage"
            known = read_known(room.known).number
            assert known >= believed
            believed = known
    try:
        room.sync(len(story) - 1)
    except ProtocolError:
        room.sync(len(story) - 1)
    assert room.shown() == wanted(last)


def happen(room: Room, number: int, event: str, chance: int) -> None:
    if event == "lose library":
        (room.folder / "library.db").unlink(missing_ok=True)
        return
    if event in ("lose rows", "damage"):
        for path in (room.folder / "editions").glob("*.rows"):
            path.unlink() if event == "lose rows" else path.write_bytes(path.read_bytes()[:-5])
        return
    room.sync(
        max(0, number - chance) if event == "old" else number,
        breaks=1 + chance % 2 if event == "break" else 0,
        stop_at=1 + chance if event == "stop" else 0,
    )
