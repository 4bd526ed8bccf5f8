"""The arithmetic of `bench delta` (sync.engine.bench_delta)."""

import pytest

from client.domain.errors import UserError
from sync.engine import bench_delta as bench


def test_the_figures_are_of_steps_that_lead_to_the_target():
    told: list[str] = []
    figures = bench.bench_delta(400, 400, progress=told.append)
    assert told == ["catalogue", "changes", "files"]
    assert figures["delta_is_right"] is True
    assert 0 < figures["changed_lessons"] < 40
    assert 0 < figures["delta_bytes"] < figures["catalogue_bytes"]
    assert figures["rows"] > 400
    assert 100 < figures["lesson_with_files_bytes"] < 400


def test_without_the_generator_it_says_so(monkeypatch):
    def gone(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(bench.importlib, "import_module", gone)
    with pytest.raises(UserError) as told:
        bench.bench_delta(1, 1)
    assert told.value.code == "bench_needs_checkout"
