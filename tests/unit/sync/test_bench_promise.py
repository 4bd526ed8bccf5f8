"""The arithmetic of `bench promise` (sync.engine.bench_promise), on a few days of bad luck."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sync.engine.bench_promise import Term
from sync.engine.bench_term import Chances, TermClock


def test_a_clock_shows_what_is_wrong_with_it():
    clock = TermClock()
    clock.true += timedelta(hours=3, minutes=5)
    assert clock.wall() == clock.true
    assert clock.boot_monotonic_ms() == 11_100_000
    clock.fault = "2013"
    assert clock.wall().year == 2013
    clock.fault = "stepping"
    assert clock.wall() - clock.true == timedelta(hours=93)
    midnight = clock.true.astimezone().replace(hour=0, minute=0)
    clock.true = midnight + timedelta(hours=6)
    assert clock.until(7.5) == 5400
    assert clock.until(6.0) == 86_400


QUIET = Chances(power_cut=0, dark_night=0, hub=1, stick=0, damaged=0, undecodable=0)


def test_a_quiet_week_keeps_every_promise_but_for_what_is_protected(tmp_path):
    figures = Term(tmp_path, chances=QUIET).run(3, lambda _: None)
    assert figures["green_failed"] == 0
    assert figures["arrivals_kept_share"] == 1.0
    assert figures["arrivals"] > 0
    assert figures["papers_share"] == 1.0
    assert figures["green_share"] >= 0.6
    assert figures["over_budget_bytes"] == 0
    assert figures["closed_bytes"] == 0


def test_a_bad_week_breaks_promises_and_never_a_green_light(tmp_path):
    bad = Chances(
        power_cut=1, lost_file=1, dark_night=0.5, hub=0.3, stick=0.5, damaged=0.2, undecodable=0.2
    )
    figures = Term(tmp_path, seed=4, chances=bad).run(4, lambda _: None)
    assert figures["green_failed"] == 0
    assert figures["over_budget_bytes"] == 0
    assert figures["arrivals_kept_share"] < 1.0
    assert figures["events"]["power_cuts"] == 4


def test_a_light_that_lies_is_counted(tmp_path, monkeypatch):
    """P9: the figure goes up when verified files are not what they should be."""
    term = Term(tmp_path, chances=QUIET)
    monkeypatch.setattr(term, "_plays", lambda _lesson: False)
    figures = term.run(2, lambda _: None)
    assert figures["green_failed"] > 0


def test_the_term_begins_on_a_monday():
    assert TermClock().true.astimezone().isoweekday() == 1
    assert isinstance(TermClock().wall(), datetime)
    assert replace(QUIET, hub=0.5).hub == pytest.approx(0.5)
