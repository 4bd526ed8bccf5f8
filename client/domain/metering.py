"""What the system says of the present connection, and what follows for the link. Pure.

| the room says                         | the system says | the link is                          |
|---------------------------------------|-----------------|--------------------------------------|
| satellite, phone, or a budget         | anything        | as the room says: somebody knows     |
| broadband or school, without a budget | metered         | a phone's, with a small day's budget |
| broadband or school, without a budget | free, nothing   | as the room says                     |

Invariants:
  MD1  What the system says only ever narrows what the room allows, and never a link that somebody
       described.
"""

from dataclasses import replace
from enum import Enum
from typing import Final

from client.domain.settings import LinkKind
from client.domain.spend import MEGABYTE, LinkProfile

UNTOLD_BYTES: Final = 50 * MEGABYTE
"""A day of a metered link of which nobody said what it may cost: papers, and a film or two."""


class Metering(Enum):
    """Whether a connection costs by the byte."""

    UNKNOWN = "unknown"
    FREE = "free"
    METERED = "metered"


def told(profile: LinkProfile, metering: Metering) -> LinkProfile:
    """Give the link that counts: the table of the module (MD1)."""
    if metering is not Metering.METERED or profile.is_metered:
        return profile
    return replace(profile, kind=LinkKind.PHONE, day_bytes=UNTOLD_BYTES)
