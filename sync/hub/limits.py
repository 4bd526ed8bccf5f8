"""How much one peer may ask of a hub. Time is the monotonic clock's; nothing here reads a date.

Invariants:
  R1  What is remembered of peers is bounded, however many there are.
  R2  Nobody gets more than `burst` at once, nor more than `per_s` in the long run.
  R3  Bodies that are held in memory together never exceed their bound.
"""

import math
import threading
from collections import OrderedDict
from typing import Final

from client.domain.clock import Clock

_REMEMBERED: Final = 4096


class Allowance:
    """An allowance of each peer that grows with time. Any thread may call.

    Args:
        clock: Gives the time.
        burst: What a peer has at first, and at most.
        per_s: What comes back each second.
    """

    def __init__(self, clock: Clock, *, burst: float, per_s: float) -> None:
        self._clock = clock
        self._burst = burst
        self._per_s = per_s
        self._gate = threading.Lock()
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def spend(self, peer: bytes, amount: float = 1.0) -> int:
        """Take `amount` from a peer's allowance, or nothing and give the seconds to wait."""
        now = self._clock.monotonic()
        with self._gate:
            left = self._now(peer, now)
            if amount > left:
                return math.ceil((min(amount, self._burst) - left) / self._per_s) or 1
            self._left[peer] = (left - amount, now)
            self._left.move_to_end(peer)
            if len(self._left) > _REMEMBERED:
                # The one that was quiet for longest: most likely its allowance is full again.
                self._left.popitem(last=False)
        return 0

    def wait_s(self, peer: bytes) -> int:
        """Tell how many seconds a peer has to wait before it may ask at all; nothing is taken."""
        with self._gate:
            left = self._now(peer, self._clock.monotonic())
        return 0 if left >= 1 else math.ceil((1 - left) / self._per_s)

    def _now(self, peer: bytes, now: float) -> float:
        left, then = self._left.get(peer, (self._burst, now))
        return min(self._burst, left + (now - then) * self._per_s)


class Held:
    """Counts the bytes of bodies in memory, in all and for each address. One thread only (R3).

    Args:
        total: Bytes of all together.
        each: Bytes of one address.
    """

    def __init__(self, *, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._held: dict[str, int] = {}

    def take(self, address: str, size: int) -> bool:
        """Count `size` bytes more; False, and nothing counted, where that is too much."""
        mine = self._held.get(address, 0) + size
        if mine > self._each or sum(self._held.values()) + size > self._total:
            return False
        self._held[address] = mine
        return True

    def give(self, address: str, size: int) -> None:
        """Count `size` bytes less."""
        mine = self._held.get(address, 0) - size
        if mine > 0:
            self._held[address] = mine
        else:
            self._held.pop(address, None)
