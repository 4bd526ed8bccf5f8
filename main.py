"""Tongke: the composition root and command line. `python main.py --help` tells the rest.

The only place that knows every part: it opens a profile, joins services, sync and windows, and
runs one command. Heavy parts are imported by the command that needs them (start-up budget).
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.service.command.parse import Invocation
from client.service.command.room_commands import COMMANDS as ROOM_COMMANDS
from client.service.command.room_commands import Command
from client.service.command.run import run
from client.service.paths import profile_at
from client.service.station import Station

if TYPE_CHECKING:
    from client.media.port import Player
    from sync.engine.link_desk import LinkDesk

_LINKED = (
    "source add platform",
    "source add folder",
    "catalogue sync",
    "lesson fetch",
    "lesson verify",
)
"""Commands of `sync.engine.commands`."""

Handler = Callable[[Invocation], object]


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    cancel = CancelToken()

    def stop(_number: int, _frame: FrameType | None) -> None:
        cancel.cancel()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    return run(arguments, _handlers(cancel))


def _handlers(cancel: CancelToken) -> Mapping[str, Handler]:
    handlers: dict[str, Handler] = {
        "": _app,
        **{name: partial(_on_station, command) for name, command in ROOM_COMMANDS.items()},
    }
    for name in _LINKED:
        handlers[name] = partial(_on_link, name, cancel)
    return handlers


@contextlib.contextmanager
def _station(call: Invocation) -> Iterator[Station]:
    station = Station(profile_at(call.profile), SystemClock())
    try:
        yield station
    finally:
        station.close()


def _on_station(command: Command, call: Invocation) -> object:
    with _station(call) as station:
        return command(station, call)


def _on_link(name: str, cancel: CancelToken, call: Invocation) -> object:
    from client.media.probe import decodes  # noqa: PLC0415 - heavy
    from sync.engine.commands import commands  # noqa: PLC0415 - heavy

    table = commands(decodes, _say, cancel)
    with _station(call) as station:
        return table[name](station, call)


def _app(call: Invocation) -> object:
    """Run the app until its window is closed."""
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 - heavy

    from ui.program import Parts, Program  # noqa: PLC0415 - heavy

    app = QApplication(sys.argv[:1])
    clock = SystemClock()
    profile = profile_at(call.profile)
    station = Station(profile, clock)
    program = Program(
        Parts(
            services=station,
            clock=clock,
            player=_player,
            link=partial(_link, station),
            prints=profile.folder / "prints",
        )
    )
    program.show()
    app.exec()
    program.close()
    station.close()
    # libvlc's threads outlive its players; taking the interpreter down under them may crash.
    os._exit(0)


def _link(station: Station) -> "LinkDesk":
    from client.media.probe import decodes  # noqa: PLC0415 - heavy
    from sync.engine.link_desk import LinkDesk  # noqa: PLC0415 - heavy

    return LinkDesk(station, decodes)


def _player() -> "Player":
    from client.media.choose import choose_player  # noqa: PLC0415 - heavy
    from client.media.vlc_player import VlcPlayer  # noqa: PLC0415 - heavy

    return choose_player((VlcPlayer,))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
