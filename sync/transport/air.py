"""The discovery port: saying that one is here, and hearing who else is (contract: tests/contract).

A card is bytes that this module does not read. What is heard is a hint that anybody may have given.

Invariants:
  DI1  What one says the others hear, and again when it changes; what is too long or has no mark is
       not handed on.
  DI2  `close` ends all of it; nothing is heard after. A network that is not there is no error.
"""

import ipaddress
import threading
from collections.abc import Callable
from typing import Final, Protocol

MAX_CARD_BYTES: Final = 255

Heard = Callable[[str, bytes], None]
"""Told the address a card came from, and the card; on any thread, it may only post."""


class Discovery(Protocol):
    """One way of finding PCs near by. Methods return at once."""

    def start(self, card: bytes, heard: Heard) -> None:
        """Say that one is here, from now on, and listen. Call it once."""
        ...

    def call(self) -> None:
        """Say so again now, and have the others say so."""
        ...

    def close(self) -> None:
        """End it (DI2). Idempotent; may wait a second."""
        ...


class Air:
    """What cards travel through between twins in one process."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._here: dict[str, tuple[bytes, Heard]] = {}

    def join(self, host: str, card: bytes, heard: Heard) -> None:
        """Begin to be heard and to hear."""
        with self._gate:
            self._here[host] = (card, heard)

    def leave(self, host: str) -> None:
        """End that."""
        with self._gate:
            self._here.pop(host, None)

    def call(self, host: str) -> None:
        """Carry a card to everybody else, and theirs back."""
        with self._gate:
            here = dict(self._here)
        if host not in here:
            return
        card, heard = here[host]
        for other, (its_card, hears) in here.items():
            if other != host:
                hears(host, card)
                heard(other, its_card)


class MemoryDiscovery:
    """The in-memory twin: a `Discovery` without a network."""

    def __init__(self, air: Air, host: str) -> None:
        self._air: Final = air
        self._host: Final = host

    def start(self, card: bytes, heard: Heard) -> None:
        """See the port."""
        self._air.join(self._host, card, heard)
        self._air.call(self._host)

    def call(self) -> None:
        """See the port."""
        self._air.call(self._host)

    def close(self) -> None:
        """See the port."""
        self._air.leave(self._host)


def own_networks() -> tuple[ipaddress.IPv4Interface, ...]:
    """Find the addresses of this machine with their networks, without loopback."""
    import ifaddr  # noqa: PLC0415 - only where sharing is switched on

    found = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            if isinstance(one.ip, str):
                interface = ipaddress.IPv4Interface(f"{one.ip}/{one.network_prefix}")
                if not interface.is_loopback:
                    found.append(interface)
    return tuple(found)
