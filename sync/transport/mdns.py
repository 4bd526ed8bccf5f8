"""Finding PCs near by with zeroconf (mDNS): a `Discovery`. It may pass where broadcasts do not."""

import ipaddress
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync.transport.air import MAX_CARD_BYTES, Heard

if TYPE_CHECKING:
    from zeroconf import Zeroconf

SERVICE: Final = "_tongke._tcp.local."
_CARD: Final = b"c"
_ANY_PORT: Final = 9
_ANSWER_MS: Final = 2000
_CLOSE_S: Final = 3.0

_log = logging.getLogger(__name__)


class MdnsDiscovery:
    """See the module.

    Args:
        name: What this PC is called in the network; the same at every start.
        addresses: Its own addresses.
        interfaces: Addresses to speak at, empty for all.
    """

    def __init__(self, name: str, addresses: Sequence[str], interfaces: Sequence[str] = ()) -> None:
        self._name: Final = f"{name}.{SERVICE}"
        self._addresses: Final = tuple(addresses)
        self._interfaces: Final = list(interfaces)
        self._gate = threading.Lock()
        self._zeroconf: Zeroconf | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def start(self, card: bytes, heard: Heard) -> None:
        """See `Discovery`."""
        self._thread = threading.Thread(
            target=self._open, args=(card, heard), name="near-mdns", daemon=True
        )
        self._thread.start()

    def call(self) -> None:
        """See `Discovery`: it asks by itself, again and again."""

    def close(self) -> None:
        """See `Discovery`."""
        with self._gate:
            self._is_closed = True
            zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            zeroconf.close()
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _open(self, card: bytes, heard: Heard) -> None:
        from zeroconf import (  # noqa: PLC0415 - heavy, and only where sharing is switched on
            Error,
            InterfaceChoice,
            IPVersion,
            ServiceBrowser,
            ServiceInfo,
            ServiceStateChange,
            Zeroconf,
        )

        def changed(
            zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
        ) -> None:
            if state_change is ServiceStateChange.Removed or name == self._name:
                return
            found = zeroconf.get_service_info(service_type, name, _ANSWER_MS)
            theirs = None if found is None else found.properties.get(_CARD)
            if found is None or not theirs or len(theirs) > MAX_CARD_BYTES or self._is_closed:
                return
            for address in found.addresses_by_version(IPVersion.V4Only):
                heard(str(ipaddress.IPv4Address(address)), theirs)

        info = ServiceInfo(
            SERVICE,
            self._name,
            addresses=[ipaddress.IPv4Address(one).packed for one in self._addresses],
            port=_ANY_PORT,
            properties={_CARD: card},
        )
        try:
            made = Zeroconf(
                interfaces=self._interfaces or InterfaceChoice.All, ip_version=IPVersion.V4Only
            )
            with self._gate:
                self._zeroconf = None if self._is_closed else made
            if self._is_closed:
                made.close()
                return
            made.register_service(info, allow_name_change=True)
            ServiceBrowser(made, SERVICE, handlers=[changed])
        except (OSError, Error):
            _log.info("no zeroconf in this network", exc_info=True)
