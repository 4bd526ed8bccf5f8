"""MT4 on a real link: what is charged is never less than the packets that both ends sent.

Packets are counted by the emulator that carries them, what is lost and what goes into the dark too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from client.domain.clock import SystemClock
from sync.engine.bench_fetch import Case, _content, _Run
from tests.quality.sources import ROOT

CLIENT = """
import sys
from pathlib import Path
from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.store.blob_store import BlobStore
from sync.engine.download import Downloader, Wanted
from sync.engine.pacing import LinkMeter, Patience
from sync.transport.http import HttpTransport
from sync.transport.metered import MeteredTransport

class Till:
    is_limited, cap_bytes_per_s, spent = True, 0, 0
    def take(self, most):
        self.spent += most
        return most
    def give_back(self, size):
        self.spent -= size
    def is_good(self):
        return True

till, clock = Till(), SystemClock()
transport = MeteredTransport(HttpTransport(is_slow=lambda: True, stall_s=2.0), till, clock)
loader = Downloader(transport, LinkMeter(clock), patience=Patience(tries=40, most_s=0.5),
                    worked=lambda _: None, failed=lambda _: None)
growing = BlobStore(Path(sys.argv[1]), floor_bytes=0).growing("k", "id")
loader.fetch(growing, Wanted(urls=("http://127.77.0.1:8080/whole.bin",)), CancelToken())
print(growing.size, till.spent)
"""


@pytest.mark.root
@pytest.mark.shared
@pytest.mark.parametrize(
    "congestion", ["cubic", "bbr"] if "TONGKE_WHOLE" in os.environ else ["bbr"]
)
def test_mt4_packets_are_paid_for_lost_ones_too(
    shared_dir: Path, tmp_path: Path, congestion: str
) -> None:
    case = Case(size_mb=0.6, congestion=congestion, outage="blackhole", dark_s=2, period_s=8)
    satlink, stats = shared_dir / "tools" / "link" / "satlink.py", tmp_path / "link.json"
    with _content(case.size_mb) as content:
        run = _Run(satlink, content, case, SystemClock(), f"count-{congestion}")
        with run._link(stats):
            done = subprocess.run(
                run._inside("c", [sys.executable, "-c", CLIENT, str(tmp_path)]),
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
                timeout=100,
            )
        size, spent = map(int, done.stdout.split())
        assert size == (content / "www" / "whole.bin").stat().st_size
    link = json.loads(stats.read_text("utf-8"))
    crossed = link["down"]["offered"] + link["up"]["offered"]
    assert size < crossed <= spent
    print(congestion, size, crossed, spent)
