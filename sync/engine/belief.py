"""What a room believes of a hub between two exchanges: one small value, kept as one blob.

Invariants:
  B1  A belief only ever saves sending. One that is lost, damaged or wrong costs bytes, no fact.
  B2  An acknowledgement counts until a vector that the hub signed later speaks against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.record.event import ID_BYTES
from client.domain.record.segment import covers, peek
from client.domain.record.vector import EMPTY, SUMMARY_BYTES, Stretch, Vector, vector
from sync.protocol.exchange import MAX_STRETCHES, pack_have, read_have, read_stretches

_FORMAT: Final = 1
_ANY_SEQ: Final = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What a hub is believed to hold."""

    there: Vector | None = None
    """The last vector it signed, with its closed logs in full where they are known."""
    sent: tuple[Stretch, ...] = ()
    """What it acknowledged besides."""
    refused: tuple[Stretch, ...] = ()
    """What it will never take: it is not offered again."""
    agreed: tuple[bytes, bytes] | None = None
    """Summaries of what was here and there when neither had anything more for the other."""


NOTHING: Final = Belief()


def pack_belief(belief: Belief) -> bytes:
    """Give the blob of a belief."""
    return encode(
        [
            _FORMAT,
            b"" if belief.there is None else pack_have(belief.there),
            [stretch.wire() for stretch in belief.sent[-MAX_STRETCHES:]],
            [stretch.wire() for stretch in belief.refused[-MAX_STRETCHES:]],
            list(belief.agreed or ()),
        ]
    )


def read_belief(blob: bytes) -> Belief:
    """Read a blob; what cannot be read is no belief at all (B1)."""
    try:
        match decode_array(blob):
            case [1, have, list(sent), list(refused), list(agreed)]:
                return Belief(
                    there=_vector(have),
                    sent=read_stretches(sent),
                    refused=read_stretches(refused),
                    agreed=_summaries(agreed),
                )
            case _:
                return NOTHING
    except ProtocolError:
        return NOTHING


def acknowledged(sent: Iterable[Stretch], more: Stretch, prev: bytes) -> tuple[Stretch, ...]:
    """Add a stretch that was acknowledged, joined to the one it goes on from.

    Args:
        sent: What was acknowledged before.
        more: What was acknowledged now.
        prev: Full hash of the event before it.
    """
    known = tuple(sent)
    for one in known:
        if one.head == prev[:ID_BYTES] and one.writer == more.writer:
            more = replace(more, first=one.first)
            known = tuple(other for other in known if other is not one)
            break
    return (*known, more)


def told(belief: Belief, there: Vector, here: Vector) -> Belief:
    """Learn from a vector that the hub signed (B2).

    An honest hub that has a stretch tells its log up to there at least; one that does not has
    lost it, or never had it.
    """
    if there.closed is None:
        known = (here, EMPTY) if belief.there is None else (here, belief.there, EMPTY)
        same = (one for one in known if one.closed_digest == there.closed_digest)
        there = replace(there, closed=next((one.closed for one in same), None))
    reach = _ends((*there.open, *(there.closed or ())))
    unseen = _ANY_SEQ if there.closed is None else 0
    sent = tuple(one for one in belief.sent if one.seq <= reach.get(one.writer, unseen))
    return replace(belief, there=there, sent=sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Logs of which the hub waits for an end that it can never get, so that it gives no other.

    Such an end cannot be signed any more, or the hub refuses it. The hub is told nothing of these
    logs but what it gave of them itself, and has nothing to wait for.
    """

    writers: frozenset[bytes] = frozenset()
    given: tuple[Stretch, ...] = ()

    def more(self, lacking: frozenset[bytes]) -> "HeldBack":
        """Learn of which logs the hub has something that it does not give."""
        return replace(self, writers=self.writers | lacking)

    def took(self, data: bytes) -> "HeldBack":
        """Learn of a segment that the hub gave and that is here now."""
        if peek(data).writer not in self.writers:
            return self
        return replace(self, given=acknowledged(self.given, covers(data), peek(data).prev))

    def told(self, here: Vector) -> Vector:
        """Choose what the hub is told of what is `here`."""
        if not self.writers:
            return here
        opened = (one for one in here.open if one.writer not in self.writers)
        closed = (one for one in here.closed or () if one.writer not in self.writers)
        return vector((*opened, *self.given), closed)


def _vector(have: Wire) -> Vector | None:
    there = None if have == b"" else read_have(have)
    if isinstance(there, bytes):
        raise ProtocolError("message_invalid")
    return there


def _summaries(row: list[Wire]) -> tuple[bytes, bytes] | None:
    match row:
        case []:
            return None
        case [bytes(here), bytes(there)] if len(here) == len(there) == SUMMARY_BYTES:
            return here, there
        case _:
            raise ProtocolError("message_invalid")


def waiting(belief: Belief, here: Vector) -> int:
    """Count the events that a hub is not believed to have: a figure for people.

    Args:
        belief: What is believed of the hub; closed logs whose digest alone it told count as held.
        here: What is here.
    """
    held = (*belief.sent, *belief.refused)
    if belief.there is not None:
        closed = here.closed if belief.there.closed is None else belief.there.closed
        held = (*held, *belief.there.open, *(closed or ()))
    reach = _ends(held)
    mine = _ends((*here.open, *(here.closed or ())))
    return sum(max(0, seq - reach.get(writer, 0)) for writer, seq in mine.items())


def _ends(stretches: Iterable[Stretch]) -> dict[bytes, int]:
    """Tell how far each log goes in its longest branch."""
    found: dict[bytes, int] = {}
    for one in stretches:
        found[one.writer] = max(one.seq, found.get(one.writer, 0))
    return found
