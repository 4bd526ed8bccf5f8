"""The week behind the demo school (sync.engine.demo_week)."""

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.record.bodies import EventType
from client.service.paths import Profile
from client.service.station import Station
from client.service.text import Words
from client.service.when import time_label
from sync.engine.demo_school import open_demo, pack_demo
from sync.engine.demo_week import live_week

LESSON = """title = "分一分"
grade = "三年级"
subject = "数学"
edition = "北师大版"
volume = "下册"
unit = "第六单元"
"""


@pytest.fixture
def school(tmp_path):
    """Sets up a demo school with one lesson."""
    folder = tmp_path / "demo" / "lesson"
    folder.mkdir(parents=True)
    (folder / "lesson.toml").write_text(LESSON, encoding="utf-8")
    (folder / "sheet.pdf").write_bytes(b"%PDF-1.4")
    pack_demo(tmp_path / "demo", tmp_path / "stick", FrozenClock())
    return lambda station: open_demo(
        station, lambda _: Decodes.YES, CancelToken(), tmp_path / "stick"
    )


def test_a_lived_week_has_days_lost_times_and_two_versions(school, tmp_path) -> None:
    """DW1 as well: a second week is not lived."""
    clock, profile = FrozenClock(), Profile(tmp_path / "profile")
    assert live_week(profile, clock, school) == 6
    assert live_week(profile, clock, school) == 0
    station = Station(profile, clock)
    page = station.classes.page().result()
    labels = [time_label(Words("en"), one.when, clock.at.date()) for one in page.sittings()]
    assert len(labels) == 6
    assert len([label for label in labels if ":" in label]) == 5
    assert len(page.days) == 4
    assert [one.title for one in page.sittings()].count("分一分") == 2
    assert {one.type for one in page.disputes} == {
        EventType.SLOT,
        EventType.NOTE,
        EventType.UNDERSTOOD,
    }
    for dispute in page.disputes:
        assert [choice.is_here for choice in dispute.choices] == [True, False]
    assert [loose.fact.kind for day in page.days for loose in day.loose] == ["note"]
    assert station.records.unfinished()[0].is_interrupted is False
    station.close()
    assert [path.name for path in profile.folder.iterdir() if path.suffix == ".key"] == [
        "journal.key"
    ]
