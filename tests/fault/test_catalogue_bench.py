"""The catalogue bench prints what the replica counts."""

import json
from pathlib import Path

import pytest

from sync.engine import bench_catalogue
from tests.replica import Replicas

pytestmark = pytest.mark.shared


def test_the_bench_reads_a_few_books_twice(replicas: Replicas) -> None:
    replica = replicas("--books", "3", "--lessons-per-book", "20")
    figures = bench_catalogue.bench_catalogue(replica.base, books=2)
    assert figures.first.lessons > 0
    assert figures.ratio <= 0.01
    printed = json.loads(json.dumps(bench_catalogue.as_json(figures)))
    assert printed["first"]["bytes_received"] == figures.first.bytes_received
    # A page that says that nobody has exercises; nothing else comes again.
    assert printed["second"]["bytes_received"] < 500
    assert figures.peak_rss_mb is None or figures.peak_rss_mb > 0


def test_memory_is_unknown_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert bench_catalogue._peak_rss_mb(tmp_path / "none") is None
    (tmp_path / "status").write_text("Name: x\n", "ascii")
    assert bench_catalogue._peak_rss_mb(tmp_path / "status") is None
