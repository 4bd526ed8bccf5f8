"""今天 over a real profile: timetable, textbook, record (`today`, `station`, `stand_ins`)."""

from datetime import UTC, datetime

import pytest

from client.domain.availability import Light
from client.domain.catalogue import Book, Lesson, LessonKind, Placement
from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.domain.ids import BookId, LessonId, SourceId
from client.domain.record.anchors import AnchorKind
from client.domain.record.bodies import Ended
from client.domain.timetable import Slot, SlotKey
from client.domain.today import Step
from client.domain.withdrawal import Withdrawal
from client.service.api import CardAction, Moment, Swap, SwapScope
from client.service.paths import Profile
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from client.store.withdrawal_rows import WithdrawalRows

BOOK, SOURCE = BookId("b1"), SourceId("platform")
PLACE = Placement(stage="p", grade="g", subject="math", edition="e", volume="v")
TUESDAY = datetime(2027, 5, 18, 0, 0, tzinfo=UTC)


def local_minute(minute: int) -> datetime:
    """Tuesday at this minute of the local day."""
    midnight = TUESDAY.astimezone().replace(hour=0, minute=0)
    return midnight.replace(hour=minute // 60, minute=minute % 60).astimezone(UTC)


@pytest.fixture
def clock():
    return FrozenClock(at=local_minute(555))


@pytest.fixture
def station(tmp_path, clock):
    opened = Station(Profile(tmp_path), clock)
    opened.add_source(SourceRow(id=SOURCE, kind="platform"))
    book = Book(id=BOOK, source=SOURCE, title="B", place=PLACE)
    opened.catalogue.put_books(SOURCE, (book,))
    opened.catalogue.put_whole(
        [
            Lesson(
                id=LessonId(f"l{n}"), source=SOURCE, kind=LessonKind.FOLDER, title=f"Lesson {n}",
                place=PLACE, book=BOOK, position=n, has_detail=True,
            )
            for n in range(6)
        ]
    )  # fmt: skip
    opened.room.add_class("three", 3, 13).result()
    opened.room.choose_book("c3", "math", BOOK).result()
    for day, period in ((2, 1), (2, 2), (3, 1)):
        opened.room.set_slot(Slot(key=key(day, period), subject="math")).result()
    yield opened
    opened.close()


def key(day: int, period: int) -> SlotKey:
    return SlotKey(day=day, period=period, class_id="c3")


def cards(station):
    return [row.cards[0] for row in station.today.page().result().rows]


def teach(station, card, how=Ended.FINISHED):
    recorder = station.records.recorder
    opened = recorder.open((card.key.class_id,), card.lesson, card.key)
    recorder.end(opened.sitting, how).result()


def test_the_day_shows_the_book_in_order_and_the_running_period(station):
    shown = cards(station)
    assert [card.title for card in shown] == ["Lesson 0", "Lesson 1"]
    rows = station.today.page_now().rows
    assert [row.moment for row in rows] == [Moment.LATER, Moment.NEXT] or rows[1].moment in (
        Moment.NOW,
        Moment.NEXT,
    )
    assert station.today.week_lessons_now() == ("l0", "l1", "l2")


def test_answers_come_in_the_order_of_the_questions_and_of_one_room(station):
    """T1"""
    answers = []
    pages = [station.today.page() for _ in range(3)]
    for number, page in enumerate(pages):
        page.add_done_callback(lambda _, n=number: answers.append(n))
    station.room.clear_slot(key(2, 1)).result()
    last = station.today.page().result()
    assert answers == [0, 1, 2]
    assert [row.period for row in last.rows] == [2]
    assert all(len(page.result().rows) in (1, 2) for page in pages)


def test_t2_the_pointer_moves_on_when_a_class_was_finished(station):
    first = cards(station)[0]
    teach(station, first)
    station.today.finished(("c3",), Step(lesson=first.lesson), first.key).result()
    shown = cards(station)
    assert [(card.title, card.is_taught) for card in shown] == [
        ("Lesson 0", True),
        ("Lesson 1", False),
    ]
    assert station.room.snapshot().pointers[0].lesson == "l1"


def test_t2_a_lesson_put_by_hand_does_not_move_the_pointer(station):
    wanted = station.today.alternatives(key(2, 1)).result()[1]
    station.today.swap(key(2, 1), wanted, SwapScope.ONCE).result()
    taught = cards(station)[0]
    teach(station, taught)
    station.today.finished(("c3",), Step(lesson=taught.lesson), taught.key).result()
    assert station.room.snapshot().pointers == ()
    by_week = Slot(key=key(2, 2), subject="math", lesson=LessonId("l5"))
    station.room.set_slot(by_week).result()
    station.today.finished(("c3",), Step(lesson=LessonId("l5")), key(2, 2)).result()
    assert station.room.snapshot().pointers == ()


def test_t2_the_pointer_never_moves_back(station):
    station.today.finished(("c3",), Step(lesson=LessonId("l3")), None).result()
    station.today.finished(("c3",), Step(lesson=LessonId("l0")), None).result()
    station.today.finished(("c3",), Step(lesson=LessonId("l5")), None).result()
    assert station.room.snapshot().pointers[0].lesson == "l4"


def test_t2_a_class_that_carries_on_keeps_its_pointer(station):
    first = cards(station)[0]
    teach(station, first, Ended.CARRY_ON)
    assert [card.title for card in cards(station)] == ["Lesson 0", "Lesson 0"]


def test_not_a_class_leaves_the_slot_open(station):
    first = cards(station)[0]
    teach(station, first, Ended.NOT_A_CLASS)
    assert not cards(station)[0].is_taught


def test_an_interrupted_class_is_offered_and_can_be_ended_with_the_textbook(station):
    first = cards(station)[0]
    recorder = station.records.recorder
    opened = recorder.open(("c3",), first.lesson, first.key)
    recorder.save_resume(opened.sitting, part=None, position_s=408.0, is_playing=True).result()
    page = station.today.page().result()
    assert page.resume is not None
    assert page.resume.position_s == 408.0
    assert page.rows[0].cards[0].action is CardAction.RESUME
    recorder.played(opened.sitting, [(0.0, 60.0), (50.0, 90.0)]).result()
    plan = station.today.resume_plan(page.resume).result()
    assert plan.tracks[0].watched == ((0, 90),)
    assert plan.tracks[0].resume.position_s == 408.0
    assert plan.key == first.key
    station.today.finish_with_textbook(page.resume).result()
    page_after = station.today.page().result()
    assert page_after.resume is None
    assert page_after.rows[0].cards[0].is_taught
    assert station.room.snapshot().pointers[0].lesson == "l1"
    for call in (station.today.resume_plan, station.today.finish_with_textbook):
        with pytest.raises(UserError):
            call(page.resume).result()


def test_two_classes_cut_off_together_go_on_together_the_one_on_the_screen_first(station):
    station.room.add_class("five", 5, 11).result()
    both = [cards(station)[0], None]
    five = SlotKey(day=2, period=1, class_id="c5")
    station.room.set_slot(Slot(key=five, subject="math", lesson=LessonId("l4"))).result()
    recorder = station.records.recorder
    shown = recorder.open(("c3",), both[0].lesson, both[0].key)
    beside = recorder.open(("c5",), LessonId("l4"), five)
    for opened, second in ((shown, 12.0), (beside, 0.0)):
        recorder.save_resume(opened.sitting, part=None, position_s=second, is_playing=True).result()
    recorder.played(shown.sitting, [(0.0, 12.0)]).result()
    page = station.today.page().result()
    assert page.resume.sitting == shown.sitting
    plan = station.today.resume_plan(page.resume).result()
    assert [(track.class_id, track.resume.position_s) for track in plan.tracks] == [
        ("c3", 12.0),
        ("c5", 0.0),
    ]
    assert [track.watched for track in plan.tracks] == [((0, 12),), ()]
    station.today.finish_with_textbook(page.resume).result()
    assert station.records.unfinished() == ()


def test_a_class_left_for_the_next_time_begins_where_it_stopped(station):
    first = cards(station)[0]
    recorder = station.records.recorder
    opened = recorder.open(("c3",), first.lesson, first.key)
    recorder.save_resume(opened.sitting, part=None, position_s=70.0, is_playing=False).result()
    recorder.end(opened.sitting, Ended.CARRY_ON).result()
    page = station.today.page().result()
    assert page.resume is None
    again = page.rows[1].cards[0]
    assert (again.lesson, again.resume_s, again.sitting) == (first.lesson, 70.0, None)
    plan = station.today.sitting_plan([again]).result()
    assert plan.tracks[0].resume is None
    assert plan.tracks[0].start.position_s == 70.0


def test_another_edition_of_the_lesson_is_offered(station):
    other = Placement(stage="p", grade="g", subject="math", edition="f", volume="v")
    station.catalogue.put_whole(
        [
            Lesson(
                id=LessonId("elsewhere"), source=SOURCE, kind=LessonKind.NATIONAL,
                title="Lesson 0", place=other, has_detail=True,
            )
        ]
    )  # fmt: skip
    station.library.refresh()
    offers = station.today.alternatives(key(2, 1)).result()
    found = [offer for offer in offers if offer.kind is Swap.OTHER_EDITION]
    assert [(offer.lesson, offer.place.edition) for offer in found] == [("elsewhere", "f")]
    assert offers[-1].kind is Swap.TEXTBOOK


def test_swapping_once_changes_this_slot_only_and_can_be_undone(station):
    offers = station.today.alternatives(key(2, 1)).result()
    assert [offer.kind for offer in offers][:2] == [Swap.NEXT, Swap.SAME_UNIT]
    assert offers[-1].kind is Swap.TEXTBOOK
    wanted = offers[1]
    station.today.swap(key(2, 1), wanted, SwapScope.ONCE).result()
    assert [card.lesson for card in cards(station)] == [wanted.lesson, "l0"]
    station.today.undo().result()
    assert [card.lesson for card in cards(station)] == ["l0", "l1"]
    station.today.undo().result()


def test_swapping_for_good_moves_the_pointer(station):
    wanted = station.today.alternatives(key(2, 1)).result()[1]
    station.today.swap(key(2, 1), wanted, SwapScope.SHIFT).result()
    assert [card.lesson for card in cards(station)] == ["l2", "l3"]


def test_a_textbook_class_needs_nothing_and_counts_as_taught(station):
    book = station.today.alternatives(key(2, 1)).result()[-1]
    station.today.swap(key(2, 1), book, SwapScope.ONCE).result()
    assert cards(station)[0].light is Light.NO_DEVICE
    station.today.undo().result()
    station.today.swap(key(2, 1), book, SwapScope.SHIFT).result()
    assert cards(station)[0].is_taught
    assert cards(station)[1].lesson == "l1"
    with pytest.raises(UserError):
        station.today.swap(key(5, 5), book, SwapScope.ONCE)


def test_an_unfinished_lesson_is_offered_first(station):
    recorder = station.records.recorder
    opened = recorder.open(("c3",), "l5", None)
    recorder.end(opened.sitting, Ended.CARRY_ON).result()
    offers = station.today.alternatives(key(2, 1)).result()
    assert (offers[0].kind, offers[0].lesson) == (Swap.UNFINISHED, "l5")


def test_a_class_starts_from_its_card(station):
    page = station.today.page().result()
    plan = station.today.sitting_plan([page.rows[1].cards[0]]).result()
    assert plan.tracks[0].class_name == "three"
    assert plan.tracks[0].headcount == 13
    assert plan.planned_periods == 2
    assert plan.screen_limit_s == 80 * 60 * 0.3
    assert plan.next_cards == ()
    first = station.today.sitting_plan([page.rows[0].cards[0]]).result()
    assert first.next_cards[0][0] == "three"
    book = station.today.alternatives(key(2, 1)).result()[-1]
    station.today.swap(key(2, 1), book, SwapScope.ONCE).result()
    with pytest.raises(UserError):
        station.today.sitting_plan([cards(station)[0]]).result()


@pytest.mark.parametrize("year", [1970, 2013])
def test_t3_a_clock_that_is_not_believed_guesses_and_asks(station, clock, year):
    clock.at = datetime(year, 1, 1, 3, tzinfo=UTC)
    page = station.today.page().result()
    assert not page.is_time_sure
    assert page.day == 2
    assert page.rows[0].moment is Moment.NEXT
    station.today.tell_time(3, 1).result()
    told = station.today.page().result()
    assert (told.day, told.is_time_sure) == (3, True)
    assert station.today.time().minute == 510
    clock.advance(600)
    assert station.today.time().minute == 520
    clock.advance(5 * 24 * 3600)
    assert (station.today.time().day, station.today.time().minute) == (1, 520)


def test_t3_a_period_without_a_bell_has_a_day_but_no_minute(station, clock):
    station.today.tell_time(7, 19).result()
    assert (station.today.time().day, station.today.time().minute) == (7, None)
    clock.advance(24 * 3600)
    assert (station.today.time().day, station.today.time().minute) == (1, 0)


def test_the_week_and_a_course_show_what_each_slot_teaches_next(station):
    week = station.today.week().result()
    course = station.today.course(key(2, 1)).result()
    assert [cell.title for cell in week.cells] == ["Lesson 0", "Lesson 1", "Lesson 2"]
    assert (course.at, len(course.steps)) == (0, 6)
    station.room.set_slot(Slot(key=key(4, 1), subject="art")).result()
    assert station.today.course(key(4, 1)).result().at is None


def test_a_textbook_class_for_good_needs_a_lesson_to_count(station):
    """The slot of a subject without a book has none."""
    station.room.set_slot(Slot(key=key(2, 3), subject="art")).result()
    book = station.today.alternatives(key(2, 3)).result()[-1]
    with pytest.raises(UserError, match="nothing_to_teach"):
        station.today.swap(key(2, 3), book, SwapScope.SHIFT).result()


def test_t3_a_clock_behind_the_record_is_not_believed(station, clock):
    teach(station, cards(station)[0])
    clock.at = datetime(2026, 6, 1, tzinfo=UTC)
    assert not station.today.time().is_sure
    assert station.today.time().day == 2


def test_t3_what_the_teacher_says_is_kept_as_evidence(station, clock):
    clock.at = datetime(2013, 1, 1, 3, tzinfo=UTC)
    station.today.tell_time(3, 1).result()
    (told,) = station.journal.anchors()
    moment = datetime.fromtimestamp(told.utc_ms / 1000, UTC).astimezone()
    assert (told.kind, moment.isoweekday(), moment.hour) == (AnchorKind.TAP, 3, 8)
    assert told.mono_ms == clock.boot_monotonic_ms()


def test_t3_a_hub_that_told_the_time_counts_more_than_the_clock(station, clock):
    true = clock.at
    clock.at = datetime(2013, 1, 1, 3, tzinfo=UTC)
    assert not station.today.time().is_sure
    here = station.journal.present()
    utc_ms = int(true.timestamp() * 1000)
    station.journal.note_anchor(here.anchor(AnchorKind.HUB, utc_ms, 50)).result()
    time = station.today.time()
    assert (time.is_sure, time.day, time.minute) == (True, 2, 555)
    # What was chosen for today is for the true day: it is gone tomorrow, whatever the clock says.
    book = station.today.alternatives(key(2, 1)).result()[-1]
    station.today.swap(key(2, 1), book, SwapScope.ONCE).result()
    assert [swap.occasion for swap in station.room.snapshot().swaps] == ["2027-05-18"]
    assert cards(station)[0].lesson is None
    clock.advance(7 * 24 * 3600)
    assert cards(station)[0].lesson is not None


def test_t3_a_week_ago_is_not_today_even_if_no_date_is_sure(clock, station):
    clock.at = datetime(2013, 1, 1, 3, tzinfo=UTC)
    teach(station, cards(station)[0])
    station.today.tell_time(2, 1).result()
    assert cards(station)[0].is_taught
    station.room.set_slot(Slot(key=key(3, 2), subject="math")).result()
    station.today.tell_time(3, 1).result()
    teach(station, cards(station)[0])
    station.today.tell_time(2, 1).result()
    assert not cards(station)[0].is_taught


def test_n2_a_deleted_library_loses_no_choice_and_no_source(tmp_path, clock, station):
    station.close()
    for name in ("library.db", "library.db-wal", "library.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    again = Station(Profile(tmp_path), clock)
    assert [row.id for row in again.sources()] == [SOURCE]
    assert [s.key for s in again.room.snapshot().slots] == [key(2, 1), key(2, 2), key(3, 1)]
    page = again.today.page().result()
    assert [card.light for row in page.rows for card in row.cards] == [Light.NO_DEVICE] * 2
    again.close()


def test_n1_a_torn_library_is_set_aside_and_told(tmp_path, clock, station):
    station.close()
    (tmp_path / "library.db").write_bytes(b"torn" * 5000)
    again = Station(Profile(tmp_path), clock)
    assert [notice.code for notice in again.notices] == ["library_damaged"]
    assert list(tmp_path.glob("library.db.damaged*"))
    again.close()


def test_sources_are_found_by_name_or_kind(station):
    assert station.source(None, "platform").id == SOURCE
    assert station.source("platform", "folder").id == SOURCE
    for name, kind in (("nowhere", "platform"), (None, "folder")):
        with pytest.raises(UserError):
            station.source(name, kind)


def stop(station, lesson: str, other: str = "", days: int = 0) -> None:
    word = Withdrawal(
        lesson=LessonId(lesson),
        reason="outdated",
        grace_days=days,
        replacement=LessonId(other) if other else None,
    )
    WithdrawalRows(station.database).put(SourceId("hub"), [word] if lesson else [])
    station.withdrawals.look_now()


def test_p4_a_withdrawn_lesson_keeps_its_place_and_offers_what_replaces_it(station):
    """P4: the book does not begin anew, and no other lesson slips in unseen."""
    station.today.finished(("c3",), Step(lesson=LessonId("l1")), None).result()
    stop(station, "l2", "l5")
    first, second = cards(station)
    assert (first.title, first.action, first.light) == (
        "Lesson 2", CardAction.REPLACE, Light.NOT_READY,
    )  # fmt: skip
    assert first.stopped is not None
    assert first.stopped.replacement_title == "Lesson 5"
    assert second.title == "Lesson 3"
    stop(station, "l2")
    assert cards(station)[0].action is CardAction.SWAP


def test_si1_what_was_chosen_instead_stands_until_the_lesson_is_back(station):
    """SI1, SI2: one press for every week; the course goes on behind it, and teaches it once."""
    station.today.finished(("c3",), Step(lesson=LessonId("l1")), None).result()
    station.room.set_slot(Slot(key=key(3, 1), subject="math", lesson=LessonId("l2"))).result()
    stop(station, "l2", "l5")
    station.today.use_instead(LessonId("l2"), LessonId("l5")).result()
    assert [card.title for card in cards(station)] == ["Lesson 5", "Lesson 3"]
    assert station.today.week_lessons_now() == ("l5", "l3")
    assert station.today.lessons_ahead_now()[:3] == ("l5", "l3", "l4")
    first = cards(station)[0]
    teach(station, first)
    station.today.finished(("c3",), Step(lesson=LessonId("l5")), key(2, 2)).result()
    assert station.room.snapshot().pointers[0].lesson == "l3"
    stop(station, "")
    assert "l2" in station.today.week_lessons_now()


def test_si1_a_choice_can_be_taken_back(station):
    """SI1"""
    stop(station, "l0", "l5")
    station.today.use_instead(LessonId("l0"), LessonId("l5")).result()
    assert cards(station)[0].title == "Lesson 5"
    station.today.undo().result()
    assert cards(station)[0].title == "Lesson 0"
    station.today.undo().result()
