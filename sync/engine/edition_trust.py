"""Whether an edition is to be believed: pure decisions.

    | head, signed by the pinned key                     | verdict    |
    |----------------------------------------------------|------------|
    | none was known, or its number is greater           | NEWER      |
    | the number that is known, the same rows and list   | SAME       |
    | the number that is known, and anything else        | MIXED      |
    | a smaller number                                   | ROLLBACK   |

A head's time lifts the floor under what time it can be, and nothing else: no edition runs out, and
none comes back, because a clock says so. Silence: `client.domain.edition_known`.

Invariants:
  ET1  What is known never goes back: neither the number nor the floor of time.
  ET2  Two heads of one number with different rows, or another list, are never both believed.
"""

from dataclasses import replace
from enum import Enum

from client.domain.edition_known import Known
from client.domain.ids import Digest
from sync.protocol.edition import Head


class Verdict(Enum):
    """What a head is beside the one known."""

    NEWER = "newer"
    SAME = "same"
    MIXED = "edition_mixed"
    ROLLBACK = "edition_rollback"

    @property
    def is_believed(self) -> bool:
        """Tell whether it may be used; the values of the others are message codes."""
        return self in (Verdict.NEWER, Verdict.SAME)


def judge(known: Known, head: Head) -> Verdict:
    """Compare a head with what is known: the table of the module."""
    if head.number > known.number:
        return Verdict.NEWER
    if head.number < known.number:
        return Verdict.ROLLBACK
    is_same = (head.rows_digest, _listed(head)) == (known.rows_digest, known.list_digest)
    return Verdict.SAME if is_same else Verdict.MIXED


def believed(known: Known, head: Head) -> Known:
    """Take over a head that was judged NEWER or SAME (ET1)."""
    fresh = head.number > known.number
    return replace(
        known,
        number=head.number,
        rows_digest=head.rows_digest,
        list_digest=_listed(head),
        floor_ms=max(known.floor_ms, head.signed_ms),
        silent_ms=0 if fresh else known.silent_ms,
    )


def _listed(head: Head) -> Digest:
    return Digest("") if head.withdrawn is None else head.withdrawn.digest
