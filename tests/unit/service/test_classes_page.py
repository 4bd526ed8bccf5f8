"""班级 as a value (client.service.classes_page, client.service.disputes)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.catalogue import Book, Placement
from client.domain.ids import BookId, LessonId, SittingId, SourceId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.domain.record.facts import fact_rows
from client.domain.record.fields import MAX_SEEN, MAX_TEXT
from client.domain.record.fold import Fold
from client.service.classes_page import ClassesPage, Known, build_page, named_in, of_class
from client.service.disputes import find_disputes, joined, kept, own_logs
from client.service.when import local_moment
from tests.class_logs import CHINA, HERE, OTHER, Logs, lesson, page_of, with_time
from tests.record_samples import BODIES, C3, C5, LESSON, SITTING, event

OPENED = b.SittingOpened(sitting=SITTING, class_ids=(C3, C5), lesson=LESSON, day=2, period=1)
DAY_MS = 24 * 3_600_000
SITTINGS = (SITTING, SittingId("ffeeddccbbaa9988"), SittingId(""))


@pytest.fixture
def logs() -> Logs:
    return Logs()


def ids_on(page: ClassesPage) -> list[str]:
    """Names of all lines on a page."""
    inside = [fact.id for one in page.sittings() for fact in one.facts]
    return inside + [loose.fact.id for day in page.days for loose in day.loose]


@st.composite
def histories(draw) -> list[Event]:
    """Logs of random bodies about few sittings, which supersede random earlier events."""
    logs = Logs()
    for _ in range(draw(st.integers(1, 24))):
        body = draw(st.sampled_from(BODIES))
        if hasattr(body, "sitting"):
            body = replace(body, sitting=draw(st.sampled_from(SITTINGS)))
        if isinstance(body, b.NoteWritten):
            body = replace(body, text=draw(st.sampled_from(["", "one", "two"])))
        if isinstance(body, b.UnderstoodWritten):
            body = replace(body, level=draw(st.sampled_from(b.Understood)))
        if logs.events and draw(st.booleans()):
            seen = draw(st.lists(st.sampled_from(logs.events), max_size=3))
            body = replace(body, sup=tuple(one.id for one in seen))
        wall = draw(st.sampled_from([0, 1_810_000_000_000, 1_810_000_000_000 + 3 * DAY_MS]))
        logs.add(body, draw(st.sampled_from([HERE, OTHER, b"\x03" * 8])), wall)
    return logs.events


@given(histories())
@settings(max_examples=200)
def test_cp1_every_line_of_the_fold_stands_on_the_page_exactly_once(events) -> None:
    fold = Fold(events)
    page = page_of(events)
    assert Counter(ids_on(page)) == Counter(fact.id for fact in fact_rows(fold))
    assert max(Counter(ids_on(page)).values(), default=1) == 1
    assert len({one.id for one in page.sittings()}) == sum(1 for _ in page.sittings())


@given(histories(), st.randoms(use_true_random=False))
def test_cp1_the_order_of_arrival_changes_nothing(events, random) -> None:
    shuffled = events + random.choices(events, k=2)
    random.shuffle(shuffled)
    pages = [page_of(one) for one in (events, shuffled)]
    assert replace(pages[0], names=()) == replace(pages[1], names=())
    assert set(pages[0].names) == set(pages[1].names)


@given(histories())
def test_cp3_one_class_alone_misses_nothing_of_it(events) -> None:
    page = page_of(events)
    assert of_class(page, "") is page
    for class_id in (C3, C5):
        alone = of_class(page, class_id)
        of_it = {fact.id for fact in fact_rows(Fold(events)) if fact.class_id == class_id}
        assert of_it <= set(ids_on(alone))
        assert all(class_id in one.class_ids for one in alone.sittings())
        assert {one.type for one in page.disputes if not one.class_ids} <= {
            one.type for one in alone.disputes
        }


@given(histories())
def test_di1_whatever_differs_is_listed_with_all_that_was_said(events) -> None:
    fold = Fold(events)
    found = {(one.type, one.key): one for one in find_disputes(fold, {}, {})}
    for number in EventType:
        for group in fold.registers(number):
            said = {replace(entry.body, sup=()) for entry in group}
            mine = [one for one in found.values() if one.seen == tuple(e.id for e in group)]
            assert len(mine) == (len(said) > 1)
            if mine:
                assert {choice.body for choice in mine[0].choices} == said
                assert len(mine[0].choices) == len(said)
                assert mine[0].choices[-1].body == replace(group[-1].body, sup=())


@given(histories(), st.data())
def test_di2_a_decision_settles_what_was_shown_and_nothing_else(events, data) -> None:
    fold = Fold(events)
    disputes = find_disputes(fold, {}, {})
    if not disputes:
        return
    dispute = data.draw(st.sampled_from(disputes))
    index = data.draw(st.integers(0, len(dispute.choices) - 1))
    late = event(replace(dispute.choices[0].body, sup=()), writer=b"\x08" * 8)
    decided = event(kept(dispute, index), writer=b"\x09" * 8)
    fold.add(decided)
    assert [entry.id for entry in fold.siblings(dispute.type, dispute.key)] == [decided.id]
    others = {(one.type, one.key) for one in disputes} - {(dispute.type, dispute.key)}
    assert {(one.type, one.key) for one in find_disputes(fold, {}, {})} == others
    fold.add(late)
    alive = {entry.id for entry in fold.siblings(dispute.type, dispute.key)}
    assert alive == {decided.id, late.id}


def note(text: str) -> b.NoteWritten:
    return b.NoteWritten(note=bytes(8), sitting=SITTING, class_ids=(C3,), lesson=LESSON, text=text)


def test_di2_notes_can_be_joined(logs) -> None:
    logs.add(OPENED)
    logs.add(note("one"))
    logs.add(note("two"), OTHER)
    (dispute,) = logs.page().disputes
    both = joined(dispute)
    assert both is not None
    assert sorted(both.text.split("\n")) == ["one", "two"]
    logs.add(both)
    page = logs.page()
    assert page.disputes == ()
    assert [one.notes for one in page.sittings()] == [(both.text,)]


@pytest.mark.parametrize("second", ["", "x" * MAX_TEXT])
def test_di2_notes_that_are_empty_or_too_long_are_not_joined(logs, second) -> None:
    logs.add(note("one"))
    logs.add(note(second), OTHER)
    (dispute,) = logs.page().disputes
    assert joined(dispute) is None


def test_di2_what_is_no_note_is_not_joined_and_names_at_most_what_fits(logs) -> None:
    for number in range(MAX_SEEN + 3):
        writer = bytes([number + 1]) * 8
        logs.add(b.SettingWritten(name="theme", value=f"v{number}"), writer)
    (dispute,) = logs.page().disputes
    assert len(dispute.choices) == MAX_SEEN + 3
    assert joined(dispute) is None
    logs.add(kept(dispute, 0))
    (left,) = logs.page().disputes
    assert len(left.seen) == 4


def test_a_sitting_says_what_was_done(logs) -> None:
    logs.add(b.ClassWritten(class_id=C3, name="三年级", grade=3, headcount=12))
    for body in BODIES[9:]:
        logs.add(body)
    logs.add(b.QuestionRound(sitting=SITTING, class_ids=(C3,), lesson=LESSON, round=0, counts=()))
    page = logs.page(Known(lessons={LESSON: lesson()}))
    (one,) = page.sittings()
    assert (one.title, one.subject, one.day, one.period) == ("分一分", "数学", 2, 1)
    assert one.class_ids == (C3, C5)
    assert one.ends == (b.Ended.FINISHED,)
    assert (one.screen_s, one.played_s, one.shown_s) == (720, 270, 720)
    assert [asked.number for asked in one.rounds] == [0, 1]
    assert [(h.class_id, h.counted, h.assumed) for h in one.heads] == [(C3, (11,), 12), (C5, (), 0)]
    assert one.understood == ((C3, b.Understood.MOST),)
    assert one.taught_by == (b.TaughtBy.SUBSTITUTE,)
    assert one.notes == ("余数再讲一遍",)
    assert one.steps == 1
    assert not one.is_disputed
    assert dict(page.names) == {C3: "三年级"}
    assert dict(page.titles) == {LESSON: "分一分"}
    assert [day.date for day in page.days] == [date(2027, 5, 11)]


def test_a_class_that_was_taken_out_keeps_its_name(logs) -> None:
    logs.add(b.ClassWritten(class_id=C3, name="三年级", grade=3, headcount=12, is_present=False))
    assert logs.page().names == ((C3, "三年级"),)


def test_what_two_machines_say_stands_in_the_sitting_the_shown_one_last(logs) -> None:
    logs.add(OPENED)
    for writer, level in ((HERE, b.Understood.MOST), (OTHER, b.Understood.FEW)):
        logs.add(b.UnderstoodWritten(sitting=SITTING, class_id=C3, level=level), writer)
        count = {HERE: 11, OTHER: 12}[writer]
        logs.add(b.HeadcountTaken(sitting=SITTING, class_id=C3, lesson=LESSON, count=count), writer)
    page = logs.page()
    (one,), (dispute,) = page.sittings(), page.disputes
    assert one.is_disputed
    assert one.understood[-1][1] is dispute.choices[-1].body.level
    assert sorted(one.heads[0].counted) == [11, 12]
    assert {choice.body.level: choice.is_here for choice in dispute.choices} == {
        b.Understood.MOST: True,
        b.Understood.FEW: False,
    }
    assert all(choice.when is not None for choice in dispute.choices)
    assert (dispute.sitting, dispute.class_ids) == (SITTING, (C3,))


def test_writes_that_say_the_same_are_no_dispute(logs) -> None:
    logs.add(b.SittingEnded(sitting=SITTING, how=b.Ended.FINISHED))
    logs.add(b.SittingEnded(sitting=SITTING, how=b.Ended.FINISHED), OTHER)
    page = logs.page()
    assert page.disputes == ()
    assert [one.ends for one in page.sittings()] == [(b.Ended.FINISHED,)]


def test_di1_one_thing_said_on_both_machines_counts_as_said_here(logs) -> None:
    for writer, value in ((HERE, "dark"), (OTHER, "dark"), (b"\x03" * 8, "light")):
        logs.add(b.SettingWritten(name="theme", value=value), writer)
    (dispute,) = logs.page().disputes
    assert len(dispute.seen) == 3
    assert {c.body.value: (c.is_here, c.when) for c in dispute.choices} == {
        "dark": (True, None),
        "light": (False, None),
    }
    assert (dispute.class_ids, dispute.sitting) == ((), "")


def test_a_sitting_whose_beginning_is_not_here_is_shown_by_what_is(logs) -> None:
    logs.add(b.CueReached(sitting=SITTING, ordinal=1), OTHER)
    logs.add(b.HeadcountTaken(sitting=SITTING, class_id=C3, lesson=LESSON, count=9), OTHER)
    logs.add(b.SittingEnded(sitting=SITTING, how=b.Ended.CARRY_ON), OTHER)
    (one,) = logs.page().sittings()
    assert (one.class_ids, one.lesson, one.title, one.period) == ((C3,), LESSON, "", 0)
    assert one.heads[0].counted == (9,)


def test_what_was_added_by_hand_stands_by_itself(logs) -> None:
    logs.add(b.HeadcountTaken(sitting=SittingId(""), class_id=C3, lesson=LESSON, count=9))
    page = logs.page(Known(lessons={LESSON: lesson()}))
    assert list(page.sittings()) == []
    ((loose,),) = [day.loose for day in page.days]
    assert (loose.fact.value, loose.title) == ("9", "分一分")
    assert local_moment(loose.when, CHINA).date() == page.days[0].date


def page_at(logs: Logs, *times: tuple[str, str], writers: Sequence[bytes] = ()) -> ClassesPage:
    """A page of one sitting for each time and quality, named 1, 2, … as they were opened."""
    for number in range(1, len(times) + 1):
        opened = b.SittingOpened(
            sitting=SittingId(f"{number:016x}"), class_ids=(C3,), lesson=LESSON
        )
        logs.add(opened, writers[number - 1] if writers else HERE)
    fold = Fold(logs.events)
    by_name = {one.id.hex(): when for one, when in zip(logs.events, times, strict=True)}
    facts = [with_time(fact, *by_name[fact.id]) for fact in fact_rows(fold)]
    return build_page(fold, facts, HERE, Known(), CHINA)


LOST = ("", "unknown")


def test_cp2_days_stand_newest_first_and_unknown_times_behind_what_their_log_knew(logs) -> None:
    page = page_at(
        logs,
        ("2027-05-11T04:00:00+00:00", "clock"),
        LOST,
        ("2027-05-16T04:00:00+00:00", "clock"),
        ("2027-05-16T03:00:00+00:00", "clock"),
        LOST,
        writers=(HERE, HERE, HERE, HERE, OTHER),
    )
    found = [(day.date, [int(one.id, 16) for one in day.sittings]) for day in page.days]
    assert found == [
        (date(2027, 5, 16), [4, 3]),
        (None, [2]),
        (date(2027, 5, 11), [1]),
        (None, [5]),
    ]
    assert not any(day.is_about for day in page.days)


@pytest.mark.parametrize(("second", "is_guessed"), [("about", True), ("clock", False)])
def test_cp2_a_day_of_which_no_time_is_sure_says_so(logs, second, is_guessed) -> None:
    at = "2027-05-11T04:00:00+00:00"
    page = page_at(logs, (at, "about"), (at, second))
    assert [day.is_about for day in page.days] == [is_guessed]


def test_the_catalogue_is_asked_for_what_the_page_names(logs) -> None:
    other, book = LessonId("l2"), BookId("b1")
    logs.add(OPENED)
    for writer, name in ((HERE, other), (OTHER, LessonId("l3"))):
        logs.add(b.PointerMoved(class_id=C3, subject="数学", lesson=name), writer)
    for writer, name in ((HERE, book), (OTHER, BookId(""))):
        logs.add(b.BookChosen(class_id=C3, subject="数学", book=name), writer)
    fold = Fold(logs.events)
    named = named_in(fold, fact_rows(fold))
    assert set(named.lessons) == {LESSON, other, "l3"}
    assert named.books == (book,)
    known = Known(
        books={
            book: Book(
                id=book, source=SourceId("d"), title="数学", place=Placement(edition="北师大版")
            )
        }
    )
    assert list(known.titles()) == [(book, "北师大版 数学")]


# --- whose log it is ---------------------------------------------------------------------


def begin(
    logs: Logs,
    writer: bytes,
    *before: Event,
    key: int = 1,
    why: b.WhyIncarnation = b.WhyIncarnation.FIRST,
) -> Event:
    return logs.add(
        b.Incarnation(
            public_key=bytes([key]) * 32,
            nonce=bytes(16),
            why=why,
            predecessors=tuple((one.writer, one.hash) for one in before),
        ),
        writer,
    )


def test_a_log_of_this_pc_and_those_it_goes_on_from_are_its_own(logs) -> None:
    begin(logs, OTHER)
    copied = logs.add(OPENED, OTHER)
    begin(logs, HERE, copied, why=b.WhyIncarnation.RESTORED)
    logs.add(b.CueReached(sitting=SITTING, ordinal=1), OTHER)
    own = own_logs(Fold(logs.events), HERE)
    assert own[OTHER] == copied.seq == 2
    assert own[HERE] > 1 << 40


def test_a_log_of_another_key_is_not_own_unless_the_key_was_lost(logs) -> None:
    first = begin(logs, OTHER, key=2)
    begin(logs, HERE, first, why=b.WhyIncarnation.RESTORED)
    assert set(own_logs(Fold(logs.events), HERE)) == {HERE}
    again = Logs()
    first = begin(again, OTHER, key=2)
    begin(again, HERE, first, why=b.WhyIncarnation.KEY_LOST)
    assert set(own_logs(Fold(again.events), HERE)) == {HERE, OTHER}


def test_what_a_log_goes_on_from_may_not_be_here(logs) -> None:
    gone = event(OPENED, writer=b"\x05" * 8)
    begin(logs, HERE, gone)
    assert set(own_logs(Fold(logs.events), HERE)) == {HERE}
    assert set(own_logs(Fold(()), HERE)) == {HERE}


def test_of_two_ways_to_the_same_log_the_longer_one_counts(logs) -> None:
    third = b"\x03" * 8
    first = begin(logs, OTHER)
    later = logs.add(OPENED, OTHER)
    tip = begin(logs, third, first)
    begin(logs, HERE, later, tip)
    assert own_logs(Fold(logs.events), HERE)[OTHER] == later.seq


def test_cp3_what_concerns_the_room_is_shown_with_every_class(logs) -> None:
    for writer, value in ((HERE, "dark"), (OTHER, "light")):
        logs.add(b.SettingWritten(name="theme", value=value), writer)
        slot = b.SlotWritten(class_id=C5, day=1, period=1, subject=value)
        logs.add(slot, writer)
    page = logs.page()
    assert [one.type for one in of_class(page, C3).disputes] == [EventType.SETTING]
    assert len(of_class(page, C5).disputes) == 2
