"""Times of the record on a page (client.service.when); client.domain.record.labels judges them."""

from datetime import date, datetime, timedelta, timezone

import pytest

from client.domain.record.dates import Dated, Quality
from client.service.text import Words
from client.service.when import day_label, is_about, local_moment, time_label

CHINA = timezone(timedelta(hours=8))
TODAY = date(2026, 11, 21)
ZH, EN = Words("zh_CN"), Words("en")
MOMENT = int(datetime(2026, 11, 3, 10, 5, tzinfo=CHINA).timestamp() * 1000)
HOUR = 3_600_000


def near(quality: Quality, around_h: float = 0) -> Dated:
    around = int(around_h * HOUR)
    return Dated(earliest_ms=MOMENT - around, latest_ms=MOMENT + around, quality=quality)


@pytest.mark.parametrize(
    ("when", "whole", "short"),
    [
        (near(Quality.CLOCK), "11月3日 10:05", "10:05"),
        (near(Quality.DAY, 2), "约 11月3日 上午", "约 上午"),
        (near(Quality.DAY, 5), "11月3日", ""),
        (near(Quality.ABOUT, 200), "约 11月3日", ""),
        (near(Quality.UNKNOWN), "时间不明", ""),
    ],
)
def test_w1_a_time_is_written_as_exactly_as_it_is_known(when, whole, short) -> None:
    assert time_label(ZH, when, TODAY, zone=CHINA) == whole
    assert time_label(ZH, when, TODAY, is_short=True, zone=CHINA) == short
    assert (local_moment(when, CHINA) is None) == (when.quality is Quality.UNKNOWN)
    assert is_about(when) == (when.quality is Quality.ABOUT)


def test_days_have_their_weekday_unless_they_are_guessed() -> None:
    assert day_label(ZH, date(2026, 11, 3), TODAY) == "11月3日 周二"
    assert day_label(ZH, date(2026, 11, 3), TODAY, is_about=True) == "约 11月3日"
    assert day_label(ZH, None, TODAY) == "时间不明"
    assert day_label(EN, date(2025, 11, 3), TODAY) == "2025/11/3 Mon"
