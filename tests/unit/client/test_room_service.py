"""The room's choices (client.service.room) on a real journal."""

import threading

import pytest

from client.domain.errors import UserError
from client.domain.ids import BookId, EventId, LessonId
from client.domain.record.room import SwapOnce
from client.domain.settings import ThemeChoice
from client.domain.timetable import ChosenBook, Pointer, Room, Slot, SlotKey, Weeks
from client.service.room import RoomService
from tests.journal_room import cue, make_journal

KEY = SlotKey(day=2, period=1, class_id="c3")


@pytest.fixture
def journal(tmp_path):
    made = make_journal(tmp_path)
    yield made
    made.close()


@pytest.fixture
def room(journal):
    made = RoomService(journal)
    made.set_room("石头坪小学", "三五复式班").result()
    assert made.add_class("三年级", 3, 12).result() == "c3"
    return made


def slot(subject, key=KEY):
    return Slot(key=key, subject=subject)


def test_q1_q2_a_change_is_seen_when_its_future_is_done_and_after_a_restart(room, journal):
    room.choose_book("c3", "数学", BookId("B1")).result()
    room.set_slot(Slot(key=KEY, subject="数学", weeks=Weeks.ODD)).result()
    room.set_pointer(
        Pointer(class_id="c3", subject="数学", lesson=LessonId("L1"), period=1)
    ).result()
    room.set_setting("theme", "dark").result()
    for found in (room.snapshot(), RoomService(journal).snapshot()):
        assert found.room == Room(school="石头坪小学", room="三五复式班")
        assert found.chosen_books == (ChosenBook(class_id="c3", subject="数学", book=BookId("B1")),)
        assert found.slots[0].weeks is Weeks.ODD
        assert found.pointers[0].period == 1
        assert found.settings.theme is ThemeChoice.DARK
    room.choose_book("c3", "数学", None).result()
    room.clear_slot(KEY).result()
    assert room.snapshot().chosen_books == room.snapshot().slots == ()


def test_q1_a_snapshot_reads_no_disk(room, journal):
    journal.close()
    assert room.snapshot().room is not None
    assert room.class_ids() == ("c3",)


def test_q2_subscribers_hear_of_changes_after_they_can_be_seen(room, journal):
    seen = []
    room.subscribe(lambda: seen.append(len(room.snapshot().slots)))
    room.set_slot(slot("数学")).result()
    assert seen == [1]
    journal.append(cue(1)).result()
    assert seen == [1]


def test_q3_many_hurried_writes_leave_one_value_and_no_conflict(room):
    futures = [room.set_slot(slot(subject)) for subject in ["数学", "语文", "科学"] * 5]
    for future in futures:
        future.result()
    assert room.snapshot().slots[0].subject == "科学"
    assert room.snapshot().conflicts == ()


def test_q3_two_windows_of_one_machine_never_miss_each_other(room, tmp_path):
    other_journal = make_journal(tmp_path)
    other = RoomService(other_journal)
    threads = [
        threading.Thread(target=lambda s=s, r=r: [r.set_slot(slot(s)).result() for _ in range(5)])
        for r, s in ((room, "数学"), (other, "语文"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = RoomService(other_journal).snapshot()
    assert len(again.slots) == 1
    assert again.conflicts == ()
    other_journal.close()


# --- classes -----------------------------------------------------------------------------


def test_classes_get_ids_by_grade_and_keep_them(room):
    assert room.add_class("三二班", 3).result() == "c3-2"
    assert room.add_class("五年级", 5).result() == "c5"
    room.remove_class("c3").result()
    assert room.add_class("三一班", 3).result() == "c3-3"
    assert [group.name for group in room.snapshot().classes] == ["三一班", "三二班", "五年级"]


def test_a_class_changes_its_name_and_headcount(room):
    room.set_headcount("c3", 11).result()
    room.set_class("c3", name=" 三甲 ").result()
    (group,) = room.snapshot().classes
    assert (group.name, group.headcount) == ("三甲", 11)


def test_a_class_is_found_by_id_or_name(room):
    assert room.find_class("c3") == room.find_class("三年级")
    with pytest.raises(UserError) as caught:
        room.find_class("四年级")
    assert caught.value.code == "class_unknown"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda room: room.set_room(" ", "x"), "name_empty"),
        (lambda room: room.add_class(" ", 3), "name_empty"),
        (lambda room: room.add_class("三年级", 3), "class_exists"),
        (lambda room: room.add_class("十三", 13), "grade_unreadable"),
        (lambda room: room.add_class("x" * 41, 3), "value_does_not_fit"),
        (lambda room: room.set_headcount("c3", 501), "value_does_not_fit"),
        (lambda room: room.set_headcount("c9", 1), "class_unknown"),
        (lambda room: room.remove_class("c9"), "class_unknown"),
        (lambda room: room.set_slot(slot("数学", SlotKey(day=0, period=1, class_id="c3"))), None),
        (lambda room: room.set_slot(slot("数学", SlotKey(day=8, period=1, class_id="c3"))), None),
        (lambda room: room.set_slots([slot("x" * 41)]), "value_does_not_fit"),
        (lambda room: room.set_setting("colour", "red"), "setting_unknown"),
        (lambda room: room.set_setting("theme", "red"), "setting_unreadable"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(room, journal, call, code):
    before = journal.count()
    with pytest.raises(UserError) as caught:
        call(room)
    assert code in (None, caught.value.code)
    assert journal.count() == before


# --- undo --------------------------------------------------------------------------------


def test_an_undo_brings_back_what_was_there_and_can_be_undone(room):
    room.set_slot(slot("数学")).result()
    second = room.set_slot(slot("语文")).result()
    undone = room.undo(second).result()
    assert room.snapshot().slots[0].subject == "数学"
    room.undo(undone).result()
    assert room.snapshot().slots[0].subject == "语文"
    assert room.snapshot().conflicts == ()


def test_an_undo_of_the_first_write_clears_it(room):
    first = room.set_slot(slot("数学")).result()
    room.undo(first).result()
    assert room.snapshot().slots == ()


def test_an_undo_comes_too_late_after_a_newer_write(room, journal):
    first = room.set_slot(slot("数学")).result()
    room.set_slot(slot("语文")).result()
    fact = journal.append(cue(1)).result()
    for name in (first, fact, EventId(bytes(16))):
        with pytest.raises(UserError) as caught:
            room.undo(name).result()
        assert caught.value.code == "undo_too_late"


def test_a_pasted_week_is_written_and_undone_as_one(room):
    room.set_slot(slot("科学")).result()
    week = [slot("数学", SlotKey(day=day, period=1, class_id="c3")) for day in (1, 2, 3)]
    names = room.set_slots(week).result()
    assert [one.subject for one in room.snapshot().slots] == ["数学"] * 3
    room.undo_all(names).result()
    assert [one.subject for one in room.snapshot().slots] == ["科学"]
    assert room.undo_all(()).result() == ()
    with pytest.raises(UserError):
        room.undo_all(names).result()


# --- swaps and local values --------------------------------------------------------------


def test_a_swap_counts_for_its_occasion_until_it_is_taken_back(room):
    swap = SwapOnce(key=KEY, occasion="2027-05-18", lesson=LessonId("L2"), lesson_period=1)
    room.swap_once(swap).result()
    assert room.snapshot().swaps == (swap,)
    textbook = SwapOnce(key=KEY, occasion="2027-05-18", lesson=None)
    room.swap_once(textbook).result()
    assert room.snapshot().swaps == (textbook,)
    room.swap_once(textbook, is_taken_back=True).result()
    assert room.snapshot().swaps == ()


def test_values_of_this_machine_are_no_events_and_survive(room, journal):
    before = journal.count()
    room.set_local("source/platform", "x").result()
    room.set_local("stage", "HDMI-1").result()
    assert journal.count() == before
    again = RoomService(journal)
    assert again.local("stage") == "HDMI-1"
    assert again.local("none") == ""
    assert again.locals("source/") == {"platform": "x"}
