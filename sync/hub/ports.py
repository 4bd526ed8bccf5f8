"""What a hub keeps beside the logs themselves: ports, with twins in memory for tests.

Invariants (tests/contract/test_hub_stores.py holds them against every directory):
  D1  What a method returned is durable, and found by every later call.
  D2  A key is enrolled once: enrolling it again changes its site and names, never its number, and
      never takes back that it was revoked.
  D3  Another key under a name that is taken is refused: names are hashes cut short.
  D4  Of each node a bounded number of machines is remembered, the first ones.
  D5  A room brings a bounded number of new logs. A hub is not bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from client.domain.record.log import Log
from sync.protocol.exchange import node_of

MAX_MACHINES: Final = 8
"""Machines remembered of one key. Two are already one too many; the rest is for whoever looks."""


MAX_LOGS: Final = 4096
"""New logs that one room may bring: ten years of a disk that forgets every school day."""


class Role(Enum):
    """What a node is."""

    ROOM = "room"
    """A machine of a school: brings its own log and those of enrolled keys."""
    HUB = "hub"
    """Another hub: vouches for every log that it brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A key that was enrolled. `school` and `room` are what people call it."""

    key: bytes
    role: Role
    site: bytes
    """The school whose logs it may exchange; empty for a hub that may exchange all."""
    school: str
    room: str
    machines: tuple[bytes, ...] = ()
    is_revoked: bool = False
    number: int = 0
    """1 for the first that was enrolled; the directory gives it."""

    @property
    def name(self) -> bytes:
        """Its short name, as requests carry it."""
        return node_of(self.key)

    def may_reach(self, site: bytes) -> bool:
        """Tell whether it may exchange logs of `site`."""
        return not self.is_revoked and self.site in (site, b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What enrols. The code itself is nowhere kept: `key` is derived from it."""

    key: bytes
    role: Role = Role.ROOM
    site: bytes = b""
    """Enrols for this school only; empty for whichever school is named."""
    school: str = ""
    """What people call it."""


class Directory(Protocol):
    """Who may speak to a hub. Any thread may call; methods block until they are done.

    Raises:
        StorageError: The disk refused; nothing changed.
    """

    def find(self, name: bytes) -> Node | None:
        """Return the node with this name, revoked or not."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes in the order of their numbers."""
        ...

    def enrol(self, node: Node) -> Node:
        """Add a node, or give one that is there its new site and names (D2).

        Raises:
            UserError: `node_unknown`: the name belongs to another key (D3).
        """
        ...

    def saw(self, name: bytes, machine: bytes) -> Node:
        """Remember a machine that used this node's key (D4).

        Raises:
            UserError: `node_unknown`.
        """
        ...

    def revoke(self, name: bytes) -> Node:
        """Refuse this key from now on.

        Raises:
            UserError: `node_unknown`.
        """
        ...

    def owner(self, site: bytes, writer: bytes) -> bytes | None:
        """Return the public key that signs a log which was admitted, None for others."""
        ...

    def admit(self, site: bytes, writer: bytes, key: bytes, by: Node) -> bool:
        """Remember whose log that is; False if the room `by` brought too many already (D5)."""
        ...

    def codes(self) -> tuple[Code, ...]:
        """Return the codes that enrol."""
        ...

    def set_codes(self, codes: Sequence[Code]) -> None:
        """Replace all codes."""
        ...


class Logs(Protocol):
    """The logs of many schools."""

    def of(self, site: bytes) -> Log:
        """Give the logs of one school; empty ones where nothing is held. Any thread may call."""
        ...


class Audit(Protocol):
    """Who was let in, sent away or refused. No class fact ever stands in it."""

    def note(self, what: str, **values: str) -> None:
        """Add a line, durably. `values` are names and codes. Any thread may call."""
        ...
