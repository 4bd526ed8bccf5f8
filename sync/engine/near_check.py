"""Why sharing with other PCs does not work, and what to do: pure, from facts to a message key.

The first line that fits decides:

    | facts                                              | finding       | next step             |
    |----------------------------------------------------|---------------|-----------------------|
    | switched off                                       | OFF           | switch it on          |
    | this PC has no address                             | NO_NETWORK    | plug in a cable       |
    | it cannot listen                                   | NO_PORT       | start it again        |
    | others answer, none of them can reach this PC      | BLOCKED_HERE  | firewall here, stick  |
    | others answer, none of them was heard              | UNHEARD       | works by code         |
    | others answer                                      | FINE          |                       |
    | nobody was heard, no address was typed             | NOBODY        | switch it on there    |
    | who was heard, refuses                             | REFUSED       | firewall there, stick |
    | who was heard, stays silent                        | ISOLATED      | Wi-Fi keeps PCs apart |
    | only typed addresses, none in this network         | OTHER_NETWORK | same Wi-Fi, or stick  |
    | only typed addresses                               | UNANSWERED    | on there? firewall?   |

Invariants:
  NK1  Every combination of facts has one finding, and every finding has words that say what to do.
  NK2  A PC that answers is usable whatever else is wrong; one that was caught with wrong bytes is
       not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sync.transport.knock import Knock


class Finding(Enum):
    """How sharing stands; values are message codes."""

    OFF = "lan_off"
    NO_NETWORK = "lan_no_network"
    NO_PORT = "lan_no_port"
    BLOCKED_HERE = "lan_blocked_here"
    UNHEARD = "lan_unheard"
    FINE = "lan_fine"
    NOBODY = "lan_nobody"
    REFUSED = "lan_refused"
    ISOLATED = "lan_isolated"
    OTHER_NETWORK = "lan_other_network"
    UNANSWERED = "lan_unanswered"

    @property
    def is_fine(self) -> bool:
        """Tell whether lessons come."""
        return self in (Finding.FINE, Finding.UNHEARD)

    @property
    def needs_stick(self) -> bool:
        """Tell whether a stick is what helps now."""
        return self in _STICK


_STICK: Final = frozenset(
    {
        Finding.BLOCKED_HERE,
        Finding.REFUSED,
        Finding.ISOLATED,
        Finding.OTHER_NETWORK,
        Finding.UNANSWERED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFacts:
    """What is known of one PC. `knock` is None until somebody tried."""

    is_heard: bool
    is_same_network: bool
    knock: Knock | None = None
    is_left_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of sharing."""

    is_on: bool
    has_network: bool = False
    is_listening: bool = False
    is_reached: bool | None = None
    """Whether another PC could reach this one; None: nobody was asked."""
    peers: Sequence[PeerFacts] = ()


def find(facts: Facts) -> Finding:
    """Choose the finding: the table of the module (NK1)."""
    answering = [peer for peer in facts.peers if peer.knock is Knock.OPEN]
    heard = [peer for peer in facts.peers if peer.is_heard]
    near = [peer for peer in facts.peers if peer.is_same_network]
    table = (
        (not facts.is_on, Finding.OFF),
        (not facts.has_network, Finding.NO_NETWORK),
        (not facts.is_listening, Finding.NO_PORT),
        (bool(answering) and facts.is_reached is False, Finding.BLOCKED_HERE),
        (bool(answering) and not any(peer.is_heard for peer in answering), Finding.UNHEARD),
        (bool(answering), Finding.FINE),
        (not facts.peers, Finding.NOBODY),
        (any(peer.knock is Knock.REFUSED for peer in heard), Finding.REFUSED),
        (bool(heard), Finding.ISOLATED),
        (not near, Finding.OTHER_NETWORK),
    )
    return next((finding for fits, finding in table if fits), Finding.UNANSWERED)


def why(peer: PeerFacts) -> tuple[str, bool]:
    """Say by a code how one PC stands, and whether lessons come from it (NK2)."""
    table = (
        (peer.is_left_alone, "lan_peer_left_alone"),
        (peer.knock is Knock.OPEN, "lan_peer_fine"),
        (peer.knock is None, "lan_peer_untried"),
        (peer.knock is Knock.REFUSED, "lan_peer_refuses"),
        (not peer.is_same_network and not peer.is_heard, "lan_peer_elsewhere"),
    )
    code = next((code for fits, code in table if fits), "lan_peer_silent")
    return code, code in ("lan_peer_fine", "lan_peer_untried")
