"""Tongke: the composition root and command line. `python main.py --help` tells the rest.

The only place that knows every part: it opens a profile, joins services, sync and windows, and
runs one command. Heavy parts are imported by the command that needs them (start-up budget).
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.errors import ClassroomError, UsageError
from client.domain.ids import LessonId
from client.service.command.link_commands import COMMANDS as LINK_COMMANDS
from client.service.command.parse import Invocation
from client.service.command.room_commands import COMMANDS as ROOM_COMMANDS
from client.service.command.room_commands import Command
from client.service.command.run import run
from client.service.paths import ASSETS, ROOT, Profile, profile_at
from client.service.station import Station

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from client.domain.availability import Decodes
    from client.media.port import Player
    from sync.engine.courier_pack import Labels
    from sync.engine.home_desk import HomeDesk
    from sync.engine.link_desk import LinkDesk
    from sync.engine.near_shelf import NearShelf
    from sync.engine.stick_desk import StickDesk
    from sync.hub.share import ShareServer
    from ui.program import Program

_FAILED = 4
_LINKED = (
    "source add platform",
    "source add folder",
    "catalogue sync",
    "export",
    "lesson fetch",
    "lesson verify",
)
"""Commands of `sync.engine.commands`."""
_HUB = (
    "hub",
    "hub answer",
    "hub backup",
    "hub restore",
    "hub fsck",
    "hub revoke",
    "hub nodes",
    "hub code",
    "hub withdraw",
    "hub upstream add",
    "hub upstream list",
    "hub upstream remove",
    "hub sync",
)
"""Commands of `sync.relay.commands`."""
_PEERS = ("source add hub", "sync now")
"""Commands of `sync.engine.hub_commands`."""

_LAN = ("lan set", "lan check")
"""Commands of `sync.engine.near_commands`."""

_COURIER = ("courier pack", "courier unpack", "courier inspect")
"""Commands of `sync.engine.courier_commands`."""

_ROSTER = (
    "roster import",
    "roster list",
    "roster code",
    "roster backup",
    "roster restore",
    "roster drop",
)
"""Commands of `client.service.command.roster_commands`."""

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
        "demo": _demo,
        "play": _play,
        "doctor": _doctor,
        "bench": _bench,
        "seal-image": _seal_image,
        "hub publish": partial(_publish, cancel),
        **{
            name: partial(_on_station, command)
            for name, command in {**ROOM_COMMANDS, **LINK_COMMANDS}.items()
        },
        **{name: partial(_on_roster, name) for name in _ROSTER},
    }
    for name in _LINKED:
        handlers[name] = partial(_on_link, name, cancel)
    for name in _HUB:
        handlers[name] = partial(_on_hub, name, cancel)
    for name in _PEERS:
        handlers[name] = partial(_on_peers, name, cancel)
    for name in _LAN:
        handlers[name] = partial(_on_lan, name, cancel)
    for name in _COURIER:
        handlers[name] = partial(_on_courier, name, cancel)
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


def _on_roster(name: str, call: Invocation) -> object:
    """Run a command with the roster, which no other part of the program is given."""
    from client.service.command.roster_commands import COMMANDS  # noqa: PLC0415 - heavy
    from client.service.roster import RosterService  # noqa: PLC0415 - heavy
    from client.service.text import Words  # noqa: PLC0415 - heavy

    with _station(call) as station:
        roster = RosterService(station.profile)
        try:
            return COMMANDS[name](station, roster, call)
        finally:
            damaged = roster.set_aside().result()
            if damaged is not None:
                _say(Words(call.language or "zh_CN")("notice.roster_damaged", name=damaged.name))
            roster.close()


def _on_link(name: str, cancel: CancelToken, call: Invocation) -> object:
    from sync.engine.commands import commands  # noqa: PLC0415 - heavy
    from ui.base.fallback_probe import decodes  # noqa: PLC0415 - heavy

    table = commands(decodes, _say, cancel)
    with _station(call) as station:
        return table[name](station, call)


def _on_peers(name: str, cancel: CancelToken, call: Invocation) -> object:
    from sync.engine.hub_commands import HubDesk  # noqa: PLC0415 - heavy

    desk = HubDesk(cancel)
    table = {"source add hub": desk.add, "sync now": desk.sync_now}
    with _station(call) as station:
        return table[name](station, call)


def _on_courier(name: str, cancel: CancelToken, call: Invocation) -> object:
    """Run a command for sticks; with `--data` the keeper of that hub packs."""
    from sync.engine.courier_commands import CourierDesk, HubSide  # noqa: PLC0415 - heavy
    from ui.base.fallback_probe import decodes  # noqa: PLC0415 - heavy

    desk = CourierDesk(decodes, _say, cancel)
    with contextlib.ExitStack() as stack:
        hub = None
        if call.path("data") is not None:
            from sync.hub.commands import open_folder, responder, word_of  # noqa: PLC0415 - heavy
            from sync.transport.folder_carrier import answer_folder  # noqa: PLC0415 - heavy

            folder = stack.enter_context(open_folder(call))
            keeper = responder(folder)

            def answer(stick: Path) -> int:
                return answer_folder(stick, keeper.answer, keeper.has_answered).answered

            hub = HubSide(signer=folder.key(), answer=answer, word=word_of(folder))
        station = stack.enter_context(_station(call))
        return desk.commands(hub)[name](station, call)


def _on_hub(name: str, cancel: CancelToken, call: Invocation) -> object:
    from sync.relay.commands import commands  # noqa: PLC0415 - heavy

    return commands(cancel)[name](call)


def _publish(cancel: CancelToken, call: Invocation) -> object:
    """Publish what a profile holds, by default the hub's own; take a folder in first."""
    from sync.engine.folder_import import import_folder  # noqa: PLC0415 - heavy
    from sync.hub.commands import publish  # noqa: PLC0415 - heavy
    from sync.hub.folder import PROFILE  # noqa: PLC0415 - heavy

    folder = call.path("dir")
    if folder is None and not call.flag("from_platform"):
        raise UsageError("usage", {"detail": "DIR | --from-platform"})
    own = call.needed_path("data") / PROFILE
    rejected: Sequence[object] = ()
    with _station(replace(call, profile=call.profile or own)) as station:
        if folder is not None:
            rejected = import_folder(station, folder, _decodes, cancel).rejected
        return {**asdict(publish(station, call, cancel)), "rejected": rejected}


def _seal_image(call: Invocation) -> object:
    from client.service.image import seal_image  # noqa: PLC0415 - rare
    from client.store.sentinel import sentinel_of  # noqa: PLC0415 - rare

    profile = profile_at(call.profile)
    sentinel = sentinel_of(profile.folder)
    return {"facts": seal_image(profile, SystemClock(), sentinel, is_sure=call.flag("yes"))}


def _app(call: Invocation) -> object:
    """Run the app until its window is closed; `--demo` with the demo school."""
    folder = call.path("screenshots")
    if folder is not None:
        _screenshots(call, folder.absolute())
    try:
        with _program(call, is_demo=call.flag("demo")) as (program, _):
            program.show()
            _application().exec()
    except ClassroomError as error:
        from client.service.text import Words  # noqa: PLC0415 - heavy
        from ui.base.failure import show_failure  # noqa: PLC0415 - heavy

        show_failure(error, Words(call.language) if call.language else Words())
        raise
    # libvlc's threads outlive its players; taking the interpreter down under them may crash.
    sys.stdout.flush()
    os._exit(0)


def _screenshots(call: Invocation, folder: Path) -> None:
    """Keep pictures of all pages and states, on an empty profile and on the demo school."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ui.screenshots import Walk, write_index  # noqa: PLC0415 - heavy

    pictures: list[Path] = []
    for name in ("fresh", "demo"):
        with tempfile.TemporaryDirectory() as profile:
            one = replace(call, profile=Path(profile))
            if name == "demo":
                _live_week(Profile(Path(profile)))
            with _program(one, is_demo=name == "demo") as (program, _):
                pictures += Walk(program, folder).run(name)
    write_index(folder, pictures)
    _say(f"{len(pictures)} pictures: {folder}")
    sys.stdout.flush()
    os._exit(0)


def _demo(call: Invocation) -> object:
    """Run the scripted school day; headless where there is no display."""
    _use_offscreen()
    from client.service.text import Words  # noqa: PLC0415 - heavy
    from ui.demo_day import run_day  # noqa: PLC0415 - heavy

    folder = call.needed_path("report").absolute()
    with tempfile.TemporaryDirectory() as fresh:
        profile = call.profile or Path(fresh)
        with _program(replace(call, profile=profile), is_demo=True) as (program, station):
            report = run_day(program, station, folder, Words(call.language or "zh_CN"))
        if call.is_json:
            sys.stdout.write(json.dumps(asdict(report), ensure_ascii=False) + "\n")
        _say(f"held {report.held}, failed {report.failed}, absent {report.absent}: {folder}")
    sys.stdout.flush()
    os._exit(0 if report.failed == 0 else _FAILED)


def _play(call: Invocation) -> object:
    """Project a cached lesson; its answer is printed here, since the process ends at once."""
    from ui.play import play  # noqa: PLC0415 - heavy

    _use_offscreen()
    with _program(call, is_demo=False) as (program, station):
        played = play(
            program,
            station,
            LessonId(call.text("id")),
            seconds=call.seconds("seconds"),
            screenshot=call.path("stage_screenshot"),
        )
    _print_and_leave(asdict(played), call)
    return None


def _doctor(call: Invocation) -> object:
    """Look at everything; nothing is changed."""
    from client.service.doctor import Facts, station_doctor  # noqa: PLC0415 - heavy
    from client.service.doctor_report import report  # noqa: PLC0415 - heavy
    from client.service.text import Words  # noqa: PLC0415 - heavy

    with _station(call) as station:
        doctor = station_doctor(station, _decodes)
        try:
            return report(doctor.look_now(Facts()), Words(call.language or "zh_CN"))
        finally:
            doctor.close()


def _bench(call: Invocation) -> object:
    """Measure; each bench opens what it needs."""
    from ui.bench import bench  # noqa: PLC0415 - heavy

    _print_and_leave(bench(call, _say), call)
    return None


def _print_and_leave(answer: Mapping[str, object], call: Invocation) -> None:
    """Write an answer and end the process (libvlc's threads outlive its players)."""
    if call.is_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
    else:
        for name, value in answer.items():
            sys.stdout.write(f"{name}  {value}\n")
    sys.stdout.flush()
    os._exit(0)


def _use_offscreen() -> None:
    """Draw into memory where there is no display."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        screen = ASSETS / "demo" / "screen.json"
        os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={screen}")


@contextlib.contextmanager
def _program(call: Invocation, *, is_demo: bool) -> "Iterator[tuple[Program, Station]]":
    """Open a profile and the program on it; the demo has a profile of its own."""
    from ui.program import Parts, Program  # noqa: PLC0415 - heavy

    _application()
    clock = SystemClock()
    profile = profile_at(call.profile)
    if is_demo and call.profile is None:
        profile = Profile(profile.folder / "demo")
    station = Station(profile, clock)
    try:
        if is_demo:
            _open_demo(station)
        program = Program(
            Parts(
                services=station,
                clock=clock,
                player=_player,
                link=partial(_link, station),
                prints=profile.folder / "prints",
                demo=ROOT / "build" / "demo",
                check_address=_check_address,
                decodes=_decodes,
                sticks=partial(_sticks, station),
                home=partial(_home, station),
            )
        )
        try:
            yield program, station
        finally:
            program.close()
    finally:
        station.close()


def _application() -> "QApplication":
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 - heavy

    known = QApplication.instance()
    return known if isinstance(known, QApplication) else QApplication(sys.argv[:1])


def _open_demo(station: Station) -> None:
    if station.room.snapshot().room is not None:
        return
    from sync.engine.demo_school import open_demo  # noqa: PLC0415 - heavy
    from ui.base.fallback_probe import decodes  # noqa: PLC0415 - heavy

    open_demo(station, decodes, CancelToken())


def _live_week(profile: Profile) -> None:
    """Put the demo school into a profile, with a week of lessons behind it."""
    from sync.engine.demo_week import live_week  # noqa: PLC0415 - heavy

    live_week(profile, SystemClock(), _open_demo)


def _check_address(base: str) -> object:
    from sync.source.addresses import AddressBook  # noqa: PLC0415 - heavy

    return AddressBook(base or None)


def _decodes(path: Path) -> "Decodes":
    from ui.base.fallback_probe import decodes  # noqa: PLC0415 - heavy

    return decodes(path)


def _link(station: Station) -> "LinkDesk":
    from sync.engine.link_desk import LinkDesk  # noqa: PLC0415 - heavy
    from sync.engine.near_desk import NearDesk  # noqa: PLC0415 - heavy

    return LinkDesk(station, _decodes, NearDesk(station, _share))


def _share(shelf: "Callable[[int], NearShelf]") -> "ShareServer":
    """Give what a shelf has to PCs of this network."""
    from sync.hub.serve import Place  # noqa: PLC0415 - heavy, and only where sharing is on
    from sync.hub.share import EVERYWHERE, PORT, ShareServer  # noqa: PLC0415 - as above

    return ShareServer(shelf, SystemClock(), Place(host=EVERYWHERE, port=PORT))


def _on_lan(name: str, cancel: CancelToken, call: Invocation) -> object:
    from sync.engine.near_commands import commands  # noqa: PLC0415 - heavy

    with _station(call) as station:
        return commands(_share, cancel)[name](station, call)


def _sticks(station: Station) -> "StickDesk":
    from client.service.text import Words  # noqa: PLC0415 - heavy
    from sync.engine.courier_commands import labels_of  # noqa: PLC0415 - heavy
    from sync.engine.stick_desk import StickDesk  # noqa: PLC0415 - heavy

    def labels() -> "Labels":
        return labels_of(Words(station.room.snapshot().settings.language))

    return StickDesk(station, _decodes, labels)


def _home(station: Station) -> "HomeDesk":
    from client.media.remux import remux  # noqa: PLC0415 - heavy
    from sync.engine.home_desk import HomeDesk  # noqa: PLC0415 - heavy

    return HomeDesk(station, remux)


def _player() -> "Player":
    from client.media.choose import choose_player  # noqa: PLC0415 - heavy
    from client.media.vlc_player import VlcPlayer  # noqa: PLC0415 - heavy

    return choose_player((VlcPlayer, _fallback_player))


def _fallback_player() -> "Player":
    from ui.base.fallback_player import FallbackPlayer  # noqa: PLC0415 - heavy

    return FallbackPlayer()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
