"""A room with its real journal and services, over a library kept in memory."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from client.domain.availability import Decodes, LessonState, Light, PartState
from client.domain.catalogue import Book, Lesson, LessonKind, Placement, Role
from client.domain.clock import FrozenClock
from client.domain.ids import BookId, ClassId, LessonId, PartId, SourceId
from client.domain.timetable import Slot, SlotKey
from client.service.api import LessonDetail, LessonRow, PartView, Stopped
from client.service.records import RecordService
from client.service.room import RoomService
from client.service.today import TodayService
from client.service.week_page import CoursePage, WeekPage
from client.store.repair import open_journal

GRADES = {3: "三年级", 5: "五年级"}
MATHS = ("面积的练习", "分一分（一）", "分一分（二）", "比大小", "吃西瓜", "分数的练习")
EQUATIONS = ("方程的意义", "邮票的张数", "相遇问题", "列方程", "练习七", "整理与复习")
ENGLISH = ("Unit 6 How many?", "Unit 6 Let's learn", "Unit 6 Let's talk")
BOOKS = {
    "b3": ("数学", 3, "北师大版", MATHS),
    "b5": ("数学", 5, "北师大版", EQUATIONS),
    "e3": ("英语", 3, "人教 PEP 版", ENGLISH),
    "r3": ("数学", 3, "人教版", ("几分之一", "几分之几")),
}


def place(book: str) -> Placement:
    subject, grade, edition, _ = BOOKS[book]
    return Placement(
        stage="小学", grade=GRADES[grade], subject=subject, edition=edition, volume="下册"
    )


def lessons(book: str) -> tuple[Lesson, ...]:
    return tuple(
        Lesson(
            id=LessonId(f"{book}-{n}"),
            source=SourceId("demo"),
            kind=LessonKind.NATIONAL,
            title=title,
            place=place(book),
            book=BookId(book),
            section_titles=("第六单元 认识分数",),
            position=n,
        )
        for n, title in enumerate(BOOKS[book][3])
    )


class Shelf:
    """The `Lessons` of client.service.today, in memory: every second lesson is here."""

    def __init__(self) -> None:
        self.stopped: dict[LessonId, Stopped] = {}

    def periods_now(self, book: BookId) -> tuple[tuple[LessonId, int], ...]:
        return tuple((one.id, max(1, len(one.periods))) for one in self.order_now(book))

    def similar_now(self, detail):
        return ()

    def with_textbook_now(self, detail):
        return detail

    def order_now(self, book: BookId) -> tuple[Lesson, ...]:
        return lessons(book) if book in BOOKS else ()

    def details_now(self, ids: Sequence[LessonId]) -> Mapping[LessonId, LessonDetail]:
        known = {one.id: one for book in BOOKS for one in lessons(book)}
        return {
            one: replace(detail(known[one]), stopped=self.stopped.get(one))
            for one in ids
            if one in known
        }


def detail(lesson: Lesson) -> LessonDetail:
    is_here = lesson.position % 2 == 0
    state = PartState.PRESENT if is_here else PartState.ABSENT
    parts = tuple(
        PartView(
            id=PartId(f"{lesson.id}-{role.value}"),
            role=role,
            title=lesson.title,
            label="",
            format="mp4",
            size_bytes=40_000_000,
            duration_s=720.0 if role is Role.VIDEO else 0.0,
            pages=0,
            period=-1,
            state=state,
            decodes=Decodes.YES if is_here else Decodes.UNKNOWN,
        )
        for role in (Role.VIDEO, Role.SLIDES, Role.TASK)
    )
    row = LessonRow(
        id=lesson.id,
        title=lesson.title,
        kind=lesson.kind,
        place=lesson.place,
        unit=lesson.unit,
        provider="",
        state=LessonState.READY if is_here else LessonState.ABSENT,
        has_detail=True,
    )
    light = Light.READY if is_here else Light.NOT_READY
    return LessonDetail(
        row=row, light=light, book=lesson.book, sections=lesson.section_titles, parts=parts
    )


class School:
    """A room whose services are the real ones. `close` it."""

    def __init__(self, folder: Path, clock: FrozenClock | None = None) -> None:
        self.clock = clock or FrozenClock()
        self.journal = open_journal(folder, self.clock).journal
        self.room = RoomService(self.journal)
        self.records = RecordService(self.journal, self.room.class_ids)
        self.shelf = Shelf()
        self.today = TodayService(self.room, self.records, self.shelf, self.clock)

    def furnish(self) -> None:
        """Two grades, their books, and a week."""
        self.room.set_room("云岭村小学", "三五年级教室").result()
        c3 = self.room.add_class("三年级", 3, 13).result()
        c5 = self.room.add_class("五年级", 5, 11).result()
        for class_id, subject, book in ((c3, "数学", "b3"), (c5, "数学", "b5"), (c3, "英语", "e3")):
            self.room.choose_book(class_id, subject, BookId(book)).result()
        week = {
            c3: ("语文", "数学", "英语", "音乐", "道德与法治", "体育"),
            c5: ("语文", "数学", "科学", "音乐", "英语", "体育"),
        }
        slots = [
            Slot(key=SlotKey(day=day, period=n, class_id=class_id), subject=subject)
            for class_id, subjects in week.items()
            for day in range(1, 5)
            for n, subject in enumerate(subjects, 1)
        ]
        self.room.set_slots(slots).result()

    # --- the week port of ui.viewmodel.timetable -----------------------------------------

    def week(self) -> Future[WeekPage]:
        return self.today.week()

    def course(self, key: SlotKey) -> Future[CoursePage]:
        return self.today.course(key)

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future[object]:
        return self.today.use_instead(stopped, other)

    def books(self, grade: int, subject: str) -> Future[tuple[Book, ...]]:
        future: Future[tuple[Book, ...]] = Future()
        future.set_result(
            tuple(
                Book(id=BookId(name), source=SourceId("demo"), title=name, place=place(name))
                for name, (taught, number, _, _) in BOOKS.items()
                if (taught, number) == (subject, grade)
            )
        )
        return future

    def close(self) -> None:
        self.today.close()
        self.journal.close()


C3, C5 = ClassId("c3"), ClassId("c5")
