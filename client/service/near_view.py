"""What is shown of the PCs near by: who shares, what is wrong, and what to do about it."""

from dataclasses import dataclass
from typing import Final

from client.service.api import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRow:
    """One PC."""

    room: str
    """As it calls itself; anybody can say so."""
    address: str
    reason: Reason
    """Why lessons come from it or not."""
    is_usable: bool
    is_known: bool
    """Whether it is one of this school: met at a hub, or its code was typed here."""


_OFF: Final = Reason(code="lan_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class NearView:
    """How sharing stands."""

    is_on: bool = False
    address: str = ""
    """Where this PC is asked, empty while it is not."""
    code: str = ""
    """What may be typed at another PC instead, empty where there is none."""
    finding: Reason = _OFF
    is_fine: bool = False
    needs_stick: bool = False
    """Whether a stick is the next step."""
    rows: tuple[NearRow, ...] = ()
