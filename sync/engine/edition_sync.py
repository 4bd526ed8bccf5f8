"""Bring the catalogue up to a hub's newest edition: head, list of withdrawals, rows, books.

Invariants:
  EY1  Rows are taken only of a head that is signed by the pinned key and that `edition_trust`
       believes; what was believed is kept before any row of it is shown.
  EY2  A sync that was cut off anywhere goes on from there: files by range, books one by one.
  EY3  Steps that do not lead to the digest of the head are given up for the whole, once.
  EY5  The list of withdrawals is taken as soon as its head is believed, however the rows fare; of
       an edition that is not believed it is not taken.
  EY4  No clock on the wall is asked; silence is counted whether the hub answers or not.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.edition import Group
from client.domain.edition_known import Known, is_frozen, pack_known, passed, read_known
from client.domain.errors import ProtocolError, RefusedError, UnreachableError, UserError
from client.domain.ids import BookId, Digest, SourceId
from client.domain.record.anchors import Present
from client.domain.signer import Verify
from client.store.catalogue_store import CatalogueStore
from client.store.edition_store import EditionStore
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.catalogue_sync import CatalogueProgress, CatalogueReport, Phase, Progress
from sync.engine.edition_files import EditionFiles
from sync.engine.edition_trust import believed, judge
from sync.engine.edition_way import EditionWay
from sync.protocol.edition import Delta, Head, open_head
from sync.protocol.edition_rows import group_of

FROZEN: Final = "edition_frozen"
"""Note: the hub should have had something newer by now."""
_OURS: Final = frozenset({"signature_bad", "version_unknown"})
"""What only a hub's own head, or a forged one, can be refused for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionReport(CatalogueReport):
    """What a sync with a hub found."""

    number: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPorts:
    """What a sync with one hub works with."""

    source: SourceId
    key: bytes
    """The hub's, pinned."""
    way: EditionWay
    files: EditionFiles
    store: EditionStore
    catalogue: CatalogueStore
    withdrawals: WithdrawalRows
    others: Collection[SourceId]
    """Sources that this room reads by itself."""
    load: Callable[[], bytes]
    """Gives what is known of the hub's editions (`edition_trust.pack_known`)."""
    save: Callable[[bytes], None]
    present: Callable[[], Present]
    verify: Verify
    clock: Clock
    received: Callable[[], int]
    """Bytes that came so far."""


@dataclass(slots=True, kw_only=True)
class _Sums:
    added: int = 0
    changed: int = 0
    withdrawn: int = 0


def sync_edition(ports: EditionPorts, progress: Progress, cancel: CancelToken) -> EditionReport:
    """Take a hub's newest edition (EY1 to EY4). Blocking.

    Raises:
        UserError: `edition_absent`: it publishes nothing.
        TransportError: The hub cannot be reached; what came is kept.
        RefusedError: It has not all that its head names.
        ProtocolError: `edition_rollback`, `edition_mixed`, `signature_bad`, or a damaged edition.
        StorageError: The disk is full or failed.
        Cancelled: As asked.
    """
    return _Run(ports, progress, cancel).report()


def take_word(ports: EditionPorts, cancel: CancelToken) -> None:
    """Take a head and its list of withdrawals, and nothing else (EY5). Blocking.

    Raises:
        As `sync_edition`.
    """
    _Run(ports, lambda _: None, cancel).word()


class _Run:
    """One sync on its way."""

    def __init__(self, ports: EditionPorts, progress: Progress, cancel: CancelToken) -> None:
        self._ports = ports
        self._progress = progress
        self._cancel = cancel
        self._sums = _Sums()

    def report(self) -> EditionReport:
        """Do all of it and give the figures."""
        ports = self._ports
        begun, received = ports.clock.monotonic(), ports.received()
        known, head = self.word()
        if not ports.files.has(head.rows_digest):
            self._rows(head)
        self._take(head)
        books, lessons = ports.store.counts(ports.source)
        return EditionReport(
            source=ports.source,
            books=len(books),
            lessons=lessons,
            resources=ports.catalogue.parts_of_books([BookId(book) for book in books]),
            added=self._sums.added,
            changed=self._sums.changed,
            withdrawn=self._sums.withdrawn,
            held_back=0,
            requests=ports.way.requests,
            bytes_received=ports.received() - received,
            seconds=round(ports.clock.monotonic() - begun, 3),
            skipped=0,
            failed=0,
            number=head.number,
            notes=(FROZEN,) if is_frozen(known) else (),
        )

    def word(self) -> tuple[Known, Head]:
        """Believe the head, or raise, and take its list (EY1, EY5)."""
        ports, known = self._ports, self._now()
        # Silence counts whether the hub answers or not (EY4).
        ports.save(pack_known(known))
        data = self._head_bytes()
        head = self._open(data)
        verdict = judge(known, head)
        if not verdict.is_believed:
            raise ProtocolError(verdict.value)
        known = believed(known, head)
        ports.save(pack_known(known))
        self._withdraw(head)
        ports.files.keep_head(data)
        return known, head

    def _now(self) -> Known:
        present = self._ports.present()
        return passed(read_known(self._ports.load()), present.boot, present.mono_ms)

    def _head_bytes(self) -> bytes:
        try:
            return self._ports.way.head(self._cancel)
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise UserError("edition_absent") from error
            raise

    def _open(self, data: bytes) -> Head:
        try:
            return open_head(data, self._ports.key, self._ports.verify)
        except ProtocolError as error:
            if error.code in _OURS:
                raise
            # A login page in between, as likely as not.
            raise UnreachableError("not_the_hub") from error

    # --- rows -----------------------------------------------------------------------------

    def _rows(self, head: Head) -> None:
        """Bring the rows, by steps where there are some from what is here (EY3)."""
        files, here = self._ports.files, self._ports.files.number()
        if self._ports.way.rows(head, lambda path: files.keep_whole(path, head), self._cancel):
            return
        step = next((delta for delta in head.deltas if delta.base == here), None)
        if step is not None and self._by_steps(step, head):
            return
        self._ports.way.bring(head.whole, lambda path: files.keep_whole(path, head), self._cancel)

    def _by_steps(self, step: Delta, head: Head) -> bool:
        files, size = self._ports.files, step.unpacked_bytes
        try:
            self._ports.way.bring(
                step.file, lambda path: files.keep_steps(path, size, head), self._cancel
            )
        except (ProtocolError, RefusedError):
            return False
        return True

    # --- books ----------------------------------------------------------------------------

    def _take(self, head: Head) -> None:
        """Take every book that is not as it was taken last (EY2)."""
        ports = self._ports
        if ports.store.taken(ports.source) == head.rows_digest:
            return
        # Half of one edition and half of another is neither, also if the first comes again.
        ports.store.note_taken(ports.source, Digest(""))
        before = dict(ports.store.digests(ports.source))
        for done, group in enumerate(ports.files.groups()):
            self._cancel.check()
            key = group.key
            if before.pop(key, "") != group.digest:
                self._put(group_of(key, group.read()), Digest(group.digest))
            self._tell(done)
        for key in before:
            self._put(Group(key=key), Digest(""))
        ports.store.note_taken(ports.source, head.rows_digest)

    def _put(self, group: Group, digest: Digest) -> None:
        ports, sums = self._ports, self._sums
        changes, gone = ports.store.put(ports.source, group, digest, ports.others)
        sums.added += len(changes.added)
        sums.changed += len(changes.changed)
        sums.withdrawn += gone

    def _withdraw(self, head: Head) -> None:
        """Stop offering what the hub's list names; its keeper's word counts for every source."""
        files, named = self._ports.files, head.withdrawn
        if named is None:
            files.keep_withdrawals(b"")
        elif not files.has_withdrawals(named.digest):
            self._ports.way.bring(
                named, lambda path: files.keep_withdrawals(path.read_bytes()), self._cancel
            )
        listed = files.withdrawals()
        self._sums.withdrawn += self._ports.withdrawals.put(self._ports.source, listed)

    def _tell(self, done: int) -> None:
        self._progress(
            CatalogueProgress(
                phase=Phase.LESSONS,
                done=done + 1,
                total=done + 1,
                requests=self._ports.way.requests,
                bytes_received=self._ports.received(),
            )
        )
