"""`bench fetch`: a lesson over an emulated satellite link, beside aria2 in the same run.

Runs as root where the link emulator (`tools/link/satlink.py`) lies beside the project: it makes
two network namespaces joined by a link with delay, loss and dark stretches, in which a web server
and one client at a time run. Both clients fetch the same bytes: Tongke as a rendition of segments,
aria2 as one file over eight connections.

`python -m sync.engine.bench_fetch [--tools DIR] [--quick] [--sizes 40] [--congestion cubic,bbr]
[--outages blackhole,reset,nat]` prints the document of DESIGN §4.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TextIO

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.catalogue import (
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
)
from client.domain.clock import Clock, SystemClock
from client.domain.errors import UserError
from client.domain.ids import LessonId, PartId, SourceId
from client.store.blob_store import BlobStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from sync.engine.fetch import Fetcher, FetchPorts
from sync.engine.fetch_plan import Choice
from sync.source.addresses import AddressBook
from sync.transport.http import HttpTransport

RATE_BITS: Final = 2_000_000
LIMIT_S: Final = 1500
SEGMENT: Final = 188 * 1600
_BASE: Final = "http://127.77.0.1:8080"
_MARK: Final = "tongke-bench"
_NGINX: Final = """daemon off; master_process off; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
 fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
 sendfile on; keepalive_timeout 75s; etag on; default_type application/octet-stream;
 server {{ listen 127.77.0.1:8080; root {folder}/www; }} }}
"""
_ARIA2: Final = (
    "aria2c -q -c -x8 -s8 -k1M --timeout=15 --connect-timeout=15 --max-tries=0 --retry-wait=1"
    " --file-allocation=none --no-conf -d {folder} -o whole.bin " + _BASE + "/whole.bin"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One link. `outage` is `blackhole`, `reset`, `nat` or `none`."""

    size_mb: float
    congestion: str
    outage: str
    dark_s: int = 20
    period_s: int = 60
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one client needed. Shares are of the link's rate, ratios of the file's length."""

    lit_share: float
    """Payload a lit second, as a share of the link's rate."""
    wire_ratio: float
    """Bytes the server put on the link for each byte of the file."""
    duplicate_share: float
    """Payload beyond the file that reached the client, headers included."""
    seconds: float
    is_complete: bool


def bench_fetch(tools: Path, cases: Sequence[Case], clock: Clock, log: TextIO) -> dict[str, object]:
    """Run every case with both clients; returns the figures.

    Raises:
        UserError: `bench_needs`: something this bench needs is not here.
    """
    satlink = _require(tools)
    rows: list[dict[str, object]] = []
    for case in cases:
        with _content(case.size_mb) as content:
            row: dict[str, object] = {
                "size_mb": case.size_mb,
                "congestion": case.congestion,
                "outage": case.outage,
            }
            for name in ("tongke", "aria2"):
                figures = _Run(satlink, content, case, clock).figures(name)
                log.write(f"{case.congestion} {case.outage} {name}: {asdict(figures)}\n")
                log.flush()
                row[name] = asdict(figures)
            rows.append(row)
    return {"cases": rows}


def _require(tools: Path) -> Path:
    satlink = tools / "link" / "satlink.py"
    missing = [name for name in ("ip", "nginx", "aria2c") if shutil.which(name) is None]
    if not satlink.is_file():
        missing.append("satlink.py")
    if sys.platform != "linux" or os.geteuid() != 0:
        missing.append("root")
    if missing:
        raise UserError("bench_needs", {"what": ", ".join(missing)})
    return satlink


# --- what is fetched -----------------------------------------------------------------------------


@contextlib.contextmanager
def _content(size_mb: float) -> Iterator[Path]:
    """Make a folder with a web root: one whole file, and the same bytes as segments."""
    luck = random.Random(size_mb)  # noqa: S311 - the same bytes in every run
    with tempfile.TemporaryDirectory(prefix=_MARK) as name:
        folder = Path(name)
        root = folder / "www"
        root.mkdir()
        count = max(1, round(size_mb * (1 << 20) / SEGMENT))
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:10"]
        with (root / "whole.bin").open("wb") as whole:
            for index in range(count):
                data = b"".join(b"\x47" + luck.randbytes(187) for _ in range(SEGMENT // 188))
                (root / f"s-{index:05d}.ts").write_bytes(data)
                whole.write(data)
                lines += ["#EXTINF:10.0,", f"s-{index:05d}.ts"]
        (root / "list.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
        yield folder


def bench_lesson(playlist: bytes, total_bytes: int, base: str = _BASE) -> Lesson:
    """Describe the segments as a lesson of the catalogue."""
    file = RemoteFile(
        path="/list.m3u8",
        urls=(f"{base}/list.m3u8",),
        format="m3u8",
        flags=("href-360p-m3u8",),
        use=FileUse.RENDITION,
        md5=hashlib.md5(playlist, usedforsecurity=False).hexdigest(),
        size_bytes=len(playlist),
        height=360,
        total_bytes=total_bytes,
        segments=playlist.count(b"#EXTINF"),
    )
    lesson = LessonId("bench")
    part = Part(
        id=PartId("bench"),
        lesson=lesson,
        role=Role.VIDEO,
        title="bench",
        label="",
        position=0,
        period=0,
        files=(file,),
    )
    return Lesson(
        id=lesson,
        source=SourceId("bench"),
        kind=LessonKind.OTHER,
        title="bench",
        place=Placement(),
        parts=(part,),
        has_detail=True,
    )


# --- one run -----------------------------------------------------------------------------------


class _Run:
    """One client over one link of its own."""

    def __init__(self, satlink: Path, content: Path, case: Case, clock: Clock) -> None:
        self._satlink = satlink
        self._content = content
        self._case = case
        self._clock = clock
        self._name = f"tk{os.getpid() % 10000}"
        self._whole = content / "www" / "whole.bin"

    def figures(self, client: str) -> Figures:
        """Bring the file with one client."""
        size = self._whole.stat().st_size
        stats = self._content / "link.json"
        with tempfile.TemporaryDirectory(prefix=_MARK) as name:
            target = Path(name)
            command = self._command(client, target)
            with self._link(stats):
                begun = self._clock.monotonic()
                is_complete = self._run(command, target)
                seconds = self._clock.monotonic() - begun
            is_complete = is_complete and _same(target, self._whole)
        down = json.loads(stats.read_text())["down"]
        lit_s = max(0.1, seconds - self._dark_s(seconds))
        return Figures(
            lit_share=round(size * 8 / lit_s / RATE_BITS, 4) if is_complete else 0.0,
            wire_ratio=round(down["offered"] / size, 4),
            duplicate_share=round((down["payload_delivered"] - size) / size, 4),
            seconds=round(seconds, 1),
            is_complete=is_complete,
        )

    def _command(self, client: str, target: Path) -> list[str]:
        if client == "aria2":
            return _ARIA2.format(folder=target).split()
        playlist = str(self._content / "www" / "list.m3u8")
        size = str(self._whole.stat().st_size)
        return [
            sys.executable,
            "-m",
            "sync.engine.bench_fetch",
            "--child",
            playlist,
            size,
            str(target),
        ]

    @contextlib.contextmanager
    def _link(self, stats: Path) -> Iterator[None]:
        case = self._case
        command = [sys.executable, str(self._satlink), "up", self._name, "--stats", str(stats)]
        command += ["--cc", case.congestion, "--seed", str(case.seed)]
        if case.outage != "none":
            command += ["--outage", f"{case.dark_s}/{case.period_s}", "--outage-mode", case.outage]
        link = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - fixed
        assert link.stdout is not None  # noqa: S101 - it was asked for
        link.stdout.readline()
        server = subprocess.Popen(  # noqa: S603 - fixed
            self._inside(
                "s", ["nginx", "-c", f"{self._content}/nginx.conf", "-p", str(self._content)]
            ),
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait_for_server()
            yield
        finally:
            for process in (server, link):
                process.send_signal(signal.SIGTERM)
                process.wait()
            link.stdout.close()

    def _wait_for_server(self) -> None:
        token = CancelToken()
        while not (self._content / "nginx.pid").exists():
            token.sleep(0.05)

    def _run(self, command: list[str], target: Path) -> bool:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(target), "no_proxy": "*"}
        try:
            done = subprocess.run(  # noqa: S603 - fixed
                self._inside("c", command),
                env=environment,
                cwd=Path(__file__).resolve().parents[2],
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _inside(self, side: str, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", f"{self._name}-{side}", *command]

    def _dark_s(self, seconds: float) -> float:
        case = self._case
        if case.outage == "none":
            return 0.0
        dark, begin = 0.0, float(case.period_s - case.dark_s)
        while begin < seconds:
            dark += min(begin + case.dark_s, seconds) - begin
            begin += case.period_s
        return dark


def _same(target: Path, whole: Path) -> bool:
    found = next(
        (p for p in target.rglob("*") if p.is_file() and p.suffix in {".bin", ".ts"}), None
    )
    return found is not None and _digest(found) == _digest(whole)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the client's own process ------------------------------------------------------------------


def bring(playlist: Path, total_bytes: int, target: Path, base: str = _BASE) -> int:
    """Fetch the lesson into `target`, as the supervisor would until it is here."""
    addresses = AddressBook(base)
    database = open_library(target / "library.db")
    holdings = HoldingStore(
        database, BlobStore(target / "blobs", floor_bytes=0), target / "lessons"
    )
    fetcher = Fetcher(
        FetchPorts(
            transport=HttpTransport(resolve=addresses.redirect),
            addresses=addresses,
            holdings=holdings,
            clock=SystemClock(),
            probe=lambda _: Decodes.UNKNOWN,
        )
    )
    lesson = bench_lesson(playlist.read_bytes(), total_bytes, base)
    token = CancelToken()
    while not fetcher.fetch(lesson, Choice(), token).is_complete:
        token.sleep(1.0)
    fetcher.close()
    database.close()
    return 0


def cases_of(
    sizes: Sequence[float], congestion: Sequence[str], outages: Sequence[str]
) -> list[Case]:
    """Give every combination."""
    return [
        Case(size_mb=size, congestion=cc, outage=outage)
        for size in sizes
        for cc in congestion
        for outage in outages
    ]


QUICK: Final = tuple(
    Case(size_mb=4, congestion="cubic", outage=outage, dark_s=10, period_s=30)
    for outage in ("blackhole", "reset", "nat")
)


def document(figures: dict[str, object], cases: Sequence[Case]) -> dict[str, object]:
    """Wrap the figures as every bench does."""
    return {
        "bench": "fetch",
        "machine": {"cpus": os.cpu_count(), "system": platform.platform()},
        "parameters": {"rate_bits": RATE_BITS, "cases": [asdict(case) for case in cases]},
        "figures": figures,
    }


def main(arguments: Sequence[str]) -> int:
    """Run the bench, or be its client."""
    if arguments[:1] == ["--child"]:
        return bring(Path(arguments[1]), int(arguments[2]), Path(arguments[3]))
    shared = Path(__file__).resolve().parents[3] / "shared" / "tools"
    parser = argparse.ArgumentParser(prog="bench fetch")
    parser.add_argument("--tools", type=Path, default=shared)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", default="40")
    parser.add_argument("--congestion", default="cubic,bbr")
    parser.add_argument("--outages", default="blackhole,reset,nat")
    asked = parser.parse_args(arguments)
    sizes = [float(text) for text in asked.sizes.split(",")]
    cases: Sequence[Case] = QUICK
    if not asked.quick:
        cases = cases_of(sizes, asked.congestion.split(","), asked.outages.split(","))
    figures = bench_fetch(asked.tools, cases, SystemClock(), sys.stderr)
    sys.stdout.write(json.dumps(document(figures, cases), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
