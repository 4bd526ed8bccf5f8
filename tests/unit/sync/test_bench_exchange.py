"""What an exchange costs on the wire, with a real hub in a process of its own
(sync.engine.bench_exchange)."""

from sync.engine.bench_exchange import CLASSES, PERIODS, bench_exchange, lesson_facts


def test_an_exchange_costs_what_it_may(tmp_path):
    said: list[str] = []
    figures = bench_exchange(2, tmp_path, said.append)
    assert figures["idle_requests"] == 1
    assert 300 <= figures["idle_bytes"] <= 700
    assert figures["idle_bytes"] <= figures["idle_tls_bytes"] <= 700
    assert figures["school_day_events"] >= CLASSES * PERIODS * 9
    assert 9000 <= figures["school_day_bytes"] <= 45_000
    assert figures["year_vector_bytes"] <= 1000
    assert said[-1] == "no link emulator here"


def test_lessons_differ_from_each_other():
    facts = [fact for number in range(3) for fact in lesson_facts(number, number)]
    assert len(set(facts)) == len(facts)
