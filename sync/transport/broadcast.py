"""Finding PCs near by with datagrams to everybody in the network: a `Discovery`.

    datagram = "TKNEAR1" kind card            kind: "?" asks for an answer, "." is one

Invariants:
  BC1  A question is answered at most once a second for each address, with at most 64 bytes more
       than it had; nothing else is answered.
"""

import contextlib
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from client.domain.clock import Clock
from sync.transport.air import MAX_CARD_BYTES, Heard, own_networks

PORT: Final = 8522
EVERY_S: Final = 20.0
_MARK: Final = b"TKNEAR1"
_ASKS: Final = b"?"
_ANSWERS: Final = b"."
_HEAD: Final = len(_MARK) + 1
_MORE: Final = 64
_LEAST_S: Final = 1.0
_REMEMBERED: Final = 256
_EVERYBODY: Final = "255.255.255.255"
_TICK_S: Final = 0.5


def all_networks() -> tuple[str, ...]:
    """Give the addresses that reach everybody in each network of this machine."""
    found = (str(one.network.broadcast_address) for one in own_networks())
    return tuple(dict.fromkeys((*found, _EVERYBODY)))


class BroadcastDiscovery:
    """See the module.

    Args:
        clock: Its monotonic time.
        port: The same at all PCs.
        host: Address to listen at, empty for all.
        targets: Gives where everybody is reached; asked anew each time, since networks come and go.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        port: int = PORT,
        host: str = "",
        targets: Callable[[], Sequence[str]] = all_networks,
    ) -> None:
        self._clock: Final = clock
        self._place: Final = (host, port)
        self._targets: Final = targets
        self._closing = threading.Event()
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._answered: OrderedDict[str, float] = OrderedDict()

    def start(self, card: bytes, heard: Heard) -> None:
        """See `Discovery`."""
        self._asked.set()
        self._thread = threading.Thread(
            target=self._run, args=(card, heard), name="near-hello", daemon=True
        )
        self._thread.start()

    def call(self) -> None:
        """See `Discovery`."""
        self._asked.set()

    def close(self) -> None:
        """See `Discovery`."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2 * _TICK_S + 1)

    def _run(self, card: bytes, heard: Heard) -> None:
        family, kind = socket.AF_INET, socket.SOCK_DGRAM
        with contextlib.suppress(OSError), socket.socket(family, kind) as wire:
            _open(wire, self._place)
            due = self._clock.monotonic()
            while not self._closing.is_set():
                if self._asked.is_set() or self._clock.monotonic() >= due:
                    self._asked.clear()
                    self._say(wire, card)
                    due = self._clock.monotonic() + EVERY_S
                self._hear(wire, card, heard)

    def _say(self, wire: socket.socket, card: bytes) -> None:
        for target in self._targets():
            # A network that is gone, or forbids it: the others may still hear.
            with contextlib.suppress(OSError):
                wire.sendto(_MARK + _ASKS + card, (target, self._place[1]))

    def _hear(self, wire: socket.socket, card: bytes, heard: Heard) -> None:
        try:
            data, (host, port) = wire.recvfrom(_HEAD + MAX_CARD_BYTES + 1)
        except OSError:
            return  # nobody spoke, or a port was closed somewhere
        if not data.startswith(_MARK) or not _HEAD < len(data) <= _HEAD + MAX_CARD_BYTES:
            return
        theirs = data[_HEAD:]
        if theirs == card:
            return
        if (
            data[len(_MARK) : _HEAD] == _ASKS
            and len(card) <= len(theirs) + _MORE
            and self._may(host)
        ):
            with contextlib.suppress(OSError):
                wire.sendto(_MARK + _ANSWERS + card, (host, port))
        heard(host, theirs)

    def _may(self, host: str) -> bool:
        """Tell whether an address is answered now (BC1)."""
        now = self._clock.monotonic()
        last = self._answered.pop(host, None)
        self._answered[host] = now
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        return last is None or now - last >= _LEAST_S


def _open(wire: socket.socket, place: tuple[str, int]) -> None:
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    wire.settimeout(_TICK_S)
    wire.bind(place)
