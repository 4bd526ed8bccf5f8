"""The in-memory twin of the stores of logs: slow, obvious, and the reference of their contract."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from client.domain.errors import ProtocolError
from client.domain.record.bodies import GoesOn, Incarnation
from client.domain.record.event import Event, writer_of
from client.domain.record.fold import read
from client.domain.record.log import MAX_LAMPORT_JUMP, Introduction, Taken, refused
from client.domain.record.segment import Segment, unseal
from client.domain.record.vector import Stretch, Vector, held_there, told, vector_of
from client.store.keyfile import verify


class MemoryLog:
    """See `client.domain.record.log.Log`."""

    def __init__(self) -> None:
        self.events: dict[bytes, Event] = {}
        self.segments: dict[bytes, Segment] = {}
        self.keys: dict[bytes, tuple[bytes, bytes]] = {}

    def take(
        self, segments: Sequence[bytes], introductions: Sequence[Introduction] = ()
    ) -> Future[tuple[Taken, ...]]:
        """See the port."""
        given = {one.writer: (one.public_key, one.nonce) for one in introductions}
        answer: Future[tuple[Taken, ...]] = Future()
        answer.set_result(tuple(self._take(data, given) for data in segments))
        return answer

    def _take(self, data: bytes, given: dict[bytes, tuple[bytes, bytes]]) -> Taken:
        known = given | self.keys

        def key_of(writer: bytes) -> bytes | None:
            return known[writer][0] if writer in known else None

        try:
            segment = unseal(data, key_of, verify)
        except ProtocolError as error:
            return refused(error)
        fresh = [event for event in segment.events if event.hash not in self.events]
        if not fresh:
            return Taken.HELD
        highest = max((event.lc for event in self.events.values()), default=0)
        if segment.events[-1].lc > highest + MAX_LAMPORT_JUMP:
            return Taken.QUARANTINED
        self.segments[data] = segment
        self.events.update({event.hash: event for event in fresh})
        for writer, key in (*known.items(), *_keys(segment)):
            if writer == segment.events[0].writer:
                self.keys[writer] = key
        return Taken.STORED

    def vector(self) -> Vector:
        """See the port."""
        return vector_of(self.events, self._all_named())

    def _all_named(self) -> list[tuple[bytes, bytes]]:
        bodies = [entry.body for entry in map(read, self.events.values()) if entry is not None]
        return [
            pair
            for body in bodies
            if isinstance(body, Incarnation | GoesOn)
            for pair in body.predecessors
        ]

    def missing(
        self,
        there: Vector,
        max_bytes: int,
        *,
        sent: Sequence[Stretch] = (),
        is_patient: bool = False,
    ) -> tuple[bytes, ...]:
        """See the port."""
        stretches = (*told(there, self.vector()), *sent)
        held = held_there(self.events, stretches)
        known = {event.id for event in self.events.values()}
        awaited = {one.writer for one in stretches if is_patient and one.head not in known}
        lacking = [
            (segment.events[0].writer, segment.events[0].seq, data)
            for data, segment in self.segments.items()
            if segment.events[0].writer not in awaited
            and any(event.hash not in held for event in segment.events)
        ]
        chosen: list[bytes] = []
        for _, _, data in sorted(lacking):
            if chosen and sum(map(len, chosen)) + len(data) > max_bytes:
                break
            chosen.append(data)
        return tuple(chosen)

    def lacks(self, there: Vector) -> frozenset[bytes]:
        """See the port."""
        known = {event.id for event in self.events.values()}
        heads = told(there, self.vector())
        return frozenset(one.writer for one in heads if one.head not in known)

    def is_continued(self, writer: bytes) -> bool:
        """See the port."""
        return any(name == writer for name, _ in self._all_named())

    def stretches(self, segments: Sequence[bytes]) -> tuple[Stretch, ...]:
        """See the port."""
        found = (self.segments[data].events for data in segments)
        return tuple(
            Stretch(writer=run[-1].writer, seq=run[-1].seq, head=run[-1].id, first=run[0].seq)
            for run in found
        )

    def introductions(self, segments: Sequence[bytes]) -> tuple[Introduction, ...]:
        """See the port."""
        writers = {self.segments[data].events[0].writer for data in segments}
        first = (segment.events[0] for segment in self.segments.values())
        begun = {event.writer for event in first if event.seq == 1}
        return tuple(
            Introduction(public_key=self.keys[writer][0], nonce=self.keys[writer][1])
            for writer in sorted(writers - begun)
        )


def _keys(segment: Segment) -> Iterator[tuple[bytes, tuple[bytes, bytes]]]:
    """Give the names that a segment introduces."""
    for entry in map(read, segment.events):
        if entry is not None and isinstance(entry.body, Incarnation):
            key = entry.body.public_key, entry.body.nonce
            yield writer_of(*key), key
