"""Mending a damaged file: good stretches from the disk, only the others from the link.

Invariants:
  MD1  No stretch is asked for that is still good here, and none is kept that has not its old hash.
  MD2  Where mending stops, fetching goes on: whatever a source does, no more is lost than by
       fetching the whole, and a stretch that was mended is not asked for again.
"""

from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import ClassroomError, ProtocolError
from client.store.growing import Growing
from client.store.salvage_blocks import Salvage, Stretch, is_good
from sync.engine.pacing import LinkMeter
from sync.transport.port import Transport

_PARTIAL: Final = 206


class Mender:
    """Asks for single stretches. May be used from several threads."""

    def __init__(self, transport: Transport, meter: LinkMeter) -> None:
        self._transport = transport
        self._meter = meter

    def mend(
        self, growing: Growing, salvage: Salvage | None, urls: tuple[str, ...], cancel: CancelToken
    ) -> int:
        """Fill `growing` from what was set aside, as far as sources give what is bad (MD1, MD2).

        Returns:
            Bytes that came from the disk.

        Raises:
            StorageError: The disk is full or failed.
            Cancelled: What came is kept.
        """
        if salvage is None:
            return 0
        reused = 0
        try:
            for stretch in salvage.stretches:
                if stretch.start < growing.size:
                    continue
                if stretch.start > growing.size:
                    break  # taken up in the middle of a stretch: the rest comes as ever
                data = salvage.read(stretch)
                reused += len(data or b"")
                data = data or self._ask(stretch, urls, cancel)
                if data is None:
                    break
                growing.write(data)
            growing.mark()
        finally:
            growing.close()
        return reused

    def _ask(self, stretch: Stretch, urls: tuple[str, ...], cancel: CancelToken) -> bytes | None:
        """Bring one stretch from the first source that gives it whole; None where none does."""
        for url in urls:
            cancel.check()
            try:
                data = self._bring(stretch, url, cancel)
            except ClassroomError:
                cancel.check()
                continue
            if is_good(stretch, data):
                return data
        return None

    def _bring(self, stretch: Stretch, url: str, cancel: CancelToken) -> bytes:
        last = stretch.start + stretch.length - 1
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={stretch.start}-{last}"}
        data = bytearray()
        with self._transport.get(url, cancel, headers) as exchange:
            if exchange.answer.status != _PARTIAL:
                raise ProtocolError("not_http", {"url": url})
            for chunk in exchange.chunks():
                self._meter.came(len(chunk))
                data += chunk
                if len(data) > stretch.length:
                    raise ProtocolError("not_http", {"url": url})
        return bytes(data)
