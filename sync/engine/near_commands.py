"""Commands for sharing with PCs near by, as the composition root calls them."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from client.domain.cancel import CancelToken
from client.service.command.parse import Invocation
from client.service.near_view import NearView
from client.service.station import Station
from client.service.text import Words
from sync.engine.near_desk import NearDesk, Serve

Command = Callable[[Station, Invocation], object]


class NearCommands:
    """Commands of one process.

    Args:
        serve: Starts a server.
        cancel: Cancelled by Ctrl-C.
        desk: Makes the desk.
    """

    def __init__(
        self,
        serve: Serve,
        cancel: CancelToken,
        desk: Callable[[Station, Serve], NearDesk] = NearDesk,
    ) -> None:
        self._serve: Final = serve
        self._cancel: Final = cancel
        self._desk: Final = desk

    def set(self, station: Station, call: Invocation) -> object:
        """`lan set`: turn the switch; make a PC one of this school."""
        if call.has("share"):
            station.room.set_setting("lan_share", call.text("share")).result()
        with contextlib.closing(self._desk(station, self._serve)) as desk:
            peer = call.text("peer")
            return document(desk.add_now(peer) if peer else desk.view_now(), station, call)

    def check(self, station: Station, call: Invocation) -> object:
        """`lan check`: try everything, say what is wrong and what to do."""
        with contextlib.closing(self._desk(station, self._serve)) as desk:
            forget = self._cancel.on_cancel(desk.stop_waiting)
            try:
                return document(desk.check_now(), station, call)
            finally:
                forget()


def commands(serve: Serve, cancel: CancelToken) -> Mapping[str, Command]:
    """Give the commands by name."""
    made = NearCommands(serve, cancel)
    return {"lan set": made.set, "lan check": made.check}


def document(view: NearView, station: Station, call: Invocation) -> Mapping[str, object]:
    """Write how sharing stands, with the sentence and the next step of its finding."""
    words = Words(call.language or station.room.snapshot().settings.language)
    code = view.finding.code
    return {
        "share": "on" if view.is_on else "off",
        "address": view.address,
        "short_code": view.code,
        "finding": code,
        "works": view.is_fine,
        "says": words(f"reason.{code}"),
        "next": words(f"hint.{code}"),
        "peers": [
            {
                "room": row.room,
                "address": row.address,
                "reason": row.reason.code,
                "usable": row.is_usable,
                "known": row.is_known,
            }
            for row in view.rows
        ],
    }
