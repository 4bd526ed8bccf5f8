"""Times as sure as they are known (client.service.when)."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.service.text import Words
from client.service.when import When, day_label, is_about, local_moment, time_label

CHINA = timezone(timedelta(hours=8))
TODAY = date(2026, 11, 21)
ZH, EN = Words("zh_CN"), Words("en")


def at(quality: str, moment: str = "2026-11-03T02:05:00+00:00") -> When:
    return When(at=moment, quality=quality)


@pytest.mark.parametrize(
    ("when", "whole", "short"),
    [
        (at("clock"), "11月3日 10:05", "10:05"),
        (at("exact"), "11月3日 10:05", "10:05"),
        (at("day"), "11月3日", ""),
        (at("about"), "约 11月3日 上午", "约 上午"),
        (at("about", "2026-11-03T06:00:00+00:00"), "约 11月3日 下午", "约 下午"),
        (at("about", "2026-11-03T10:00:00+00:00"), "约 11月3日 晚上", "约 晚上"),
        (at("clock", "2025-11-03T02:05:00+00:00"), "2025年11月3日 10:05", "10:05"),
        (at("clock", "2026-11-02T20:05:00+00:00"), "11月3日 04:05", "04:05"),
        (at("unknown"), "时间不明", ""),
        (at("guessed"), "时间不明", ""),
        (at("clock", ""), "时间不明", ""),
        (at("clock", "yesterday"), "时间不明", ""),
        (When(), "时间不明", ""),
    ],
)
def test_w1_a_time_is_written_as_exactly_as_it_is_known(when, whole, short) -> None:
    assert time_label(ZH, when, TODAY, zone=CHINA) == whole
    assert time_label(ZH, when, TODAY, is_short=True, zone=CHINA) == short


@given(st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1)), st.sampled_from(["about", "day"]))
def test_w1_what_is_not_exact_never_shows_a_clock(moment, quality) -> None:
    when = When(at=moment.replace(tzinfo=UTC).isoformat(), quality=quality)
    for words in (ZH, EN):
        for is_short in (False, True):
            assert ":" not in time_label(words, when, TODAY, is_short=is_short, zone=CHINA)


@given(st.text(max_size=30), st.sampled_from(["clock", "exact", "day", "about", "unknown", "?"]))
def test_w1_no_text_is_too_odd(text, quality) -> None:
    when = When(at=text, quality=quality)
    moment = local_moment(when, CHINA)
    label = time_label(ZH, when, TODAY, zone=CHINA)
    assert (label == "时间不明") == (moment is None)
    assert is_about(when) == (moment is not None and quality == "about")


def test_days_have_their_weekday_unless_they_are_guessed() -> None:
    assert day_label(ZH, date(2026, 11, 3), TODAY) == "11月3日 周二"
    assert day_label(ZH, date(2026, 11, 3), TODAY, is_about=True) == "约 11月3日"
    assert day_label(ZH, None, TODAY) == "时间不明"
    assert day_label(EN, date(2025, 11, 3), TODAY) == "2025/11/3 Mon"
