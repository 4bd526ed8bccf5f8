"""A store of logs in SQLite: a room's journal and a hub keep them the same way.

What is true of it stands in `client.domain.record.log`; further invariants:
  LS1  Signatures are checked before the writer thread hears of a segment; what is decided there
      is decided by what the same transaction reads.
  LS2  A site never sees, holds back or is bounded by what another site in the same file holds.
  LS3  Whoever listens hears of the events of a `take` after they are durable, before its future is
      done.
  LS4  A segment that changed behind the program's back is never given to anybody; it is told, and
      holds up no other.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from client.domain.errors import ProtocolError, StorageError, StorageFullError
from client.domain.record.bodies import Incarnation
from client.domain.record.event import Event, writer_of
from client.domain.record.fold import read
from client.domain.record.log import MAX_LAMPORT_JUMP, Introduction, Taken, refused
from client.domain.record.segment import Segment, peek, unseal
from client.domain.record.vector import EMPTY, Stretch, Vector, told
from client.store import log_rows as rows
from client.store.database import Database
from client.store.keyfile import verify

Heard: TypeAlias = Callable[[Sequence[Event]], None]
Follow: TypeAlias = Callable[[sqlite3.Connection, Sequence[Event]], Sequence[Event]]
"""Writes what must be written because of new events, in their transaction, and returns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many bytes of segments one log and one site may have; None for no bound."""

    log_bytes: int | None = None
    site_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A segment whose signature and chain hold, and how to name its log if it is new here."""

    data: bytes
    segment: Segment
    introduction: Introduction | None

    @property
    def writer(self) -> bytes:
        return self.segment.events[0].writer

    @property
    def key(self) -> tuple[bytes, bytes]:
        """Public key and nonce of a log that is introduced."""
        one = self.introduction
        return (b"", b"") if one is None else (one.public_key, one.nonce)


@dataclass(slots=True)
class _Kept:
    """What one transaction did."""

    codes: list[Taken] = field(default_factory=list)
    fresh: list[Event] = field(default_factory=list)


class LogStore:
    """See `client.domain.record.log.Log`. `take` checks on the thread that calls it.

    Args:
        database: Opened with `schema_journal.MIGRATIONS` or what begins with them.
        site: The school, 8 bytes; empty for the file of a room.
        quota: Bounds for what is taken.
        heard: Called with the events that were new (LS3).
        follow: Called inside the transaction with the events that are new.
        relieve: Makes room on a full disk; tells whether it did.
    """

    def __init__(
        self,
        database: Database,
        site: bytes = b"",
        *,
        quota: Quota = Quota(),
        heard: Heard | None = None,
        follow: Follow | None = None,
        relieve: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database: Final = database
        self._site: Final = site
        self._quota: Final = quota
        self._heard: Final = heard
        self._follow: Final = follow
        self._relieve: Final = relieve
        self.spoilt: Callable[[], object] | None = None
        """Called for each damaged segment that is met (LS4); must not raise."""
        self._gate = threading.Lock()
        self._known: tuple[int, Vector] | None = None
        """The vector, and the change it was read at."""

    def take(
        self, segments: Sequence[bytes], introductions: Sequence[Introduction] = ()
    ) -> Future[tuple[Taken, ...]]:
        """See the port."""
        answer: Future[tuple[Taken, ...]] = Future()
        answer.set_running_or_notify_cancel()
        try:
            checked = self._database.read_here(
                lambda connection: self._check(connection, segments, introductions)
            )
        except StorageError as error:
            answer.set_exception(error)
        else:
            self._submit(checked, answer)
        return answer

    def vector(self) -> Vector:
        """See the port."""
        return self._database.read_here(self._vector)

    def missing(
        self,
        there: Vector,
        max_bytes: int,
        *,
        sent: Sequence[Stretch] = (),
        is_patient: bool = False,
    ) -> tuple[bytes, ...]:
        """See the port."""

        def look(connection: sqlite3.Connection) -> tuple[bytes, ...]:
            here = self._vector(connection)
            theirs = _by_writer((*told(there, here), *sent))
            mine = _by_writer((*here.open, *(here.closed or ())))
            return self._lacking(connection, mine, theirs, max_bytes, is_patient=is_patient)

        return self._database.read_here(look)

    def lacks(self, there: Vector) -> frozenset[bytes]:
        """See the port."""

        def look(connection: sqlite3.Connection) -> frozenset[bytes]:
            here, site = self._vector(connection), rows.select_site(connection, self._site)
            known = {*here.open, *(here.closed or ())}
            return frozenset(
                one.writer
                for one in told(there, here)
                if one not in known and not _has(connection, site, one)
            )

        return self._database.read_here(look)

    def is_continued(self, writer: bytes) -> bool:
        """See the port."""

        def look(connection: sqlite3.Connection) -> bool:
            site = rows.select_site(connection, self._site)
            return site is not None and rows.count_named(connection, writer, site.si) > 0

        return self._database.read_here(look)

    def stretches(self, segments: Sequence[bytes]) -> tuple[Stretch, ...]:
        """See the port."""
        return self._database.read_here(
            lambda connection: tuple(
                rows.select_stretch(connection, self._site, data) for data in segments
            )
        )

    def introductions(self, segments: Sequence[bytes]) -> tuple[Introduction, ...]:
        """See the port."""
        writers = sorted({peek(data).writer for data in segments})
        return self._database.read_here(
            lambda connection: rows.select_unbegun(connection, self._site, writers)
        )

    # --- inside --------------------------------------------------------------------------

    def _submit(
        self, checked: Sequence[_Checked | Taken], answer: Future[tuple[Taken, ...]]
    ) -> None:
        def done(kept: Future[_Kept]) -> None:
            error = kept.exception()
            if isinstance(error, StorageFullError):
                if self._relieve():
                    self._submit(checked, answer)
                else:
                    answer.set_result(tuple(_refused(one, Taken.FULL) for one in checked))
            elif error is not None:
                answer.set_exception(error)
            else:
                self._told(kept.result(), answer)

        try:
            writing = self._database.write(
                lambda connection: self._keep(connection, checked), may_group=True
            )
            writing.add_done_callback(done)
        except StorageError as error:
            answer.set_exception(error)

    def _told(self, kept: _Kept, answer: Future[tuple[Taken, ...]]) -> None:
        try:
            if self._heard is not None and kept.fresh:
                self._heard(kept.fresh)
        finally:
            answer.set_result(tuple(kept.codes))

    def _vector(self, connection: sqlite3.Connection) -> Vector:
        # The change is read first: what is read behind it can only be newer, and is read again.
        site = rows.select_site(connection, self._site)
        if site is None:
            return EMPTY
        with self._gate:
            known = self._known
        if known is None or known[0] != site.changes:
            known = site.changes, rows.select_vector(connection, site.si)
            with self._gate:
                self._known = known
        return known[1]

    def _lacking(
        self,
        connection: sqlite3.Connection,
        mine: dict[bytes, set[Stretch]],
        theirs: dict[bytes, set[Stretch]],
        max_bytes: int,
        *,
        is_patient: bool,
    ) -> tuple[bytes, ...]:
        site = rows.select_site(connection, self._site)
        chosen: list[bytes] = []
        room = max_bytes
        for writer in sorted(mine) if site is not None else ():
            told_of = theirs.get(writer, set())
            wi = None if mine[writer] <= told_of else _index(connection, site, writer)
            if wi is None:
                continue
            if is_patient and not all(rows.has_id(connection, wi, one.head) for one in told_of):
                continue
            for data in rows.lacking(connection, wi, mine[writer], told_of):
                if not self._is_sound(connection, data):
                    continue
                room -= len(data)
                if chosen and room < 0:
                    return tuple(chosen)
                chosen.append(data)
        return tuple(chosen)

    def _is_sound(self, connection: sqlite3.Connection, data: bytes) -> bool:
        """Tell whether a segment still is what was signed (LS4)."""
        try:
            unseal(data, lambda writer: rows.select_key(connection, self._site, writer), verify)
        except ProtocolError:
            if self.spoilt is not None:
                self.spoilt()
            return False
        return True

    def _check(
        self,
        connection: sqlite3.Connection,
        segments: Sequence[bytes],
        introductions: Sequence[Introduction],
    ) -> tuple[_Checked | Taken, ...]:
        given = {one.writer: one for one in introductions}
        mates: dict[bytes, bytes] = {}
        """Keys of logs that begin in this batch."""

        def key_of(writer: bytes) -> bytes | None:
            if writer in given:
                return given[writer].public_key
            return mates.get(writer) or rows.select_key(connection, self._site, writer)

        found: list[_Checked | Taken] = []
        for data in segments:
            try:
                segment = unseal(data, key_of, verify)
            except ProtocolError as error:
                found.append(refused(error))
                continue
            own = _introduction(segment)
            if own is not None:
                mates[own.writer] = own.public_key
            introduction = own or given.get(segment.events[0].writer)
            found.append(_Checked(data=data, segment=segment, introduction=introduction))
        return tuple(found)

    def _keep(self, connection: sqlite3.Connection, checked: Sequence[_Checked | Taken]) -> _Kept:
        kept = _Kept()
        for one in checked:
            code = one if isinstance(one, Taken) else self._keep_one(connection, one, kept.fresh)
            kept.codes.append(code)
        if self._follow is not None and kept.fresh:
            kept.fresh += self._follow(connection, tuple(kept.fresh))
        return kept

    def _keep_one(self, connection: sqlite3.Connection, one: _Checked, heard: list[Event]) -> Taken:
        site = rows.select_site(connection, self._site)
        wi = _index(connection, site, one.writer)
        if wi is None and one.introduction is None:
            return Taken.WRITER_UNKNOWN
        events = one.segment.events
        here, sealed = (_NONE, _NONE) if wi is None else rows.held(connection, wi, events)
        if all(event.hash in sealed for event in events):
            return Taken.HELD
        site = site or rows.insert_site(connection, self._site)
        if events[-1].lc > site.lc + MAX_LAMPORT_JUMP:
            rows.keep_out(connection, site.si, one.data)
            return Taken.QUARANTINED
        if self._is_full(connection, site, wi, len(one.data)):
            return Taken.FULL
        if wi is None:
            wi = rows.insert_writer(connection, one.writer, one.key, site.si)
        fresh = [event for event in events if event.hash not in here]
        for event in fresh:
            rows.insert_event(connection, wi, event, is_sealed=True)
        rows.insert_sealed(connection, wi, events, one.data)
        heard += fresh
        return Taken.STORED

    def _is_full(
        self, connection: sqlite3.Connection, site: rows.Site, wi: int | None, more: int
    ) -> bool:
        log_bytes = 0 if wi is None else rows.size_of(connection, wi)
        bounds = (
            (self._quota.log_bytes, log_bytes),
            (self._quota.site_bytes, site.size_bytes),
        )
        return any(bound is not None and now + more > bound for bound, now in bounds)


_NONE: Final[frozenset[bytes]] = frozenset()


def _index(connection: sqlite3.Connection, site: rows.Site | None, writer: bytes) -> int | None:
    return None if site is None else rows.writer_index(connection, writer, site.si)


def _has(connection: sqlite3.Connection, site: rows.Site | None, one: Stretch) -> bool:
    wi = _index(connection, site, one.writer)
    return wi is not None and rows.has_id(connection, wi, one.head)


def _refused(one: _Checked | Taken, code: Taken) -> Taken:
    return one if isinstance(one, Taken) else code


def _introduction(segment: Segment) -> Introduction | None:
    """Return the key that the first event of a log brings."""
    entry = read(segment.events[0])
    if entry is None or not isinstance(entry.body, Incarnation):
        return None
    key = entry.body.public_key, entry.body.nonce
    if writer_of(*key) != segment.events[0].writer:
        return None
    return Introduction(public_key=key[0], nonce=key[1])


def _by_writer(stretches: Sequence[Stretch]) -> dict[bytes, set[Stretch]]:
    found: dict[bytes, set[Stretch]] = {}
    for stretch in stretches:
        found.setdefault(stretch.writer, set()).add(stretch)
    return found
