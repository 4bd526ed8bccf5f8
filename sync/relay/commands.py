"""The commands of a hub that concern hubs above it, and those of the hub itself."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.service.command.documents import Listing
from client.service.command.parse import Invocation
from client.service.hubs import KnownHub
from sync.engine.exchange import Outcome
from sync.engine.hub_commands import call_all
from sync.hub.commands import COMMANDS as OWN
from sync.hub.commands import open_folder, run_hub
from sync.hub.folder import HubFolder
from sync.relay.relay import Relay
from sync.relay.upstream import ToldTime, UpstreamLink, enrol_above


def add(cancel: CancelToken, call: Invocation) -> object:
    """`hub upstream add`."""
    with open_folder(call) as folder:
        parts = (call.text("url"), call.text("code"), call.text("school"))
        return _row(folder, enrol_above(folder, *parts, cancel))


def show(_cancel: CancelToken, call: Invocation) -> object:
    """`hub upstream list`."""
    with open_folder(call) as folder:
        rows = [_row(folder, hub) for hub in folder.upstreams.hubs()]
    return Listing(name="upstreams", rows=rows)


def remove(_cancel: CancelToken, call: Invocation) -> object:
    """`hub upstream remove`: nothing more is brought there or fetched; what is here stays."""
    with open_folder(call) as folder:
        hub = folder.upstreams.remove(call.text("url"))
        folder.audit.note("upstream_removed", url=hub.url, school=hub.school)
    return {"url": hub.url}


def sync_now(cancel: CancelToken, call: Invocation) -> object:
    """`hub sync`: one round now, also beside a running hub."""
    clock = SystemClock()
    time = ToldTime(clock)
    with open_folder(call) as folder:

        def ask(hub: KnownHub) -> Outcome:
            with contextlib.closing(UpstreamLink(folder, hub, clock, time)) as link:
                return link.exchange(cancel)

        hubs = folder.upstreams.hubs()
        if not hubs:
            raise UserError("no_upstream")
        return call_all(hubs, ask, clock)


def _run(_cancel: CancelToken, call: Invocation) -> None:
    run_hub(call, Relay)


def _row(folder: HubFolder, hub: KnownHub) -> dict[str, object]:
    contact = folder.upstreams.contact(hub.key)
    return {
        "id": hub.key.hex(),
        "url": hub.url,
        "name": hub.name,
        "site": hub.site.hex(),
        "school": hub.school,
        "tls": bool(hub.authority),
        "exchanges": contact.exchanges,
        "failures": contact.failures,
        "reason": contact.reason,
    }


_OWN: Final[Mapping[str, Callable[[CancelToken, Invocation], object]]] = {
    "hub": _run,
    "hub upstream add": add,
    "hub upstream list": show,
    "hub upstream remove": remove,
    "hub sync": sync_now,
}


def commands(cancel: CancelToken) -> Mapping[str, Callable[[Invocation], object]]:
    """Give all commands `hub …`. `cancel` is cancelled by Ctrl-C."""
    return {**OWN, **{name: partial(command, cancel) for name, command in _OWN.items()}}
