"""A store of logs as exchanges see it: a port. A room's journal and a hub keep the same thing.

Invariants (tests/contract/test_log.py holds them against every store):
  W1  What `take` called stored or held is durable when its future is done, and is never lost.
  W2  Taking is idempotent and the order of segments does not matter, but for a log that nobody
      introduced yet.
  W3  A second child of the same event is legal and both branches stay.
  W4  `missing` gives whole segments, oldest first within a log, and leaves out what the other side
      is known to hold; once each side has taken what it lacks, both vectors are equal.
  W5  A segment that is refused changes nothing.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from client.domain.errors import ProtocolError
from client.domain.record.event import writer_of
from client.domain.record.vector import Stretch, Vector

MAX_LAMPORT_JUMP: Final = 1 << 24
"""A segment may not end further than this beyond every counter that is known: an honest log
never does, and a hostile one would push all others to the end of the range."""


class Taken(IntEnum):
    """What became of a segment. Numbers of the wire; none is used for anything else."""

    STORED = 0
    HELD = 1
    """All of it was there before."""
    SIGNATURE_BAD = 3
    CHAIN_BROKEN = 4
    WRITER_UNKNOWN = 5
    DENIED = 6
    """The sender may not write this log here."""
    TOO_LARGE = 7
    INVALID = 8
    """Not a segment at all."""
    QUARANTINED = 9
    """Its counter jumps too far (`MAX_LAMPORT_JUMP`)."""
    FULL = 10
    """The quota of this log or the disk is used up; later it may be taken."""

    @property
    def is_kept(self) -> bool:
        """Whether the other side has it for good."""
        return self in (Taken.STORED, Taken.HELD)


def refused(error: ProtocolError) -> Taken:
    """Say of a segment that could not be read what was wrong with it."""
    return _REFUSED.get(error.code, Taken.INVALID)


_REFUSED: Final = {
    "signature_bad": Taken.SIGNATURE_BAD,
    "chain_broken": Taken.CHAIN_BROKEN,
    "writer_unknown": Taken.WRITER_UNKNOWN,
    "too_large": Taken.TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """The key of a log whose first event is not at hand. Proves itself: the name is its hash."""

    public_key: bytes
    nonce: bytes

    @property
    def writer(self) -> bytes:
        """The log it introduces."""
        return writer_of(self.public_key, self.nonce)


class Log(Protocol):
    """See the module. May be called from any thread."""

    def take(
        self, segments: Sequence[bytes], introductions: Sequence[Introduction] = ()
    ) -> "Future[tuple[Taken, ...]]":
        """Check and keep segments, one answer each in the same order; one transaction."""
        ...

    def vector(self) -> Vector:
        """Tell what is held, with the closed stretches in full. Reads the disk."""
        ...

    def missing(
        self,
        there: Vector,
        max_bytes: int,
        *,
        sent: Sequence[Stretch] = (),
        is_patient: bool = False,
    ) -> tuple[bytes, ...]:
        """Return sealed segments that the other side lacks, together at most `max_bytes`.

        At least one is returned if any is lacking. Events that no segment holds yet are not
        given: seal first.

        Args:
            there: What the other side told.
            max_bytes: Bound of the sum of their sizes.
            sent: What it acknowledged since. A head there that is not known here hides what is
                under it, so acknowledgements must be remembered.
            is_patient: Leave out logs with such a head: their sender is still about to send them,
                and may hold everything that is here.
        """
        ...

    def lacks(self, there: Vector) -> frozenset[bytes]:
        """Return the logs of which the other side told a head that is not here."""
        ...

    def is_continued(self, writer: bytes) -> bool:
        """Tell whether a log that is held here says that it goes on from that one."""
        ...

    def stretches(self, segments: Sequence[bytes]) -> tuple[Stretch, ...]:
        """Tell what segments of this store cover, one each."""
        ...

    def introductions(self, segments: Sequence[bytes]) -> tuple[Introduction, ...]:
        """Return the keys of those logs whose first event is not among what is held here."""
        ...
