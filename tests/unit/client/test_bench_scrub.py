"""`bench scrub` reads what it laid, twice."""

from client.service import bench_scrub


def test_the_bench_reads_sound_files_fast_and_slowly(monkeypatch):
    monkeypatch.setattr(bench_scrub, "_PIECES", 2)
    said = []
    figures = bench_scrub.bench_scrub(2, said.append)
    assert figures["bad"] == 0
    assert figures["mb_per_s"] > 0
    assert figures["paced_mb_per_s"] > 0
    assert figures["core_share"] >= 0
    assert len(said) == 2
