"""A room with a roster of canary names, and every way out of it (tests/end2end/test_canary.py).

A new way out of the room is a new row of `PLACES`: a function that takes the `Room` and writes what
left it into `room.out(<name>)`. If it packs bytes in a new way, `VIEWS` of tests/canary.py gets a
row too; until then the control text is not found.
"""

import contextlib
import fnmatch
import json
import os
import socket
import socketserver
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from PySide6.QtWidgets import QWidget

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.errors import PlayerError
from client.domain.ids import ClassId, LessonId
from client.service.paths import Profile
from client.service.roster import Mark, MarkKind, RosterService
from client.service.station import Station
from sync.engine.demo_school import open_demo
from tests.canary import MARKS, NAMES, Hit, find
from tests.no_link import NoLink
from tests.quality.sources import ROOT
from ui.program import Parts, Program
from ui.screenshots import Look, Walk

SCHOOL = "白鹭洲教学点"
NOTE = "小组讨论很热烈"
ALLOWED = {
    "names": (
        "profile/roster.db",
        "profile/roster.db-wal",
        "profile/roster.db-shm",
        "profile/roster.db.replaced-*",
    ),
    "code": ("profile/keys/roster-code.txt", "out/sheet/*"),
}
"""Where names, marks and pupils' ids may stand, and where the recovery code may."""


@dataclass
class Room:
    """One profile with a roster, and a folder for each way out of it."""

    root: Path
    lists: Path
    """Outside of all that is searched."""
    class_id: ClassId = field(init=False)
    lesson: LessonId = field(init=False)
    note: str = NOTE
    """What the teacher writes, and what is looked for where notes go."""
    code: str = field(default="", init=False)
    ids: list[str] = field(default_factory=list, init=False)

    @property
    def profile(self) -> Path:
        return self.root / "profile"

    def out(self, name: str) -> Path:
        folder = self.root / "out" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, place: str, *argv: str) -> dict:
        """Run a command; what it says on either stream is kept in the place's folder."""
        done = self.start(*argv, "--json")
        folder = self.out(place)
        number = len(list(folder.glob("said-*")))
        (folder / f"said-{number}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        homes = {"HOME": "home", "XDG_DATA_HOME": "home", "XDG_CACHE_HOME": "home", "TMPDIR": "tmp"}
        for name in homes.values():
            (self.root / name).mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "--profile", str(self.profile), *argv],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=200,
            env={
                **os.environ,
                **{variable: str(self.root / name) for variable, name in homes.items()},
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
                "QT_QPA_PLATFORM": "offscreen",
                "LC_ALL": "C.UTF-8",
            },
        )

    def hub(self, place: str, *argv: object) -> None:
        """Run a command of the hub's keeper; what it says is kept in the place's folder."""
        self.run(
            place, "hub", *map(str, argv[:1]), "--data", str(self.hub_data), *map(str, argv[1:])
        )

    @property
    def hub_data(self) -> Path:
        return self.root / "hub"

    def station(self) -> Station:
        return Station(Profile(self.profile), SystemClock())

    def roster(self) -> RosterService:
        return RosterService(Profile(self.profile), lambda: None)

    @cached_property
    def hits(self) -> dict[str, list[Hit]]:
        """Everything that was found where it may not stand, by kind."""
        texts = {
            "names": (*NAMES, *MARKS, *self.ids),
            "code": (self.code, self.code.replace("-", "")) if self.code else (),
        }
        return {kind: self.outside(kind, find(self.root, found)) for kind, found in texts.items()}

    def outside(self, kind: str, hits: list[Hit]) -> list[Hit]:
        return [hit for hit in hits if not self.may_hold(hit.path, ALLOWED[kind])]

    def may_hold(self, path: Path, patterns: tuple[str, ...]) -> bool:
        name = path.relative_to(self.root).as_posix()
        return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# --- what is done in the room ------------------------------------------------------------


def begin(room: Room) -> None:
    """The demo school's lessons, a roster of canaries, marks."""
    station = room.station()
    open_demo(station, lambda _: Decodes.YES, CancelToken())
    station.room.set_room(SCHOOL, "一号教室").result()
    room.class_id = station.room.snapshot().classes[0].id
    room.lesson = station.holdings.kept_lessons()[0].id
    station.close()
    names = room.lists / "names.csv"
    rows = "".join(f"{number},{name}\n" for number, name in enumerate(NAMES, 1))
    names.write_bytes(f"学号,姓名\n{rows}".encode("gb18030"))
    told = room.start("roster", "import", str(names), "--class", room.class_id, "--json")
    assert not [name for name in NAMES if name in told.stdout + told.stderr]
    room.code = json.loads(told.stdout)["recovery_code"]
    roster = room.roster()
    room.ids = [pupil.id for pupil in roster.pupils(room.class_id).result()]
    for who, value in zip(room.ids, MARKS, strict=False):
        roster.add_mark(
            Mark(class_id=room.class_id, pupil=who, kind=MarkKind.NOTE, value=value, day="5-18")
        ).result()
    roster.close()


def commands(room: Room) -> None:
    for words in (
        ("room", "set", "--school", SCHOOL, "--room", "一号教室"),
        ("class", "list"),
        ("book", "list"),
        ("timetable", "list"),
        ("source", "list"),
        ("catalogue", "search", "fyf"),
        ("catalogue", "show", room.lesson),
        ("lesson", "list"),
        ("lesson", "verify"),
    ):
        room.run("commands", *words)


def record(room: Room) -> None:
    for kind, value in (
        ("headcount", "5"),
        ("note", room.note),
        ("answer", "A=3,B=2"),
        ("opened", "1"),
        ("played", "0-90,120-300"),
    ):
        words = ("--class", room.class_id, "--value", value, "--lesson", room.lesson)
        room.run("record", "record", "add", kind, *words)
    assert len(room.run("record", "record", "list")["facts"]) >= 5


def segments(room: Room) -> None:
    """What the journal hands out to be carried away, and its own backups."""
    station = room.station()
    assert station.journal.seal().result() > 0
    assert station.journal.backup().result()
    for number, data in enumerate(station.journal.segments()):
        (room.out("segments") / f"{number}.segment").write_bytes(data)
    station.close()


def wire(room: Room) -> None:
    """An exchange without TLS, every byte of it; the hub's files are kept as they stand then."""
    with running_hub(room) as (url, code), recorded(url, room.out("wire")) as through:
        room.run("wire", "source", "add", "hub", through, "--code", code)
        assert room.run("wire", "sync", "now")["pushed_events"] > 0
        for path in room.hub_data.glob("*.*"):
            (room.out("hub") / path.name).write_bytes(path.read_bytes())
    assert (room.out("hub") / "logs.db-wal").stat().st_size > 0


def carrier(room: Room) -> None:
    """What is left on a stick for the hub, and its answer."""
    words = ("--class", room.class_id, "--value", room.note)
    room.run("carrier", "record", "add", "note", *words)
    folder = room.out("carrier")
    room.run("carrier", "sync", "now", "--folder", str(folder))
    room.hub("carrier", "answer", folder)
    assert {path.suffix for path in (folder / "TONGKE" / "x").iterdir()} == {".ask", ".say"}


def hub(room: Room) -> None:
    """The hub's files: as they stood with their logs of writing, with these taken in, a backup."""
    folder = room.out("hub")
    (folder / "whole").mkdir()
    for name in ("hub.db", "logs.db"):
        with contextlib.closing(sqlite3.connect(copied(folder, name, folder / "whole"))) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for words in (("nodes",), ("fsck",), ("backup", folder / "backup")):
        room.hub("hub", *words)


def logs(room: Room) -> None:
    """The hub's audit, what it said, and what a room says of a hub that is not there."""
    failed = room.start("sync", "now", "--json")
    assert failed.returncode == 4, failed.stdout
    (room.out("logs") / "failed.txt").write_text(failed.stdout + failed.stderr, encoding="utf-8")
    (room.out("logs") / "audit.log").write_bytes((room.hub_data / "audit.log").read_bytes())


def backups(room: Room) -> None:
    """The journal's own copies of itself."""
    station = room.station()
    assert station.journal.backup().result()
    station.close()
    for path in room.profile.glob("journal.backup-*"):
        (room.out("backups") / path.name).write_bytes(path.read_bytes())


def prints(room: Room) -> None:
    for what in ("task", "steps"):
        out = room.out("prints") / f"{what}.pdf"
        room.run("prints", "print", room.lesson, "--what", what, "--pdf", str(out), "--copies", "5")


def diagnostics(room: Room) -> None:
    room.run("diagnostics", "doctor", "--bundle", str(room.out("diagnostics") / "bundle.zip"))


def stick(room: Room) -> None:
    """The sealed backup: written, restored, written again."""
    folder = str(room.out("stick"))
    made = room.start("roster", "backup", folder, "--json")
    assert made.returncode == 0, made.stderr
    path = json.loads(made.stdout)["path"]
    restored = room.start("roster", "restore", path, "--code", room.code, "--json")
    assert json.loads(restored.stdout)["kept"], restored.stderr
    room.run("stick", "roster", "backup", folder)


def sheet(room: Room) -> None:
    room.run("sheet", "roster", "code", "--pdf", str(room.out("sheet") / "code.pdf"))


def day(room: Room) -> None:
    """A whole school day in real windows: pictures, sheets, report."""
    report = room.run("day", "demo", "--report", str(room.out("day")))
    assert report["failed"] == 0


def pages(room: Room) -> None:
    """The words of every page the program can show."""
    station = room.station()
    parts = Parts(
        services=station,
        clock=station.clock,
        player=_no_player,
        link=NoLink,  # type: ignore[arg-type]
        prints=room.out("pages"),
        demo=room.root / "none",
        check_address=lambda _: None,
        decodes=lambda _: Decodes.YES,
    )
    program = Program(parts)
    try:
        _Reading(program, room.out("pages"), (Look(name="read", sizes=((1024, 768),)),)).run("p")
    finally:
        program.close()
        station.close()


def repair(room: Room) -> None:
    """Files that break and are made again from what there is."""
    station = room.station()
    assert station.journal.backup().result()
    station.close()
    for name in ("journal.db", "library.db"):
        (room.profile / name).write_bytes(b"torn" * 5000)
    again = room.station()
    assert {notice.code for notice in again.notices} >= {"journal_damaged", "library_damaged"}
    again.close()
    room.run("repair", "record", "list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One way out of the room."""

    name: str
    act: Callable[[Room], None]
    control: str
    """A text that must be found in what this wrote."""


PLACES = (
    Place(name="commands", act=commands, control=SCHOOL),
    Place(name="record", act=record, control=NOTE),
    Place(name="segments", act=segments, control=NOTE),
    Place(name="wire", act=wire, control=NOTE),
    Place(name="carrier", act=carrier, control=NOTE),
    Place(name="hub", act=hub, control=NOTE),
    Place(name="logs", act=logs, control="enrolled"),
    Place(name="backups", act=backups, control=NOTE),
    Place(name="prints", act=prints, control="分一分"),
    Place(name="diagnostics", act=diagnostics, control="message"),
    Place(name="stick", act=stick, control="TKROSTER"),
    Place(name="sheet", act=sheet, control=SCHOOL),
    Place(name="day", act=day, control=SCHOOL),
    Place(name="pages", act=pages, control="三年级"),
    Place(name="repair", act=repair, control=NOTE),
)
"""Everything this version does that writes, shows or hands out, in the order it is done."""


NOTED = [place for place in PLACES if place.act in (segments, wire, carrier, hub, backups)]
"""Ways on which whatever a teacher wrote in a note goes."""


@contextlib.contextmanager
def running_hub(room: Room) -> Iterator[tuple[str, str]]:
    """Run a hub without TLS on loopback; gives its address and the code that enrols."""
    code = room.lists / "hub-code.txt"
    words = ("--data", room.hub_data, "--port", "0", "--admin-code-file", code)
    with (
        (room.out("logs") / "hub.txt").open("w") as said,
        subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "hub", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), code.read_text("ascii").strip()
        finally:
            process.terminate()


@contextlib.contextmanager
def recorded(url: str, folder: Path) -> Iterator[str]:
    """Stand between a room and a hub and keep every byte, each way of a connection in a file."""
    there = urlsplit(url)

    class Between(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            name = f"{self.client_address[1]}"
            with socket.create_connection((there.hostname, there.port)) as hub_side:
                back = Thread(target=carry, args=(hub_side, self.request, folder / f"{name}.down"))
                back.start()
                carry(self.request, hub_side, folder / f"{name}.up")
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Between) as server:
        running = Thread(target=server.serve_forever, args=(0.02,))
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            running.join()


def carry(source: socket.socket, target: socket.socket, kept: Path) -> None:
    # A room ends its connections at once.
    with kept.open("ab") as file, contextlib.suppress(ConnectionResetError):
        while data := source.recv(65536):
            file.write(data)
            file.flush()
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def copied(folder: Path, name: str, target: Path) -> Path:
    """Copy a database with its log of writing."""
    for ending in ("", "-wal"):
        if (folder / f"{name}{ending}").exists():
            (target / f"{name}{ending}").write_bytes((folder / f"{name}{ending}").read_bytes())
    return target / name


class _Reading(Walk):
    """Walks the pages and keeps their words beside their pictures."""

    def _keep(self, name: str) -> None:
        super()._keep(name)
        said = []
        for widget in self._program.window.findChildren(QWidget):
            for attribute in ("text", "toPlainText", "accessibleName", "toolTip", "title"):
                read = getattr(widget, attribute, None)
                value = read() if callable(read) and widget.isVisible() else ""
                said += [value] if isinstance(value, str) and value else []
        (self._folder / f"{name}.txt").write_text("\n".join(said), encoding="utf-8")


def _no_player():
    raise PlayerError("player_missing")
