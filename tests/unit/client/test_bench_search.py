"""`bench search` on a small catalogue (client.service.bench_search)."""

import sys

import pytest

from client.domain.errors import UserError
from client.service.bench_search import bench_search
from tests.generator.queries import KINDS


def test_figures_of_every_kind_and_a_second_run_on_the_same_catalogue(tmp_path) -> None:
    told: list[str] = []

    figures = bench_search(400, per_kind=4, folder=tmp_path, progress=told.append)
    again = bench_search(400, per_kind=4, folder=tmp_path)

    for kind in KINDS:
        assert set(figures[kind]) == {"p50_ms", "p95_ms", "cpu_p95_ms", "recall"}
        assert figures[kind]["recall"] == 1.0
    assert figures["queries"] == 4 * len(KINDS)
    assert again["queries"] == figures["queries"]
    assert told == ["catalogue", "index", "oracle", *KINDS]


def test_outside_a_checkout_it_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tests.generator.lessons", None)

    with pytest.raises(UserError, match="bench_needs_checkout"):
        bench_search(10, folder=tmp_path)
