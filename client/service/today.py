"""今天 and what a class starts from: joins timetable, textbook, holdings and record.

Invariants:
  T1  A page is made of one snapshot of the room; what is asked for runs on one worker thread, so
      answers come in the order of the questions.
  T2  The pointer moves when a class was finished, never by the clock, and only forward, behind
      the step that was taught; a lesson that was put into its slot by hand does not move it.
  T3  A clock that is not believed never hides a lesson: the page guesses, says so, and asks.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from client.domain.availability import Light
from client.domain.catalogue import Lesson, Placement
from client.domain.clock import Clock
from client.domain.errors import UserError
from client.domain.ids import BookId, ClassId, EventId, LessonId, SittingId
from client.domain.record.bodies import Ended
from client.domain.record.room import RoomSnapshot, SwapOnce
from client.domain.timetable import Pointer, Slot, SlotKey
from client.domain.today import Course, DayTime, Step, after, guess_time, told_time
from client.service import week_page
from client.service.api import (
    Alternative,
    Card,
    LessonDetail,
    LinkView,
    Promise,
    ResumeNotice,
    Swap,
    SwapScope,
    TodayPage,
)
from client.service.day_facts import (
    begins_at,
    interrupted_classes,
    left_open,
    local,
    offer_of,
    own_step,
    point_keys,
    slot_keys,
    swap_offers,
    taught_slots,
    todays,
    together,
    told_moment,
)
from client.service.records import DayLog, RecordService, UnfinishedSitting
from client.service.room import RoomService
from client.service.sitting_plan import DayRecord, sitting_plan
from client.service.sitting_port import SittingPlan
from client.service.slots_ahead import Ahead, slots_ahead
from client.service.stand_ins import StandIns, pointers_with, slots_with, steps_with
from client.service.today_page import (
    DayInputs,
    StepFacts,
    build_page,
    facts_of,
    plan_of,
    promised,
)
from client.store.futures import then

_MAX_OFFERS: Final = 12


class Lessons(Protocol):
    """What 今天 reads of the library. Blocking."""

    def details_now(self, ids: Sequence[LessonId]) -> Mapping[LessonId, LessonDetail]:
        """Return what is known of several lessons; unknown ones are left out."""
        ...

    def with_textbook_now(self, detail: LessonDetail) -> LessonDetail:
        """Add where the lesson stands in the textbook, where that is here."""
        ...

    def periods_now(self, book: BookId) -> tuple[tuple[LessonId, int], ...]:
        """Return a book's lessons in teaching order, each with its class periods (at least 1)."""
        ...

    def order_now(self, book: BookId) -> tuple[Lesson, ...]:
        """Return a book's lessons in teaching order."""
        ...

    def similar_now(self, detail: LessonDetail) -> tuple[LessonDetail, ...]:
        """Return lessons of the same title, grade and subject in other editions, a few."""
        ...


Promises = Callable[[], tuple[Mapping[LessonId, Promise], LinkView] | None]
"""Gives what was planned last, None before the first plan; memory only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The teacher's answer to the question which period it is."""

    day: int
    period: int
    at_s: float


class TodayService:
    """Answers the page and carries out its choices. Methods return at once."""

    def __init__(
        self,
        room: RoomService,
        records: RecordService,
        lessons: Lessons,
        clock: Clock,
        promises: Promises | None = None,
    ) -> None:
        self._room: Final = room
        self._records: Final = records
        self._lessons: Final = lessons
        self._clock: Final = clock
        self._promises: Final = promises
        self._told: _Told | None = None
        self._ahead_ms = 0
        self._last: tuple[EventId, ...] = ()
        self._replaced: LessonId | None = None
        self._stand_ins: Final = StandIns(room, lessons.details_now)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="today")

    # --- reading -------------------------------------------------------------------------

    def page(self) -> Future[TodayPage]:
        """Answer the whole page as it is now."""
        return self._worker.submit(self.page_now)

    def page_now(self) -> TodayPage:
        """Answer the page on the calling thread (command line, worker)."""
        inputs = self._inputs()
        plan = plan_of(inputs)
        steps = {step for step in plan.values() if step is not None}
        steps |= {one.step for one in inputs.interrupted}
        return build_page(inputs, plan, self._facts(steps))

    def week(self) -> Future[week_page.WeekPage]:
        """Answer the week grid with what each slot teaches next."""
        return self._worker.submit(self._week)

    def course(self, key: SlotKey) -> Future[week_page.CoursePage]:
        """Answer where a slot stands in its textbook."""
        return self._worker.submit(self._course, key)

    def week_lessons_now(self) -> tuple[LessonId, ...]:
        """List the lessons of the coming week, soonest first. Blocking."""
        inputs = self._inputs()
        steps = plan_of(inputs).values()
        return tuple(dict.fromkeys(step.lesson for step in steps if step is not None))

    def lessons_ahead_now(self) -> tuple[LessonId, ...]:
        """List the lessons of today and the next ten school days, soonest first. Blocking."""
        inputs = self._inputs()
        steps = (*inputs.taught.values(), *(one.step for one in slots_ahead(inputs)))
        return tuple(dict.fromkeys(step.lesson for step in steps))

    def ahead_now(self) -> tuple[DayTime, tuple[Ahead, ...]]:
        """List what the slots of the coming ten school days teach. Blocking."""
        inputs = self._inputs()
        return inputs.time, slots_ahead(inputs)

    def alternatives(self, key: SlotKey) -> Future[tuple[Alternative, ...]]:
        """Offer what could be taught in that slot instead, best first."""
        return self._worker.submit(self._alternatives, key)

    def sitting_plan(self, cards: Sequence[Card], first: int = 0) -> Future[SittingPlan]:
        """Make what a class on these cards starts from; `first` gets the screen.

        The future fails with `UserError("nothing_to_teach")` when no card has a lesson.
        """
        return self._worker.submit(self._plan_cards, tuple(cards), first)

    def resume_plan(self, notice: ResumeNotice) -> Future[SittingPlan]:
        """Make what an interrupted class goes on from.

        The future fails with `UserError("sitting_is_over")` when it was ended meanwhile.
        """
        return self._worker.submit(self._plan_resume, notice.sitting)

    # --- choosing ------------------------------------------------------------------------

    def swap(self, key: SlotKey, alternative: Alternative, scope: SwapScope) -> Future[object]:
        """Teach something else in that slot; done when it is durable."""
        slot = self._slot(key)
        if scope is SwapScope.SHIFT and alternative.lesson is not None:
            pointer = Pointer(
                class_id=key.class_id, subject=slot.subject, lesson=alternative.lesson
            )
            return self._keep(self._room.set_pointer(pointer))
        if scope is SwapScope.SHIFT:
            return self._worker.submit(self._teach_by_book, key)
        swap = SwapOnce(key=key, occasion=self._occasion(), lesson=alternative.lesson)
        return self._keep(self._room.swap_once(swap))

    def undo(self) -> Future[object]:
        """Take the last swap back; nothing to take back is done at once."""
        names, self._last = self._last, ()
        stopped, self._replaced = self._replaced, None
        if stopped is not None:
            return then(self._stand_ins.choose(stopped, LessonId("")), lambda done: done)
        return then(self._room.undo_all(names), lambda done: done)

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future[object]:
        """Teach another lesson wherever a withdrawn one stands; done when it is durable."""
        self._last, self._replaced = (), stopped
        return then(self._stand_ins.choose(stopped, other), lambda done: done)

    def tell_time(self, day: int, period: int) -> Future[object]:
        """Say which period of the week it is now; done when it is kept as evidence."""
        self._told = _Told(day=day, period=period, at_s=self._clock.monotonic())
        begins = {bell.period: bell.begins for bell in self._room.snapshot().bells}
        utc_ms, err_ms = told_moment(day, begins.get(period))
        return then(self._records.tell_time(utc_ms, err_ms), lambda done: done)

    def finish_with_textbook(self, notice: ResumeNotice) -> Future[object]:
        """End an interrupted class as taught with the textbook (用课本上完了)."""
        return self._worker.submit(self._finish, notice.sitting)

    def finished(
        self, classes: Sequence[ClassId], step: Step, key: SlotKey | None
    ) -> Future[object]:
        """Move the pointer of each class on behind a step that was taught in a slot (T2)."""
        return self._worker.submit(self._advance, tuple(classes), step, key)

    def close(self) -> None:
        """Answer what was asked, then stop."""
        self._worker.shutdown(wait=True)

    # --- time ----------------------------------------------------------------------------

    def time(self) -> DayTime:
        """Tell the school day and minute as far as they are believed (T3)."""
        return self._time(self._look(), self._room.snapshot())

    def _look(self) -> DayLog:
        log = self._records.day_log()
        # Asked again on threads that may not read the disk.
        self._ahead_ms = log.wall_ms - log.now.middle_ms if log.now.is_sure else 0
        return log

    def _time(self, log: DayLog, room: RoomSnapshot) -> DayTime:
        if self._told is not None:
            begins = {bell.period: bell.begins for bell in room.bells}
            passed = int((self._clock.monotonic() - self._told.at_s) // 60)
            return told_time(self._told.day, begins.get(self._told.period), passed)
        if log.now.is_sure:
            now = local(log.now.middle_ms)
            return DayTime(
                day=now.isoweekday(),
                minute=now.hour * 60 + now.minute,
                is_odd_week=now.isocalendar().week % 2 == 1,
            )
        last = next((key for row in reversed(log.sittings) for key in slot_keys(row)), None)
        guess = guess_time([slot.key for slot in room.slots], last)
        return DayTime(day=guess[0] if guess else 1, minute=None, is_sure=False)

    def _occasion(self) -> str:
        right = self._clock.wall() - timedelta(milliseconds=self._ahead_ms)
        return right.astimezone().date().isoformat()

    # --- gathering -----------------------------------------------------------------------

    def _inputs(self) -> DayInputs:
        room = self._room.snapshot()
        log = self._look()
        unfinished = self._records.unfinished()
        time = self._time(log, room)
        occasion = self._occasion()
        today = todays(log.sittings, log.now, time.day)
        told = None if self._promises is None else self._promises()
        instead = self._stand_ins.now()
        return DayInputs(
            link=None if told is None else told[1],
            time=time,
            classes=room.classes,
            bells=room.bells,
            slots=slots_with(room.slots, instead),
            steps=self._books(room),
            pointers=pointers_with(room.pointers, instead),
            swaps={
                swap.key: None
                if swap.lesson is None
                else Step(lesson=swap.lesson, period=swap.lesson_period)
                for swap in room.swaps
                if swap.occasion == occasion
            },
            taught=taught_slots(today),
            left_open=left_open(unfinished),
            interrupted=interrupted_classes(unfinished, {row.sitting for row in today}),
        )

    def _week(self) -> week_page.WeekPage:
        inputs = self._inputs()
        plan = plan_of(inputs)
        steps = {step for step in plan.values() if step is not None}
        return week_page.build_week(inputs, plan, self._facts(steps))

    def _course(self, key: SlotKey) -> week_page.CoursePage:
        inputs, slot = self._inputs(), self._slot(key)
        course = week_page.course_of(slot)
        room = self._room.snapshot()
        book = next((c.book for c in room.chosen_books if (c.class_id, c.subject) == course), None)
        steps = inputs.steps.get(course, ())
        shown = plan_of(inputs).get(key)
        return week_page.build_course(
            slot,
            self._lessons.order_now(book) if book is not None else (),
            steps,
            (shown, inputs.pointers.get(course)),
            self._facts(week_page.near(steps, shown)),
        )

    def _books(self, room: RoomSnapshot) -> dict[Course, tuple[Step, ...]]:
        instead = self._stand_ins.now()
        order = {
            book: steps_with(dict(self._lessons.periods_now(book)), instead)
            for book in {c.book for c in room.chosen_books}
        }
        return {(c.class_id, c.subject): order[c.book] for c in room.chosen_books}

    def _facts(self, steps: set[Step]) -> dict[Step, StepFacts]:
        details = self._lessons.details_now(sorted({step.lesson for step in steps}))
        told = None if self._promises is None else self._promises()
        promises = {} if told is None else told[0]
        return {
            step: promised(facts_of(details[step.lesson], step.period), promises.get(step.lesson))
            for step in steps
            if step.lesson in details
        }

    # --- 换 ------------------------------------------------------------------------------

    def _alternatives(self, key: SlotKey) -> tuple[Alternative, ...]:
        inputs = self._inputs()
        slot = self._slot(key)
        now = plan_of(inputs).get(key)
        steps = inputs.steps.get((key.class_id, slot.subject), ())
        wanted = swap_offers(steps, now, self._left_open(key.class_id))
        ids = {lesson for _, lesson in wanted} | ({now.lesson} if now is not None else set())
        details = self._lessons.details_now(sorted(ids))
        unit = details[now.lesson].row.unit if now is not None and now.lesson in details else ""
        offers = [
            offer_of(kind, details[lesson])
            for kind, lesson in wanted
            if lesson in details
            and (kind is not Swap.SAME_UNIT or details[lesson].row.unit == unit)
        ]
        if now is not None and now.lesson in details:
            similar = self._lessons.similar_now(details[now.lesson])
            offers += [offer_of(Swap.OTHER_EDITION, detail) for detail in similar]
        book = Alternative(
            kind=Swap.TEXTBOOK,
            lesson=None,
            title="",
            place=next((offer.place for offer in offers), Placement()),
            light=Light.NO_DEVICE,
        )
        return (*offers[:_MAX_OFFERS], book)

    def _left_open(self, class_id: ClassId) -> tuple[LessonId, ...]:
        return tuple(
            one.point.lesson
            for one in self._records.unfinished()
            if class_id in one.point.class_ids
        )

    def _slot(self, key: SlotKey) -> Slot:
        for slot in self._room.snapshot().slots:
            if slot.key == key:
                return slot
        raise UserError("slot_is_free")

    def _keep(self, written: Future[EventId]) -> Future[object]:
        def keep(name: EventId) -> object:
            self._last = (name,)
            return name

        return then(written, keep)

    # --- starting and ending -------------------------------------------------------------

    def _plan_cards(self, cards: tuple[Card, ...], first: int) -> SittingPlan:
        periods = plan_of(self._inputs())
        steps = [(card.key, periods.get(card.key)) for card in cards]
        wanted = tuple(
            (key, step if step is not None and step.lesson == card.lesson else own_step(card))
            for card, (key, step) in zip(cards, steps, strict=True)
        )
        return self._plan(tuple((k, s) for k, s in wanted if s is not None), first, ())

    def _plan_resume(self, sitting: SittingId) -> SittingPlan:
        held = together(self._records.unfinished(), sitting)
        if not held:
            raise UserError("sitting_is_over")
        wanted = tuple(
            (key, Step(lesson=one.point.lesson, period=one.point.lesson_period))
            for one in held
            for key in point_keys(one)
        )
        return self._plan(wanted, 0, held)

    def _plan(
        self,
        wanted: tuple[tuple[SlotKey, Step], ...],
        first: int,
        unfinished: tuple[UnfinishedSitting, ...],
    ) -> SittingPlan:
        room = self._room.snapshot()
        page = self.page_now()
        details = self._lessons.details_now(sorted({step.lesson for _, step in wanted}))
        found = {one: self._lessons.with_textbook_now(detail) for one, detail in details.items()}
        known = tuple((k, s, found[s.lesson]) for k, s in wanted if s.lesson in found)
        if not known:
            raise UserError("nothing_to_teach")
        log = self._look()
        left = () if unfinished else self._records.unfinished()
        record = DayRecord(
            sittings=todays(log.sittings, log.now, self._time(log, room).day),
            unfinished=unfinished,
            watched=tuple(self._records.stretches(one.point.sitting) for one in unfinished),
            begun=tuple(begins_at(left, key.class_id, step) for key, step, _ in known),
        )
        return sitting_plan(room, page, known, record, first)

    def _finish(self, sitting: SittingId) -> object:
        held = together(self._records.unfinished(), sitting)
        if not held:
            raise UserError("sitting_is_over")
        for one in held:
            self._records.recorder.end(one.point.sitting, Ended.FINISHED).result()
            step = Step(lesson=one.point.lesson, period=one.point.lesson_period)
            self._advance(one.point.class_ids, step, next(iter(point_keys(one)), None))
        return None

    def _teach_by_book(self, key: SlotKey) -> object:
        """课本课 for good: the slot's lesson counts as taught, without any media."""
        step = plan_of(self._inputs()).get(key)
        if step is None:
            raise UserError("nothing_to_teach")
        recorder = self._records.recorder
        opened = recorder.open((key.class_id,), step.lesson, key, step.period)
        opened.recorded.result()
        recorder.end(opened.sitting, Ended.FINISHED).result()
        return self._advance((key.class_id,), step, key)

    def _advance(self, classes: Sequence[ClassId], step: Step, key: SlotKey | None) -> object:
        room = self._room.snapshot()
        if key is not None and self._is_by_hand(room, key, step):
            return None
        pointers = {
            (p.class_id, p.subject): Step(lesson=p.lesson, period=p.period) for p in room.pointers
        }
        for course, steps in self._books(room).items():
            following = after(steps, step)
            if course[0] not in classes or following is None:
                continue
            now = pointers.get(course)
            if now in steps and steps.index(now) >= steps.index(following):
                continue
            self._room.set_pointer(
                Pointer(
                    class_id=course[0],
                    subject=course[1],
                    lesson=following.lesson,
                    period=following.period,
                )
            ).result()
        return None

    def _is_by_hand(self, room: RoomSnapshot, key: SlotKey, step: Step) -> bool:
        """Tell whether somebody put this lesson into the slot, for the week or this once."""
        by_week = {slot.key: slot.lesson for slot in room.slots}
        occasion = self._occasion()
        once = {swap.key: swap.lesson for swap in room.swaps if swap.occasion == occasion}
        place = SlotKey(day=key.day, period=key.period, class_id=key.class_id)
        return step.lesson in (by_week.get(place), once.get(place))
