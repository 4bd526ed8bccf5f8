"""A disk that is full at any write, or that takes none, inside SQLite itself: what was acknowledged
is there, what was not was refused in words, and all goes on with room (P1, J1, J7, W1, H2, CL2).

SQLite refuses by its own limit of pages, so every page that a store would add is once the first
that does not fit; with `query_only` it refuses as on a disk that can only be read.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError, StorageFullError
from client.domain.ids import ClassId
from client.domain.record import bodies as b
from client.domain.record.event import follows
from client.domain.record.fold import Fold
from client.domain.record.log import Taken
from client.domain.record.vector import EMPTY
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key as Press
from client.service.records import RecordService
from client.store.database import Database, quick_check
from client.store.keyfile import verify
from client.store.repair import open_journal
from sync.hub.care import check
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.hub.respond import Responder
from sync.protocol.exchange import Reading, Request, node_of, open_reply, pack_request
from tests.fakes.memory_log import MemoryLog
from tests.hub_world import SITE
from tests.journal_room import cue, make_journal
from tests.log_world import Key, Pen
from tests.unit.service.test_sitting_service import Class

PLENTY = 1 << 30
NOTE = "余" * 700
"""Fills half a page, so that every step of a limit stops another write."""


def set_limit(database: Database, more: int | None) -> None:
    """Let a file grow by so many pages and no further; None takes the limit away."""

    def job(connection) -> None:
        now = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {PLENTY if more is None else now + more}")

    database.write(job).result()


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """Have every write refused."""
    writer = database.write(lambda connection: connection).result()
    writer.execute("PRAGMA query_only = ON")
    yield
    writer.execute("PRAGMA query_only = OFF")


def note(number: int) -> b.NoteWritten:
    return b.NoteWritten(
        note=number.to_bytes(8), sitting=b.SittingId(""), class_ids=(), lesson=None, text=NOTE
    )


class Lesson:
    """Does what a room does, and notes outside of it what it was promised."""

    def __init__(self, journal) -> None:
        self.journal, self.pen = journal, Pen().write(1)
        self.promised: set[bytes] = set()
        self.refused = 0

    def teach(self, round_: int) -> None:
        for step in (self.append, self.draft, self.seal, self.take, self.point):
            try:
                step(round_)
            except StorageFullError as error:
                assert error.code == "disk_full"
                self.refused += 1

    def append(self, round_: int) -> None:
        self.promised.add(self.journal.append(note(round_)).result())

    def draft(self, round_: int) -> None:
        events = self.journal.draft(lambda _: (cue(round_), note(1000 + round_))).result()
        self.promised.update(event.id for event in events)

    def seal(self, _round: int) -> None:
        self.journal.seal().result()

    def take(self, round_: int) -> None:
        pen = self.pen.write(*range(round_ + 1))
        (code,) = self.journal.log.take((pen.seal(),)).result()
        if code is Taken.FULL:
            self.refused += 1
            self.pen.sealed = self.kept
        else:
            assert code is Taken.STORED
            self.kept = pen.sealed
            self.promised.update(event.id for event in pen.events)

    kept = 0

    def point(self, round_: int) -> None:
        self.journal.set_local("place", str(round_)).result()

    def check(self) -> None:
        events = [event for _, event in self.journal.events()]
        assert self.promised <= {event.id for event in events}
        for writer in {event.writer for event in events}:
            before = None
            for event in sorted((e for e in events if e.writer == writer), key=lambda e: e.seq):
                assert follows(event, before)
                before = event


@pytest.mark.parametrize("pages", range(16))
def test_p1_j1_a_journal_that_is_full_at_any_page_keeps_what_it_promised(tmp_path, pages):
    """W1, J7: nothing else in the file is harmed, and sealing catches up when there is room."""
    lesson = Lesson(make_journal(tmp_path))
    database = lesson.journal._database
    set_limit(database, pages)
    for round_ in range(9):
        lesson.teach(round_)
    lesson.check()
    assert lesson.refused
    set_limit(database, None)
    refused = lesson.refused
    lesson.teach(99)
    assert lesson.refused == refused
    lesson.check()
    lesson.journal.close()
    assert quick_check(tmp_path / "journal.db")
    found = open_journal(tmp_path, FrozenClock())
    assert found.notices == ()
    lesson.journal = found.journal
    lesson.check()
    found.journal.seal().result()
    hub = MemoryLog()
    assert all(code.is_kept for code in hub.take(found.journal.log.missing(EMPTY, PLENTY)).result())
    assert lesson.promised <= {event.id for event in hub.events.values()}
    found.journal.close()


def test_p1_a_journal_that_can_only_be_read_refuses_and_goes_on_later(tmp_path):
    with closing(make_journal(tmp_path)) as journal:
        names = [journal.append(cue(n)).result() for n in range(3)]
        with read_only(journal._database):
            for refuse in (
                lambda: journal.append(cue(9)).result(),
                lambda: journal.draft(lambda _: (cue(9),)).result(),
                lambda: journal.seal().result(),
                lambda: journal.log.take((Pen().seal(),)).result(),
                lambda: journal.set_local("place", "1").result(),
            ):
                with pytest.raises(StorageError, match="store_failed"):
                    refuse()
            assert len(journal.events()) == len(names) + 1
        names.append(journal.append(cue(4)).result())
        assert {*names} <= {event.id for _, event in journal.events()}


@contextmanager
def set_full(database: Database) -> Iterator[None]:
    """Have no page more fit."""
    set_limit(database, 0)
    yield
    set_limit(database, None)


@pytest.mark.parametrize("refuse", [set_full, read_only])
def test_cl2_teaching_goes_on_says_so_and_is_written_down_when_there_is_room(tmp_path, refuse):
    """P1: a real sitting on a real journal; the player never waits."""
    with closing(make_journal(tmp_path)) as journal:
        room = Class(book=RecordService(journal, lambda: (ClassId("c3"),)).recorder)
        room.key(Press.PLAY).wait(4.0)
        with refuse(journal._database):
            fill(journal)
            room.key(Press.HEAD_MORE).wait(32.0)
            until(room, lambda: room.sitting.view().trouble is not None)
            assert room.sitting.view().trouble.reason.code in ("disk_full", "store_failed")
            assert room.state.phase is Phase.PLAYING
        until(room, lambda: room.sitting.view().trouble is None)
        journal.set_local("settled", "1").result()
        room.close()
        kinds = {type(entry.body) for entry in Fold(e for _, e in journal.events()).facts(*HEADS)}
        assert kinds == {b.HeadcountTaken}


def until(room, check) -> None:
    """Let the class go on until something is so; its writes end on a thread of their own."""
    for _ in range(1000):
        if check():
            return
        room.wait(2.0)
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


HEADS = (b.EventType.HEADCOUNT,)


def fill(journal) -> None:
    """Use up what pages still have room for."""
    for number in range(50):
        for body in (note(5000 + number), cue(number)):
            with suppress(StorageError):
                journal.append(body).result()


class School:
    """A hub on a real folder, and a room that pushes and notes what was acknowledged."""

    def __init__(self, folder: HubFolder) -> None:
        self.folder, self.signer = folder, folder.key()
        self.key = Key()
        folder.directory.enrol(
            Node(key=self.key.public_key, role=Role.ROOM, site=SITE, school="S", room="R")
        )
        self.responder = Responder(
            self.signer, folder.directory, folder.logs, FrozenClock(), verify
        )
        self.acknowledged: set[bytes] = set()
        self.refused = 0

    def push(self, pen: Pen, machine: int) -> None:
        request = Request(
            site=SITE,
            node=node_of(self.key.public_key),
            machine=machine.to_bytes(8),
            have=EMPTY.summary,
            segments=(pen.seal(),),
            clock=Reading(boot=1, mono_ms=1, wall_ms=1),
        )
        envelope = pack_request(request, self.signer.public_key, self.key)
        try:
            answer = self.responder.answer(envelope)
        except StorageError:
            # What HTTP says 507 or 503 to: nothing was acknowledged.
            self.refused += 1
            return
        (code,) = open_reply(answer, envelope, self.signer.public_key, verify).codes
        if code.is_kept:
            self.acknowledged.update(event.hash for event in pen.events)
        else:
            assert code is Taken.FULL
            self.refused += 1

    def day(self, pens: list[Pen]) -> None:
        for machine, pen in enumerate(pens):
            self.push(pen.clone(), machine)

    def held(self) -> set[bytes]:
        return self.folder.log_database.read_here(
            lambda c: {row[0] for row in c.execute("SELECT hash FROM event")}
        )


FILLED = [("logs", pages, 40, 4) for pages in range(12)] + [
    ("hub", pages, 160, 0) for pages in range(2)
]
"""Which file, how many pages more it may have, how many logs come, and how many notes in each."""


@pytest.mark.parametrize(("file", "pages", "logs", "notes"), FILLED)
def test_h2_a_hub_that_is_full_at_any_page_acknowledges_what_it_has(
    tmp_path, file, pages, logs, notes
):
    """W1: it stays sound, and takes the rest when there is room."""
    with HubFolder(tmp_path / "hub", FrozenClock(), is_new_allowed=True) as folder:
        school = School(folder)
        set_limit(folder.database if file == "hub" else folder.log_database, pages)
        pens = [Pen(school.key.rotated()) for _ in range(logs)]
        for pen in pens:
            for number in range(notes):
                pen.add(note(number))
        school.day(pens)
        assert school.refused
        assert school.acknowledged <= school.held()
        assert check(folder).is_sound
        for one in (folder.database, folder.log_database):
            set_limit(one, None)
        refused = school.refused
        school.day(pens)
        assert school.refused == refused
        assert school.acknowledged == {event.hash for pen in pens for event in pen.events}
        assert school.acknowledged <= school.held()
        assert check(folder).is_sound


def test_h2_a_hub_that_can_only_be_read_acknowledges_nothing(tmp_path):
    with HubFolder(tmp_path / "hub", FrozenClock(), is_new_allowed=True) as folder:
        school = School(folder)
        pen = Pen(school.key)
        with read_only(folder.database), read_only(folder.log_database):
            school.day([pen])
        assert (school.refused, school.acknowledged, school.held()) == (1, set(), set())
        school.day([pen])
        assert school.acknowledged <= school.held()
        assert school.acknowledged
