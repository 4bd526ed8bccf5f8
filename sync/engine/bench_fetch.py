"""`bench fetch`: a lesson over an emulated satellite link, beside aria2 in the same run.

Runs as root where the link emulator (`tools/link/satlink.py`) lies beside the project: it makes
two network namespaces joined by a link with delay, loss and dark stretches, in which a web server
and one client run. Up to six links run at a time, each by itself. All clients fetch the same bytes:

    platform   a rendition of segments, as the platform has it, on plain nginx
    hub        one file of a real hub, attested, with the manifest of its blocks
    aria2      one file over eight connections, beside each row of the platform

`python -m sync.engine.bench_fetch [--tools DIR] [--quick] [--links 6] [--sizes 40]
[--congestion cubic,bbr] [--outages blackhole,reset,nat] [--sources platform,hub]` prints the
document of DESIGN §4.
"""

import argparse
import contextlib
import hashlib
import itertools
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
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
from client.domain.edition import Attested
from client.domain.errors import UserError
from client.domain.ids import Digest, LessonId, PartId, SourceId
from client.store.blob_store import BlobStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from sync.engine.fetch import Fetcher, FetchPorts
from sync.engine.fetch_plan import Choice
from sync.engine.hub_content import HubPlace
from sync.source.addresses import AddressBook
from sync.source.hub import HubAddresses
from sync.transport.http import HttpTransport

RATE_BITS: Final = 2_000_000
LIMIT_S: Final = 1500
LINKS: Final = 6
"""So many links at a time; more would be slowed by the processors of a small machine."""
SOURCES: Final = ("platform", "hub")
SEGMENT: Final = 188 * 1600
_BASE: Final = "http://127.77.0.1:8080"
_MARK: Final = "tongke-bench"
_HUB: Final = SourceId("hub-bench")
_MAIN: Final = Path(__file__).resolve().parents[2] / "main.py"
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
    """One link. `outage` is `blackhole`, `reset`, `nat` or `none`; `source` `platform` or `hub`."""

    size_mb: float
    congestion: str
    outage: str
    source: str = "platform"
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


def bench_fetch(
    tools: Path, cases: Sequence[Case], clock: Clock, log: TextIO, links: int = LINKS
) -> dict[str, object]:
    """Run every case with its clients, so many at a time; returns the figures.

    Raises:
        UserError: `bench_needs`: something this bench needs is not here.
    """
    satlink = _require(tools)
    numbers = itertools.count()

    def run(case: Case, client: str) -> Figures:
        name = f"tk{os.getpid() % 10000}n{next(numbers)}"
        with _content(case.size_mb, case.source if client != "aria2" else "platform") as content:
            figures = _Run(satlink, content, case, clock, name).figures(client)
        log.write(f"{case.source} {case.congestion} {case.outage} {client}: {asdict(figures)}\n")
        log.flush()
        return figures

    with ThreadPoolExecutor(links, thread_name_prefix="link") as pool:
        rows = [
            (case, {name: pool.submit(run, case, name) for name in _clients(case)})
            for case in cases
        ]
        return {
            "cases": [
                {
                    "size_mb": case.size_mb,
                    "congestion": case.congestion,
                    "outage": case.outage,
                    "source": case.source,
                    **{name: asdict(figures.result()) for name, figures in found.items()},
                }
                for case, found in rows
            ]
        }


def _clients(case: Case) -> tuple[str, ...]:
    return ("tongke", "aria2") if case.source == "platform" else ("tongke",)


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
def _content(size_mb: float, source: str = "platform") -> Iterator[Path]:
    """Make a folder with a web root: one whole file, and the same bytes as segments, or a hub's."""
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
        if source == "hub":
            _publish(folder)
        yield folder


def _publish(folder: Path) -> None:
    """Have a hub publish the whole file, as a document: nothing of it is decoded."""
    where = folder / "lessons" / "3" / "maths" / "1"
    where.mkdir(parents=True)
    with (
        (where / "whole.pdf").open("wb") as file,
        (folder / "www" / "whole.bin").open("rb") as all_,
    ):
        file.write(b"%PDF-1.4\n")
        shutil.copyfileobj(all_, file)
    (where / "whole.pdf").replace(folder / "www" / "whole.bin")
    os.link(folder / "www" / "whole.bin", where / "whole.pdf")
    told = ("hub", "publish", "--data", str(folder / "hub"), str(folder / "lessons"))
    command = [sys.executable, str(_MAIN), "--json", *told]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program


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


def hub_lesson(size_bytes: int) -> Lesson:
    """Describe what a hub publishes as a lesson of the catalogue."""
    file = RemoteFile(
        path="/whole.pdf",
        urls=(),
        format="pdf",
        flags=(),
        use=FileUse.DOCUMENT,
        size_bytes=size_bytes,
    )
    film = bench_lesson(b"", 0)
    part = replace(film.parts[0], role=Role.SLIDES, files=(file,))
    return replace(film, parts=(part,))


# --- one run -----------------------------------------------------------------------------------


class _Run:
    """One client over one link of its own."""

    def __init__(self, satlink: Path, content: Path, case: Case, clock: Clock, name: str) -> None:
        self._satlink = satlink
        self._content = content
        self._case = case
        self._clock = clock
        self._name = name
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
        child = [sys.executable, "-m", "sync.engine.bench_fetch", "--child", self._case.source]
        return [*child, str(self._content / "www"), str(target)]

    def _server(self) -> list[str]:
        if self._case.source == "hub":
            place = ("--data", f"{self._content}/hub", "--host", "127.77.0.1", "--port", "8080")
            return [sys.executable, str(_MAIN), "hub", *place]
        return ["nginx", "-c", f"{self._content}/nginx.conf", "-p", str(self._content)]

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
            self._inside("s", self._server()),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait_for(server)
            yield
        finally:
            for process in (server, link):
                process.send_signal(signal.SIGTERM)
                process.communicate()

    def _wait_for(self, server: "subprocess.Popen[bytes]") -> None:
        """Wait until the server listens: a hub says so, nginx leaves a file."""
        if self._case.source == "hub":
            assert server.stdout is not None  # noqa: S101 - it was asked for
            server.stdout.readline()
            return
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
        (p for p in target.rglob("*") if p.is_file() and p.suffix in {".bin", ".ts", ".pdf"}), None
    )
    return found is not None and _digest(found) == _digest(whole)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the client's own process ------------------------------------------------------------------


def bring(source: str, root: Path, target: Path, base: str = _BASE) -> int:
    """Fetch what lies at `root` into `target`, as the supervisor would until it is here."""
    addresses = AddressBook(base)
    database = open_library(target / "library.db")
    holdings = HoldingStore(
        database, BlobStore(target / "blobs", floor_bytes=0), target / "lessons"
    )
    transport = HttpTransport(resolve=addresses.redirect, is_slow=lambda: True)
    whole = root / "whole.bin"
    place = HubPlace(source=_HUB, transport=transport, addresses=HubAddresses(base=base))
    fetcher = Fetcher(
        FetchPorts(
            transport=transport,
            addresses=addresses,
            holdings=holdings,
            clock=SystemClock(),
            probe=lambda _: Decodes.UNKNOWN,
            hubs=(place,) if source == "hub" else (),
            attests=lambda path: ((_HUB, _attested(path, whole)),),
        )
    )
    if source == "hub":
        lesson = hub_lesson(whole.stat().st_size)
    else:
        playlist = (root / "list.m3u8").read_bytes()
        lesson = bench_lesson(playlist, whole.stat().st_size, base)
    token = CancelToken()
    while not fetcher.fetch(lesson, Choice(), token).is_complete:
        token.sleep(1.0)
    fetcher.close()
    database.close()
    return 0


def _attested(path: str, whole: Path) -> Attested:
    """Tell what the hub's edition says: the bench measures no catalogue."""
    digest = _digest(whole)
    manifest = whole.parents[1] / "hub" / "content" / "public" / "v1" / "m" / digest
    return Attested(
        path=path,
        digest=Digest(digest),
        size_bytes=whole.stat().st_size,
        manifest=Digest(_digest(manifest) if manifest.exists() else ""),
    )


def cases_of(
    sizes: Sequence[float],
    congestion: Sequence[str],
    outages: Sequence[str],
    sources: Sequence[str] = SOURCES,
) -> list[Case]:
    """Give every combination."""
    return [
        Case(size_mb=size, congestion=cc, outage=outage, source=source)
        for source in sources
        for size in sizes
        for cc in congestion
        for outage in outages
    ]


QUICK: Final = tuple(
    Case(size_mb=size, congestion=cc, outage=outage, source=source, dark_s=10, period_s=30)
    for source, size, cc, outage in (
        ("platform", 4, "cubic", "blackhole"),
        ("platform", 4, "bbr", "reset"),
        ("hub", 1, "cubic", "nat"),
    )
)


def document(figures: dict[str, object], cases: Sequence[Case]) -> dict[str, object]:
    """Wrap the figures as every bench does."""
    return {
        "bench": "fetch",
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "load": round(os.getloadavg()[0], 2),
        },
        "parameters": {"rate_bits": RATE_BITS, "cases": [asdict(case) for case in cases]},
        "figures": figures,
    }


def main(arguments: Sequence[str]) -> int:
    """Run the bench, or be its client."""
    if arguments[:1] == ["--child"]:
        return bring(arguments[1], Path(arguments[2]), Path(arguments[3]))
    shared = Path(__file__).resolve().parents[3] / "shared" / "tools"
    parser = argparse.ArgumentParser(prog="bench fetch")
    parser.add_argument("--tools", type=Path, default=shared)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", default="40")
    parser.add_argument("--congestion", default="cubic,bbr")
    parser.add_argument("--outages", default="blackhole,reset,nat")
    parser.add_argument("--sources", default=",".join(SOURCES))
    parser.add_argument("--links", type=int, default=LINKS)
    asked = parser.parse_args(arguments)
    sizes = [float(text) for text in asked.sizes.split(",")]
    cases: Sequence[Case] = QUICK
    if not asked.quick:
        listed = (asked.congestion.split(","), asked.outages.split(","), asked.sources.split(","))
        cases = cases_of(sizes, *listed)
    figures = bench_fetch(asked.tools, cases, SystemClock(), sys.stderr, asked.links)
    sys.stdout.write(json.dumps(document(figures, cases), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
