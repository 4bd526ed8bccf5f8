"""Asking PCs near by for what a lesson needs, before anybody asks over the link.

Invariants:
  NL1  Requests to PCs carry no secret: nothing but addresses made of digests and of a lesson's id.
  NL2  A PC is believed by the tables of `near_rules`; one that does not answer, breaks off or gives
       wrong bytes costs its own files only, and what came of them counts for the next source.
  NL3  What nobody has is begun after a while that is this PC's own, and only by the PC that began
       first; the others wait, within bounds, and then bring it themselves.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import (
    Cancelled,
    ClassroomError,
    ProtocolError,
    RefusedError,
    TransportError,
)
from client.domain.ids import LessonId
from client.domain.signer import Verify
from client.store.salvage_blocks import Stretch, is_good
from sync.engine.near import NearComingError, NearSource, Sought, Visit
from sync.engine.near_board import NearBoard
from sync.engine.near_book import BAD_TWICE, NearBook, Peer
from sync.engine.near_rules import Wait, first_of, may_wait, proof_of, start_delay_s, waited
from sync.protocol.near import (
    MAX_LISTING_BYTES,
    MAX_MARKS_BYTES,
    Coming,
    Listing,
    Marks,
    digest_of,
    read_listing,
    read_marks,
)
from sync.transport.port import Transport

MOST_ASKED: Final = 16
_AT_A_TIME: Final = 8
_PARTIAL: Final = 206

Delay = Callable[[LessonId], float]
"""Tells how long to wait before a lesson is begun over the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPorts:
    """What asking works with."""

    book: NearBook
    board: NearBoard
    transport: Transport
    """Carries no credentials and pays for nothing."""
    verify: Verify
    known: Callable[[], Collection[bytes]]
    """Gives the keys of this school's PCs. Blocking."""
    clock: Clock
    delay_s: Delay


def own_delay(node: bytes) -> Delay:
    """Give the delay of the PC with this key."""
    return partial(start_delay_s, node)


class NearLink:
    """See the module; a `Near`. One fetch at a time."""

    def __init__(self, ports: NearPorts) -> None:
        self._ports: Final = ports
        self._pool: Final = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="near")
        self._waits: dict[tuple[LessonId, str], Wait] = {}

    def close(self) -> None:
        """Free the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def visit(
        self,
        lesson: LessonId,
        sought: Sequence[Sought],
        done: Callable[[], int],
        cancel: CancelToken,
    ) -> Iterator[Visit]:
        """See the port (NL3)."""
        ports = self._ports
        seen = _Sight(self._ask(lesson, cancel) if sought else (), ports.known)
        lacking = [one for one in sought if not seen.sources(one)]
        if seen.answers and any(not self._waits_for(lesson, one, seen, 0) for one in lacking):
            cancel.sleep(ports.delay_s(lesson))
            with ports.board.bringing(lesson, done):
                ports.board.say([one.file.path for one in lacking])
                seen = _Sight(self._ask(lesson, cancel), ports.known)
                yield self._visit(lesson, sought, seen)
            return
        with ports.board.bringing(lesson, done):
            yield self._visit(lesson, sought, seen)

    def blame(self, source: NearSource, error: ClassroomError) -> None:
        """See the port (NL2)."""
        if isinstance(error, ProtocolError):
            # It was asked a second time before this was given up (F2 and F4 of `download`).
            self._ports.book.lied(source.peer, BAD_TWICE)
        else:
            self._ports.book.failed(source.peer)

    def stretches(
        self, sources: Sequence[NearSource], came: Callable[[int], None], cancel: CancelToken
    ) -> "NearStretches | None":
        """See the port."""
        for source in sources:
            data = self._get(
                source.peer, f"/v1/near/s/{source.file.digest}", MAX_MARKS_BYTES, cancel
            )
            if data is None:
                continue
            if digest_of(data) != source.file.marks:
                self._ports.book.lied(source.peer)
                continue
            same = [one for one in sources if one.file.marks == source.file.marks]
            return NearStretches(self._ports, read_marks(data), same, came)
        return None

    # --- inside --------------------------------------------------------------------------

    def _visit(self, lesson: LessonId, sought: Sequence[Sought], seen: "_Sight") -> Visit:
        board = self._ports.board
        sources = {one.file.path: found for one in sought if (found := seen.sources(one))}
        lacking = [one for one in sought if one.file.path not in sources]
        waits = frozenset(
            one.file.path
            for one in lacking
            if self._waits_for(lesson, one, seen, board.age_ms(one.file.path))
        )
        board.say([one.file.path for one in lacking if one.file.path not in waits])
        return Visit(sources=sources, waits=waits)

    def _waits_for(self, lesson: LessonId, one: Sought, seen: "_Sight", own_age_ms: int) -> bool:
        """Tell whether a file is left to another PC for now (NL3)."""
        key = (lesson, one.file.path)
        now = self._ports.clock.monotonic()
        for is_known in (True, False):
            first = first_of(seen.coming(one.file.path, is_known=is_known), own_age_ms)
            if first is not None:
                wait = self._waits[key] = waited(self._waits.get(key), first.bytes_done, now)
                return may_wait(wait, now, is_known=is_known)
        self._waits.pop(key, None)
        return False

    def _ask(self, lesson: LessonId, cancel: CancelToken) -> tuple[tuple[Peer, Listing], ...]:
        """Ask everybody what they have of a lesson."""
        peers = self._ports.book.open()[:MOST_ASKED]
        ask = partial(self._listing, lesson, cancel)
        told = list(self._pool.map(ask, peers)) if peers else []
        cancel.check()
        return tuple((peer, one) for peer, one in zip(peers, told, strict=True) if one is not None)

    def _listing(self, lesson: LessonId, cancel: CancelToken, peer: Peer) -> Listing | None:
        path = f"/v1/near/l/{quote(lesson, safe='')}"
        try:
            data = self._get(peer, path, MAX_LISTING_BYTES, cancel)
            listing = None if data is None else read_listing(data, lesson, self._ports.verify)
        except Cancelled:
            return None
        except ProtocolError:
            self._ports.book.lied(peer)
            return None
        return listing

    def _get(self, peer: Peer, path: str, most: int, cancel: CancelToken) -> bytes | None:
        """Ask for something small; None if it does not come."""
        book, data = self._ports.book, bytearray()
        try:
            with self._ports.transport.get(peer.base + path, cancel) as exchange:
                for chunk in exchange.chunks():
                    data += chunk
                    if len(data) > most:
                        book.lied(peer)
                        return None
        except (TransportError, RefusedError, ProtocolError):
            book.failed(peer)
            return None
        book.answered(peer)
        return bytes(data)


class _Sight:
    """What everybody answered of one lesson."""

    def __init__(
        self, answers: tuple[tuple[Peer, Listing], ...], known: Callable[[], Collection[bytes]]
    ) -> None:
        self.answers: Final = answers
        self._known: Final = frozenset(known()) if answers else frozenset[bytes]()

    def sources(self, one: Sought) -> tuple[NearSource, ...]:
        """Give those whose file would be taken (NL2), what proves itself best in front."""
        found = []
        for peer, listing in self.answers:
            is_known = listing.key in self._known
            for file in listing.files:
                if file.path != one.file.path:
                    continue
                proof = proof_of(one.file, one.told, file, is_known=is_known)
                if proof is not None:
                    found.append(NearSource(peer=peer, file=file, proof=proof))
        return tuple(found)

    def coming(self, path: str, *, is_known: bool) -> list[Coming]:
        """Give what is on its way of a file to PCs of this school, or to strangers."""
        return [
            one
            for _, listing in self.answers
            if (listing.key in self._known) is is_known
            for one in listing.coming
            if one.path == path
        ]


class NearStretches:
    """See `sync.engine.rendition.Stretches`."""

    def __init__(
        self,
        ports: NearPorts,
        marks: Marks,
        sources: Sequence[NearSource],
        came: Callable[[int], None],
    ) -> None:
        self.playlist: Final = marks.playlist
        self._ports: Final = ports
        self._sources = tuple(sources)
        self._came: Final = came
        self._stretches: Final = tuple(_places(marks))

    def read(self, index: int, cancel: CancelToken) -> bytes | None:
        """See the port (NL2)."""
        if index >= len(self._stretches):
            return None
        for source in tuple(self._sources):
            try:
                data = self._bring(source, self._stretches[index], cancel)
            except ProtocolError:
                self._drop(source, is_lie=True)
            except (TransportError, RefusedError):
                self._drop(source, is_lie=False)
            else:
                return data
        # Not each PC by itself over the link: they look around first.
        raise NearComingError

    def _drop(self, source: NearSource, *, is_lie: bool) -> None:
        """Ask somebody no more for this film."""
        self._sources = tuple(one for one in self._sources if one is not source)
        (self._ports.book.lied if is_lie else self._ports.book.failed)(source.peer)

    def _bring(self, source: NearSource, stretch: Stretch, cancel: CancelToken) -> bytes:
        last = stretch.start + stretch.length - 1
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={stretch.start}-{last}"}
        url = source.addresses.object(source.file.digest)
        data = bytearray()
        with self._ports.transport.get(url, cancel, headers) as exchange:
            if exchange.answer.status != _PARTIAL:
                raise ProtocolError("not_http")
            for chunk in exchange.chunks():
                self._came(len(chunk))
                data += chunk
                if len(data) > stretch.length:
                    break
        whole = bytes(data)
        if not is_good(stretch, whole):
            raise ProtocolError("digest_mismatch")
        return whole


def _places(marks: Marks) -> Iterator[Stretch]:
    start = 0
    for one in marks.stretches:
        yield Stretch(start=start, length=one.length, sha256=one.sha256)
        start += one.length
