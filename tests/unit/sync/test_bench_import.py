"""What taking lessons in costs is measured (sync.engine.bench_import)."""

from client.domain.availability import Decodes
from client.domain.clock import FrozenClock
from sync.engine.bench_import import Load, Pace, Tools, bench_import
from tests.media import ClipSpec, clip


def test_a_folder_and_a_stick_are_measured_beside_cp():
    said: list[str] = []
    film = clip(ClipSpec(seconds=2, width=320, height=180))
    load = Load(lessons=2, film_bytes=3_000_000, slow_film_bytes=1_000_000, rounds=2)
    tools = Tools(
        probe=lambda _: Decodes.YES, film=film, before=lambda: said.append("b"), log=said.append
    )
    figures = bench_import(load, tools)
    assert figures["size_bytes"] > 2 * load.film_bytes
    assert 0 < figures["first_lesson_s"] <= figures["import_s"]
    assert figures["ratio_to_cp"] > 0 < figures["folder_ratio_to_cp"]
    # Three lessons of a megabyte take longer than the first of them, at 8 MB/s.
    assert figures["slow_results_s"] < figures["slow_first_lesson_s"] < figures["slow_all_s"]
    assert said.count("b") == 10
    assert any("2 lessons" in line for line in said)


def test_a_slow_stick_is_paced():
    clock = FrozenClock()
    pace = Pace(clock, 1_000_000)
    pace(1000)
    pace(0)
    assert pace._due_s == clock.monotonic() + 0.001
