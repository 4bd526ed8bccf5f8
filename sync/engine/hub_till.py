"""Pays for what is said to a hub, request by request.

Invariants:
  HT1  A request is paid for before it leaves, and a long answer before it is read, out of the tenth
       that budgets leave to progress, at any hour; where that is spent it does not leave.
"""

from typing import Final

from client.domain.spend import Purpose, wire_bytes
from client.service.purse import Purse
from sync.engine.exchange import Carrier
from sync.protocol.exchange import MAX_MESSAGE_BYTES
from sync.transport.metered import LinkClosedError, heads_bytes
from sync.transport.session import AHEAD_BYTES, Traffic, counting

_TRIES: Final = 2
"""A connection that was kept may turn out to be dead."""


class PaidCarrier:
    """A `Carrier` that is paid for (HT1).

    Args:
        inner: Carries.
        purse: Pays.
    """

    def __init__(self, inner: Carrier, purse: Purse) -> None:
        self._inner: Final = inner
        self._purse: Final = purse

    def __call__(self, envelope: bytes) -> bytes:
        """Carry an envelope.

        Raises:
            LinkClosedError: The budget is spent.
            ClassroomError: As the inner one.
        """
        every = Traffic(connections=_TRIES, handshakes=_TRIES, requests=_TRIES)
        paid, came = self._take(_cost(every, len(envelope), AHEAD_BYTES)), 0

        def heard(length: int | None) -> None:
            nonlocal paid
            # An answer that says nothing of its length may have any.
            more = (MAX_MESSAGE_BYTES if length is None else length) - AHEAD_BYTES
            paid += self._take(wire_bytes(max(0, more)))

        with counting(AHEAD_BYTES, heard) as traffic:
            try:
                answer = self._inner(envelope)
                came = len(answer)
            finally:
                came = came or (traffic.ahead if traffic.requests else 0)
                spent = _cost(traffic, len(envelope), came)
                self._purse.give_back(Purpose.PROGRESS, max(0, paid - spent))
        return answer

    def _take(self, size_bytes: int) -> int:
        """Take so many bytes, or none of them."""
        taken = 0
        while taken < size_bytes:
            more = self._purse.take(Purpose.PROGRESS, size_bytes - taken)
            if not more:
                self._purse.give_back(Purpose.PROGRESS, taken)
                raise LinkClosedError
            taken += more
        return taken


def _cost(traffic: Traffic, asked: int, answered: int) -> int:
    """Tell what requests of so many bytes each, and their answer, cost at most."""
    return heads_bytes(traffic) + wire_bytes(max(1, traffic.requests) * asked + answered)
