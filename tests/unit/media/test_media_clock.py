"""Time between two reports of a player."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.media.media_clock import MediaClock

FRAME_S = 0.04


def test_pictures_are_timed_to_the_frame_between_reports():
    clock = MediaClock(FRAME_S)
    clock.restart(10.0, 100.0)
    clock.tell(10.5, 100.5)
    assert clock.picture_at(100.71) == pytest.approx(10.72)


@settings(max_examples=200)
@given(delays=st.lists(st.floats(0.0, 0.4), min_size=1, max_size=20))
def test_a_late_report_never_pulls_the_time_back(delays):
    """K1, K2."""
    clock = MediaClock(FRAME_S)
    clock.restart(0.0, 0.0)
    for number, delay in enumerate(delays, 1):
        now = number * 0.5 + delay
        before = clock.at(now)
        clock.tell(number * 0.5, now)
        assert clock.at(now) >= before


@settings(max_examples=100)
@given(delays=st.lists(st.floats(0.0, 0.3), min_size=1, max_size=4))
def test_the_least_delayed_of_the_last_reports_counts(delays):
    """K2."""
    clock = MediaClock(FRAME_S)
    clock.restart(0.0, 0.0)
    for number, delay in enumerate(delays, 1):
        clock.tell(number * 0.5, number * 0.5 + delay)
    now = 10.0
    assert abs(clock.picture_at(now) - (now - min(delays))) <= FRAME_S / 2 + 1e-9


def test_pictures_follow_the_old_speed_until_they_come_slower():
    clock = MediaClock(FRAME_S)
    clock.restart(0.0, 0.0)
    clock.set_rate(0.5, 1.0)
    assert clock.is_changing
    assert clock.picture_at(1.4) == pytest.approx(1.4)
    assert not clock.has_changed(0.041)
    assert clock.has_changed(0.08)
    clock.settle()
    assert clock.picture_at(2.04) == pytest.approx(1.52)


def test_one_hasty_picture_after_a_late_one_is_no_new_speed():
    clock = MediaClock(FRAME_S)
    clock.restart(0.0, 0.0)
    clock.set_rate(2.0, 1.0)
    assert not clock.has_changed(0.005)
    assert not clock.has_changed(0.04)
    assert not clock.has_changed(0.02)
    assert clock.has_changed(0.02)


def test_the_same_speed_is_no_change():
    clock = MediaClock(FRAME_S)
    clock.restart(0.0, 0.0)
    clock.set_rate(1.0, 1.0)
    assert not clock.is_changing
    assert clock.has_changed(0.04)


def test_sound_has_no_pictures_to_round_to():
    clock = MediaClock()
    clock.restart(1.234, 5.0)
    assert clock.snap(1.234) == 1.234
    assert clock.snap_down(1.234) == 1.234
