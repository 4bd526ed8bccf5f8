"""How times are written (client.domain.record.labels, and the words for them)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.record.bounds import CEILING_MS, FLOOR_MS
from client.domain.record.dates import NEVER, Dated, Quality
from client.domain.record.labels import Label, label_of
from client.service.text import Words

CHINA = timezone(timedelta(hours=8))


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=CHINA).timestamp() * 1000)


def dated(first: int, last: int, quality: Quality) -> Dated:
    return Dated(earliest_ms=first, latest_ms=last, quality=quality)


E, C, D, A, U = Quality.EXACT, Quality.CLOCK, Quality.DAY, Quality.ABOUT, Quality.UNKNOWN
TABLE = [
    ((11, 3, 10, 4), (11, 3, 10, 6), E, "11月3日 10:05", "11/3 10:05"),
    ((11, 3, 9, 55), (11, 3, 10, 15), C, "11月3日 10:05", "11/3 10:05"),
    ((11, 3, 23, 59), (11, 4, 0, 1), C, "11月4日 00:00", "11/4 00:00"),
    ((11, 3, 8, 0), (11, 3, 12, 0), D, "约 11月3日 上午", "about 11/3, morning"),
    ((11, 3, 12, 0), (11, 3, 16, 0), D, "约 11月3日 下午", "about 11/3, afternoon"),
    ((11, 3, 17, 0), (11, 3, 22, 0), D, "约 11月3日 晚上", "about 11/3, evening"),
    ((11, 3, 7, 0), (11, 3, 18, 0), D, "11月3日", "11/3"),
    ((11, 3, 18, 0), (11, 4, 9, 0), D, "11月3日至4日", "11/3 to 4"),
    ((11, 3, 18, 0), (11, 5, 9, 0), A, "11月3日至5日", "11/3 to 5"),
    ((11, 30, 8, 0), (12, 2, 9, 0), A, "11月30日至12月2日", "11/30 to 12/2"),
    ((11, 3, 8, 0), (11, 10, 8, 0), A, "约 11月6日", "about 11/6"),
    ((11, 3, 8, 0), (11, 20, 8, 0), A, "约 11月11日", "about 11/11"),
    ((11, 3, 8, 0), (12, 20, 8, 0), U, "时间不明", "time unknown"),
]


@pytest.mark.parametrize(("first", "last", "quality", "chinese", "english"), TABLE)
def test_lb1_the_table(first, last, quality, chinese, english):
    label = label_of(dated(ms(2026, *first), ms(2026, *last), quality), CHINA)
    assert Words("zh_CN").date(label, 2026) == chinese
    assert Words("en").date(label, 2026) == english


def test_another_year_is_written():
    label = label_of(dated(ms(2026, 11, 3), ms(2026, 11, 3), E), CHINA)
    assert Words("zh_CN").date(label, 2027) == "2026年11月3日 00:00"
    assert Words("zh_CN").date(label) == "2026年11月3日 00:00"
    assert label_of(NEVER) == Label(code="unknown")


MOMENTS = st.integers(FLOOR_MS, CEILING_MS)


@given(MOMENTS, MOMENTS, st.sampled_from(Quality), st.sampled_from([None, UTC, CHINA]))
def test_lb1_nothing_is_written_more_exactly_than_it_is_known(one, other, quality, zone):
    when = dated(min(one, other), max(one, other), quality)
    label = label_of(when, zone)
    assert ("time" in label.values) == when.is_sure
    if "part" in label.values:
        assert when.latest_ms - when.earliest_ms <= 6 * 3600 * 1000 + 1000
    if quality is Quality.UNKNOWN:
        assert label.values == {}
