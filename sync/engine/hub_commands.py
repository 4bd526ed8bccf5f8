"""The commands that speak to hubs, as the composition root calls them.

Invariants:
  HK1  One hub that cannot be reached keeps no other from being spoken to.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import Cancelled, ClassroomError, UserError
from client.service.command.documents import Outcome as Answer
from client.service.command.parse import Invocation
from client.service.hubs import KnownHub
from client.service.station import Station
from sync.engine.exchange import Outcome
from sync.engine.hub_catalogue import add_hub_source
from sync.engine.hub_link import HubLink, enrol
from sync.transport.folder_carrier import FolderCarrier

_FAILED: Final = 4
_SUMS: Final = ("pushed_events", "pulled_events", "pushed_bytes", "pulled_bytes", "requests")


class HubDesk:
    """Commands of a room for its hubs. `cancel` is cancelled by Ctrl-C."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel

    def add(self, station: Station, call: Invocation) -> object:
        """`source add hub`."""
        hub = enrol(station, call.text("url"), call.text("code"), self._cancel)
        add_hub_source(station, hub)
        return {
            "id": hub.key.hex(),
            "kind": "hub",
            "url": hub.url,
            "name": hub.name,
            "school": hub.school,
            "tls": bool(hub.authority),
        }

    def sync_now(self, station: Station, call: Invocation) -> object:
        """`sync now`: all hubs in turn (HK1)."""
        hubs = station.hubs.hubs()
        if not hubs:
            raise UserError("no_hub")
        folder = call.path("folder")
        carrier = FolderCarrier(folder.absolute()) if folder is not None else None

        def ask(hub: KnownHub) -> Outcome:
            with contextlib.closing(HubLink(station, hub)) as link:
                if carrier is None:
                    return link.exchange(self._cancel)
                return link.by_folder(carrier)

        return call_all(hubs, ask, station.clock)


def call_all(hubs: Sequence[KnownHub], ask: Callable[[KnownHub], Outcome], clock: Clock) -> Answer:
    """Speak to hubs in turn (HK1), and give the document of what was done. `hubs` are some.

    Raises:
        ClassroomError: None of them could be reached; the reason of the first.
    """
    begun = clock.monotonic()
    done: list[tuple[KnownHub, Outcome]] = []
    failed: list[tuple[KnownHub, ClassroomError]] = []
    for hub in hubs:
        try:
            done.append((hub, ask(hub)))
        except Cancelled:
            raise
        except ClassroomError as error:
            failed.append((hub, error))
    if not done:
        raise failed[0][1]
    value = {
        **_summed(done),
        "seconds": round(clock.monotonic() - begun, 3),
        "peers": [*map(_row, done), *({"peer": h.url, "error": e.code} for h, e in failed)],
    }
    return Answer(value=value, exit_code=_FAILED if failed else 0)


def _summed(done: list[tuple[KnownHub, Outcome]]) -> dict[str, object]:
    peers = ", ".join(hub.url for hub, _ in done)
    sums = {name: sum(getattr(outcome, name) for _, outcome in done) for name in _SUMS}
    notes = dict.fromkeys(note for _, outcome in done for note in outcome.notes)
    return {"peer": peers, **sums, "notes": list(notes)}


def _row(one: tuple[KnownHub, Outcome]) -> dict[str, object]:
    return _summed([one])
