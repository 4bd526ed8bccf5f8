"""Whether something listens at an address, and if not, how the network says so."""

import socket
from enum import Enum
from typing import Final

KNOCK_S: Final = 2.0


class Knock(Enum):
    """What came of opening a connection."""

    OPEN = "open"
    REFUSED = "refused"
    """The machine is there and refuses: nothing listens, or its firewall says so."""
    SILENT = "silent"
    """Nothing comes back: no such machine, or somebody throws packets away."""


def knock(host: str, port: int) -> Knock:
    """Open a connection and close it. Blocking, for two seconds at most."""
    try:
        with socket.create_connection((host, port), timeout=KNOCK_S):
            return Knock.OPEN
    except ConnectionRefusedError:
        return Knock.REFUSED
    except OSError:
        return Knock.SILENT
