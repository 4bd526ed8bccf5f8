"""`bench NAME`: figures of this machine, one document each (DESIGN §4).

search  how soon and how completely the library finds      client.service.bench_search
start   from starting the process to 今天 with its data     ui.bench_start
resume  from a power cut in class to the same second       ui.bench_start
memory  idle, teaching, after fifty searches               ui.bench_start
stage   key to frozen picture, load and loss while playing ui.bench_stage
fetch   over emulated satellite links, beside aria2        sync.engine.bench_fetch
catalogue  bytes, requests, memory of two syncs            sync.engine.bench_catalogue
exchange   bytes and seconds between a room and a hub      sync.engine.bench_exchange
events  bytes of one class-day, sealed once                client.service.bench_events
scrub      reading verified files again                    client.service.bench_scrub
import     a folder and a stick beside cp and sync      sync.engine.bench_import
delta      bytes of a catalogue's edition and its changes  sync.engine.bench_delta
hub        exchanges, latency, CPU and memory of a hub      sync.hub.bench_hub
promise    whether lights and promised hours are true      sync.engine.bench_promise
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.service.command.parse import Invocation
from client.service.paths import ROOT

_TOOLS: Final = ROOT.parent / "shared" / "tools"
_CACHES: Final = Path("/proc/sys/vm/drop_caches")
_QUICK_RESOURCES: Final = 10_000
_QUICK_PER_KIND: Final = 30
_QUICK_BOOKS: Final = 5
_BOOTS: Final = 400
_QUICK_BOOTS: Final = 20

Log = Callable[[str], None]
Figures = Mapping[str, object]


class _Call:
    """One bench as it was asked for."""

    def __init__(self, call: Invocation, log: Log) -> None:
        self.is_quick = call.flag("quick")
        self.is_one_core = call.flag("one_core")
        self.is_cold = call.flag("cold")
        self.boots = call.number("boots", _QUICK_BOOTS if self.is_quick else _BOOTS)
        self.log = log
        self.parameters: dict[str, object] = {
            "quick": self.is_quick,
            "one_core": self.is_one_core,
            "cold": self._coldness(),
        }

    def before(self) -> None:
        """Drop the page cache where cold figures were asked for and the system lets us."""
        if self.parameters["cold"] is True:
            subprocess.run(["/bin/sync"], check=False)
            _CACHES.write_text("1", encoding="ascii")

    def _coldness(self) -> bool | str:
        if not self.is_cold:
            return False
        may = sys.platform == "linux" and os.geteuid() == 0
        return True if may and os.access(_CACHES, os.W_OK) else "not allowed here"


def bench(call: Invocation, log: Log) -> Mapping[str, object]:
    """Run one bench and give its document. Blocking, for the main thread.

    Raises:
        UserError: `bench_unknown`, or what the bench lacks on this machine.
    """
    name = call.text("name")
    run = _BENCHES.get(name)
    if run is None:
        raise UserError("bench_unknown", {"name": name, "names": ", ".join(_BENCHES)})
    asked = _Call(call, log)
    if asked.is_one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asked.before()
    figures = run(asked)
    return {
        "bench": name,
        "machine": machine(),
        "parameters": asked.parameters,
        "figures": figures,
    }


def machine() -> Mapping[str, object]:
    """Describe this machine, without its name."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "system": platform.system(),
        "release": platform.release(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(load, 2),
    }


def _search(call: _Call) -> Figures:
    from client.service.bench_search import bench_search  # noqa: PLC0415 - one bench at a time

    if call.is_quick:
        return bench_search(_QUICK_RESOURCES, per_kind=_QUICK_PER_KIND, progress=call.log)
    return bench_search(progress=call.log)


def _events(call: _Call) -> Figures:
    from client.service import bench_events  # noqa: PLC0415 - one bench at a time

    seeds = bench_events.QUICK_SEEDS if call.is_quick else bench_events.SEEDS
    call.parameters["seeds"] = seeds
    return bench_events.bench_events(seeds, progress=call.log)


def _scrub(call: _Call) -> Figures:
    from client.service import bench_scrub  # noqa: PLC0415 - one bench at a time

    files = bench_scrub.QUICK_FILES if call.is_quick else bench_scrub.FILES
    call.parameters["files"] = files
    return bench_scrub.bench_scrub(files, progress=call.log)


def _app(name: str) -> Callable[[_Call], Figures]:
    def run(call: _Call) -> Figures:
        from ui import bench_start  # noqa: PLC0415 - one bench at a time

        how = bench_start.How(
            is_quick=call.is_quick,
            is_one_core=call.is_one_core,
            before=call.before,
            log=call.log,
        )
        return cast("Figures", getattr(bench_start, name)(how))

    return run


def _stage(call: _Call) -> Figures:
    from ui import bench_app, bench_stage  # noqa: PLC0415 - one bench at a time

    with bench_app.display(), tempfile.TemporaryDirectory() as folder:
        video = bench_stage.test_video(Path(folder))
        keys, seconds = (6, 4.0) if call.is_quick else (24, 10.0)
        document = bench_stage.run(video, keys=keys, seconds=seconds)
    call.parameters.update(cast("dict[str, Any]", document["parameters"]))
    return cast("Figures", document["figures"])


def _fetch(call: _Call) -> Figures:
    from sync.engine import bench_fetch  # noqa: PLC0415 - one bench at a time

    cases = bench_fetch.QUICK
    if not call.is_quick:
        outages = ("blackhole", "reset", "nat")
        cases = tuple(bench_fetch.cases_of((40,), ("cubic", "bbr"), outages))
    call.parameters["cases"] = [asdict(case) for case in cases]
    return bench_fetch.bench_fetch(_TOOLS, cases, SystemClock(), sys.stderr)


def _catalogue(call: _Call) -> Figures:
    from sync.engine.bench_catalogue import as_json, bench_catalogue  # noqa: PLC0415 - see above

    serve = _TOOLS / "replica" / "serve.py"
    if not serve.is_file():
        raise UserError("bench_lacks", {"what": "replica"})
    scale = "small" if call.is_quick else "full"
    call.parameters["scale"] = scale
    server = subprocess.Popen(  # noqa: S603 - our own tool
        [sys.executable, str(serve), "--port", "0", "--scale", scale],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None  # noqa: S101 - it was asked for
        base = server.stdout.readline().strip()
        return as_json(bench_catalogue(base, _QUICK_BOOKS if call.is_quick else 40))
    finally:
        server.terminate()
        server.wait()


def _hub(call: _Call) -> Figures:
    from sync.hub import bench_hub  # noqa: PLC0415 - one bench at a time

    load = bench_hub.QUICK if call.is_quick else bench_hub.Load()
    call.parameters.update(asdict(load))
    return bench_hub.bench_hub(load, call.log)


def _import(call: _Call) -> Figures:
    from sync.engine import bench_import  # noqa: PLC0415 - one bench at a time
    from ui import bench_stage  # noqa: PLC0415 - one bench at a time
    from ui.base.fallback_probe import decodes  # noqa: PLC0415 - one bench at a time

    load = bench_import.QUICK if call.is_quick else bench_import.Load()
    call.parameters.update(asdict(load))
    with tempfile.TemporaryDirectory() as folder:
        tools = bench_import.Tools(
            probe=decodes,
            film=bench_stage.test_video(Path(folder), seconds=10),
            before=call.before,
            log=call.log,
        )
        return bench_import.bench_import(load, tools)


def _delta(call: _Call) -> Figures:
    from sync.engine import bench_delta  # noqa: PLC0415 - one bench at a time

    if call.is_quick:
        return bench_delta.bench_delta(_QUICK_RESOURCES, _QUICK_RESOURCES, progress=call.log)
    return bench_delta.bench_delta(progress=call.log)


def _exchange(call: _Call) -> Figures:
    from sync.engine import bench_exchange  # noqa: PLC0415 - one bench at a time

    call.parameters["boots"] = call.boots
    return bench_exchange.bench_exchange(call.boots, _TOOLS, call.log)


def _promise(call: _Call) -> Figures:
    from sync.engine import bench_promise  # noqa: PLC0415 - one bench at a time

    days = bench_promise.QUICK_DAYS if call.is_quick else bench_promise.DAYS
    call.parameters["days"] = days
    return bench_promise.bench_promise(days, call.log)


_BENCHES: Final[Mapping[str, Callable[[_Call], Figures]]] = MappingProxyType(
    {
        "search": _search,
        "start": _app("start"),
        "resume": _app("resume"),
        "memory": _app("memory"),
        "stage": _stage,
        "fetch": _fetch,
        "catalogue": _catalogue,
        "exchange": _exchange,
        "events": _events,
        "delta": _delta,
        "hub": _hub,
        "scrub": _scrub,
        "promise": _promise,
        "import": _import,
    }
)
