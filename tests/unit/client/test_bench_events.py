"""`bench events` (client.service.bench_events)."""

from collections import Counter

from client.domain.record.bodies import EventType
from client.domain.record.segment import unseal
from client.service.bench_events import LESSONS, bench_events, class_day
from client.store.keyfile import KeyFile, verify

PARTS = {"header_bytes", "number_bytes", "strings_bytes", "signature_bytes"}


def test_a_class_day_stays_inside_its_budget() -> None:
    told: list[str] = []

    figures = bench_events(3, told.append)

    assert told == ["1/3", "2/3", "3/3"]
    assert set(figures) == PARTS | {"class_day_bytes", "events", "least", "most"}
    assert figures["least"] <= figures["class_day_bytes"] <= figures["most"]
    assert figures["class_day_bytes"] <= 800
    assert figures["signature_bytes"] == 64


def test_the_day_that_is_sealed_is_a_whole_day_of_a_class(tmp_path) -> None:
    data = class_day(tmp_path, 1)

    path, *_ = tmp_path.rglob("*.key")
    key = KeyFile.load(path)
    assert key is not None
    day = unseal(data, lambda _: key.public_key, verify)

    count = Counter(event.type for event in day.events)
    for kind in (
        EventType.SITTING_OPENED,
        EventType.UNDERSTOOD,
        EventType.TAUGHT_BY,
        EventType.SITTING_ENDED,
    ):
        assert count[kind] == LESSONS
    assert count[EventType.QUESTION_ROUND] == 2 * LESSONS
    assert count[EventType.CUE_REACHED] == 6 * LESSONS
    assert count[EventType.NOTE] == 2
    assert count[EventType.HEADCOUNT] >= LESSONS
    assert count[EventType.PLAYED] >= 3 * LESSONS
    gaps = {after.wall_ms - after.mono_ms for after in day.events}
    assert len(gaps) <= 2
