"""The hubs this room is enrolled with, in local rows of the journal.

Invariants:
  HB1  What is known of hubs survives deleting library.db, and goes back with the log when an older
       copy of the disk comes back: a belief is never newer than the log it speaks of.
  HB2  A row that cannot be read is no row.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.service.room import RoomService

T = TypeVar("T")

_HUB: Final = "hub.known."
_BELIEF: Final = "hub.belief."
_EDITION: Final = "hub.edition."
_CONTACT: Final = "hub.contact."


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHub:
    """A hub that proved at enrolment to know the code."""

    key: bytes
    url: str
    authority: bytes
    """Certificate that signs the hub's own, DER; empty where it is reached without TLS."""
    site: bytes
    """Under which school it knows this room, 8 bytes."""
    school: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What became of calls to a hub. The date is evidence of this machine's clock only."""

    exchanges: int = 0
    failures: int = 0
    """In a row, until now."""
    reason: str = ""
    """Message code of the last failure."""
    wall_ms: int = 0
    """When it answered last, Unix milliseconds; 0: never."""

    def failed(self, reason: str) -> "Contact":
        """Note a call that failed with a message code."""
        return replace(self, failures=self.failures + 1, reason=reason)

    def answered(self, now: datetime) -> "Contact":
        """Note a call that was answered."""
        wall_ms = int(now.timestamp() * 1000)
        return replace(self, exchanges=self.exchanges + 1, failures=0, reason="", wall_ms=wall_ms)


class HubBook:
    """See the module. Any thread may call; writing returns at once.

    Args:
        room: Keeps local values of this machine.
    """

    def __init__(self, room: RoomService) -> None:
        self._room: Final = room

    def hubs(self) -> tuple[KnownHub, ...]:
        """List the hubs in the order of their keys."""
        rows = self._room.locals(_HUB)
        return tuple(hub for name in sorted(rows) if (hub := _read(rows[name], _hub)) is not None)

    def put(self, hub: KnownHub) -> None:
        """Add a hub, or change what is known of it. Blocking; durable."""
        row: list[Wire] = [hub.key, hub.url, hub.authority, hub.site, hub.school, hub.name]
        self._room.set_local(_HUB + hub.key.hex(), _written(row)).result()

    def belief(self, key: bytes) -> bytes:
        """Give the blob that an exchange with a hub left, empty at first."""
        try:
            return base64.b64decode(self._room.locals(_BELIEF).get(key.hex(), ""))
        except binascii.Error:
            return b""

    def save_belief(self, key: bytes, blob: bytes) -> None:
        """Keep the blob of an exchange."""
        self._room.set_local(_BELIEF + key.hex(), base64.b64encode(blob).decode("ascii"))

    def edition(self, key: bytes) -> bytes:
        """Give what is known of a hub's editions as it was kept, empty at first."""
        try:
            return base64.b64decode(self._room.locals(_EDITION).get(key.hex(), ""))
        except binascii.Error:
            return b""

    def save_edition(self, key: bytes, known: bytes) -> None:
        """Keep what is known of a hub's editions. Blocking; durable."""
        text = base64.b64encode(known).decode("ascii")
        self._room.set_local(_EDITION + key.hex(), text).result()

    def contact(self, key: bytes) -> Contact:
        """Tell how calls to a hub went."""
        text = self._room.locals(_CONTACT).get(key.hex(), "")
        return _read(text, _contact) or Contact()

    def note_contact(self, key: bytes, contact: Contact) -> None:
        """Keep how calls went."""
        row: list[Wire] = [contact.exchanges, contact.failures, contact.reason, contact.wall_ms]
        self._room.set_local(_CONTACT + key.hex(), _written(row))


def _written(row: list[Wire]) -> str:
    return base64.b64encode(encode(row)).decode("ascii")


def _read(text: str, build: Callable[[list[Wire]], T | None]) -> T | None:
    try:
        return build(decode_array(base64.b64decode(text)))
    except (ProtocolError, binascii.Error):
        return None


def _hub(row: list[Wire]) -> KnownHub | None:
    match row:
        case [bytes(key), str(url), bytes(authority), bytes(site), str(school), str(name)]:
            return KnownHub(
                key=key, url=url, authority=authority, site=site, school=school, name=name
            )
        case _:
            return None


def _contact(row: list[Wire]) -> Contact | None:
    match row:
        case [int(exchanges), int(failures), str(reason), int(wall_ms)]:
            return Contact(exchanges=exchanges, failures=failures, reason=reason, wall_ms=wall_ms)
        case _:
            return None
