"""Which certificates hold, whatever the clock of this machine shows.

    | who answers           | whose certificates hold  | dates are checked against               |
    |-----------------------|--------------------------|-----------------------------------------|
    | a hub, pinned         | its own authority's      | the time that somebody told, if any     |
    | a hub, while enrolling| any: the code proves it  | nothing                                 |
    | anybody else          | the usual authorities'   | the time that somebody told; where      |
    |                       |                          | nobody did, the clock of this machine   |

Invariants:
  TL1  A certificate for another name or of another authority never holds.
  TL2  Where the time was told, the machine's clock says nothing: it neither lets a certificate
       pass that has run out nor refuses one that holds.
"""

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from client.domain.clock import Clock
from client.domain.errors import UnreachableError
from sync.transport.session import Look, PinnedAdapter, WakingAdapter

TrustedTime = Callable[[], tuple[int, int] | None]
"""Earliest and latest UTC milliseconds that it can be now; None where nothing is known."""

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME; the `ssl` module has no name for it."""


def hub_adapter(url: str, authority: bytes, trusted: TrustedTime) -> WakingAdapter:
    """Make what opens connections to a hub.

    Args:
        url: Its base address.
        authority: Certificate that signs the hub's own (DER); empty while enrolling.
        trusted: The time that somebody told.
    """
    if not url.startswith("https:"):
        return WakingAdapter()
    return PinnedAdapter(_context_for(authority), _dates(trusted, "hub_certificate_dates"))


def public_adapter(trusted: TrustedTime, clock: Clock) -> WakingAdapter:
    """Make what opens connections to anybody else.

    Args:
        trusted: The time that somebody told.
        clock: Asked where nobody did.
    """

    def now() -> tuple[int, int]:
        wall_ms = int(clock.wall().timestamp() * 1000)
        return trusted() or (wall_ms, wall_ms)

    return PinnedAdapter(_public_context(), _dates(now, "certificate_dates"))


def _dates(trusted: TrustedTime, code: str) -> Look:
    """Make what checks the dates of a server's certificate, as far as the time is known (TL2).

    Those of the authorities between are not told by `ssl` and not looked at.
    """

    def look(certificate: Mapping[str, Any]) -> None:
        now = trusted()
        if now is None or "notAfter" not in certificate:
            return
        begins_ms = ssl.cert_time_to_seconds(certificate["notBefore"]) * 1000
        ends_ms = ssl.cert_time_to_seconds(certificate["notAfter"]) * 1000
        earliest_ms, latest_ms = now
        if latest_ms < begins_ms or earliest_ms > ends_ms:
            raise UnreachableError(code)

    return look


def _context_for(authority: bytes) -> ssl.SSLContext:
    """Make a TLS context for which one authority counts (TL1)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority:
        context.load_verify_locations(cadata=authority)
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    else:
        # Enrolment proves both keys and the authority under the code: see sync.protocol.enrol.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@cache
def _public_context() -> ssl.SSLContext:
    """Make the one TLS context for the usual authorities: reading them takes a while."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context
