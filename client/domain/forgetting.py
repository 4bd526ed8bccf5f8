"""Does this disk forget? Restore cards (还原卡) set a disk back at every start of the machine.

The data folder counts the starts of the machine, and a second place writes down what it says. On a
disk that remembers the count only grows. Where the second place forgets too, others remember: logs
that this machine began come back from a hub.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

TWICE: Final = 2
"""Once may be a backup that somebody restored."""


def times_set_back(ordinals: Sequence[int]) -> int:
    """Count how often a number that should grow with every start did not."""
    return sum(later <= earlier for earlier, later in pairwise(ordinals))


def forgets(starts: Sequence[int], returned: int) -> bool:
    """Decide whether the disk forgets.

    Args:
        starts: What the data folder counted at the last starts of the machine, oldest first, as a
            place outside of it wrote it down.
        returned: Logs of this machine, begun after it was set back, that others gave back.

    | set back twice | two logs came back | forgets |
    |----------------|--------------------|---------|
    | yes            | -                  | yes     |
    | no             | yes                | yes     |
    | no             | no                 | no      |
    """
    return times_set_back(starts) >= TWICE or returned >= TWICE
