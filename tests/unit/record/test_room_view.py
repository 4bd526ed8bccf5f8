"""The room out of its registers: client.domain.record.room and client.domain.settings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import UserError
from client.domain.ids import BookId, ClassId, LessonId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.fold import Fold, read
from client.domain.record.room import room_snapshot, taken_back
from client.domain.settings import (
    READERS,
    Hours,
    LinkKind,
    Settings,
    ThemeChoice,
    check_setting,
    settings_of,
    write_bells,
)
from client.domain.timetable import DEFAULT_BELLS, Bell, Room, SlotKey
from tests.record_samples import BODIES, BOOK, C3, LESSON, chain, event


def snapshot(*bodies: b.Body):
    return room_snapshot(Fold(chain(bodies)))


def test_the_samples_make_a_room():
    found = snapshot(*BODIES)
    assert found.room == Room(school="石头坪小学", room="三五复式班")
    assert [group.id for group in found.classes] == [C3]
    assert found.chosen_books[0].book == BOOK
    assert found.slots[0].key == SlotKey(day=2, period=1, class_id=C3)
    assert found.pointers[0].lesson == LESSON
    assert found.swaps[0].occasion == "2027-05-18"
    assert found.settings.theme is ThemeChoice.DARK
    assert found.bells == DEFAULT_BELLS
    assert found.conflicts == ()


def test_m2_an_empty_value_means_not_there():
    room, group, book, slot, pointer, setting, swap = BODIES[2:9]
    found = snapshot(
        group,
        *(
            read(event(body)).body
            for body in (
                replace(room, school="", room=""),
                replace(book, book=BookId("")),
                replace(slot, subject=""),
                replace(pointer, lesson=LessonId("")),
                replace(setting, value=""),
                replace(swap, lesson=None),
            )
        ),
    )
    assert (found.room, found.slots, found.pointers, found.chosen_books) == (None, (), (), ())
    assert found.swaps == ()
    assert found.settings == Settings()
    textbook = replace(swap, lesson=None, is_textbook=True)
    assert snapshot(group, textbook).swaps[0].lesson is None


def test_m2_what_belongs_to_a_class_that_went_goes_with_it():
    found = snapshot(*BODIES, replace(BODIES[3], is_present=False, sup=(chain()[3].id,)))
    assert found.classes == ()
    assert found.slots == found.pointers == found.chosen_books == ()


def test_m1_side_by_side_writes_are_a_conflict_unless_they_say_the_same():
    slot = BODIES[5]
    one, same, other = (
        event(body, writer=bytes([number]) * 8)
        for number, body in enumerate((slot, slot, replace(slot, subject="语文")), 1)
    )
    group = event(BODIES[3], writer=b"\x09" * 8)
    assert room_snapshot(Fold([group, one, same])).conflicts == ()
    found = room_snapshot(Fold([group, one, same, other]))
    (conflict,) = found.conflicts
    assert conflict.type is EventType.SLOT
    assert set(conflict.ids) == {one.id, same.id, other.id}
    assert conflict.writes[-1].subject == found.slots[0].subject


def test_classes_stand_by_grade():
    older = replace(BODIES[3], class_id=ClassId("c5"), name="五年级", grade=5)
    assert [group.grade for group in snapshot(older, BODIES[3]).classes] == [3, 5]


@pytest.mark.parametrize("body", [*BODIES[2:9], BODIES[14], BODIES[15]])
def test_undo_brings_back_what_was_there_or_nothing(body):
    first, second = chain((body, body))
    entries = [read(first), read(second)]
    (back,) = taken_back(entries[1], (entries[0],))
    assert back == replace(body, sup=(second.id,))
    (cleared,) = taken_back(entries[0], ())
    assert cleared.sup == (first.id,)
    # What is cleared says nothing any more.
    seen = room_snapshot(Fold([*chain((body,)), event(cleared, before=first)]))
    assert (seen.room, seen.slots, seen.swaps, seen.settings) == (None, (), (), Settings())


@pytest.mark.parametrize("body", [BODIES[1], BODIES[16], BODIES[17]])
def test_what_has_no_empty_value_cannot_be_undone(body):
    with pytest.raises(UserError) as caught:
        taken_back(read(event(body)), ())
    assert caught.value.code == "undo_impossible"


GOOD = {
    "theme": ("dark", ThemeChoice.DARK),
    "type_scale": ("125", 125),
    "language": ("en", "en"),
    "low_power": ("on", True),
    "rendition": ("720p", "720p"),
    "link_kind": ("satellite", LinkKind.SATELLITE),
    "link_budget_mb": ("2000", 2000),
    "link_month_mb": ("8000", 8000),
    "link_cap_kbps": ("512", 512),
    "link_hours": ("20-6", Hours(begin=20, end=6)),
    "lan_share": ("on", True),
    "store_quota_mb": ("40000", 40000),
    "store_floor_mb": ("8000", 8000),
    "bells": ("1 8:30-9:10,2 9:20-10:00", None),
}
BAD = {
    "theme": ["Dark", "blue"],
    "type_scale": ["110", "big"],
    "language": ["Chinese", "zh_cn", "e"],
    "low_power": ["yes"],
    "rendition": ["360", "0p", "huge"],
    "link_kind": ["fast"],
    "link_budget_mb": ["-1", "lots", "10000001"],
    "link_month_mb": ["-1"],
    "link_cap_kbps": ["fast"],
    "link_hours": ["20", "24-6", "1-25"],
    "lan_share": ["yes"],
    "store_quota_mb": ["-1", "all"],
    "store_floor_mb": ["299", "-5", "none"],
    "bells": ["1 8:30", "2 8:30-9:10,1 9:20-10:00", "1 9:10-8:30", "1 23:30-25:00", "", ","],
}


@pytest.mark.parametrize("name", READERS)
def test_s2_a_setting_takes_what_reads_back_and_nothing_else(name):
    text, value = GOOD[name]
    check_setting(name, text)
    check_setting(name, "")
    if value is not None:
        assert getattr(settings_of({name: text}), name) == value
    for bad in filter(None, BAD[name]):
        with pytest.raises(UserError) as caught:
            check_setting(name, bad)
        assert caught.value.code == "setting_unreadable"
        assert settings_of({name: bad}) == Settings()


@given(st.dictionaries(st.sampled_from([*READERS, "unheard_of"]), st.text(max_size=20)))
def test_s1_any_stored_text_gives_settings(texts):
    assert isinstance(settings_of(texts), Settings)


def test_an_unknown_setting_is_refused():
    with pytest.raises(UserError) as caught:
        check_setting("colour", "red")
    assert caught.value.code == "setting_unknown"


def test_bells_and_hours_are_read_as_they_are_written():
    assert settings_of({"bells": write_bells(DEFAULT_BELLS)}).bells == DEFAULT_BELLS
    late = (Bell(period=1, begins=605, ends=24 * 60),)
    assert settings_of({"bells": write_bells(late)}).bells == late
    assert settings_of({"link_hours": "any"}).link_hours is None
    many = ",".join(f"{n} 0:{n:02}-23:59" for n in range(1, 22))
    assert settings_of({"bells": many}).bells == DEFAULT_BELLS
