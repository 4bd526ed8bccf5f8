"""课程库 as a person uses it, over the real services.

ui.view.library and its columns ui.view.library_facets, ui.view.library_rows,
ui.view.library_detail; the state in ui.viewmodel.library.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from client.domain.availability import Decodes, LessonState, Light, PartState, Trust
from client.domain.catalogue import FileUse, LessonKind, Part, Role
from client.domain.clock import FrozenClock
from client.domain.holding import Blob
from client.domain.ids import BookId, ClassId, Digest, LessonId, PartId, SectionId
from client.domain.timetable import Slot, SlotKey
from client.service.api import Chapter, Filters, SearchPage, TextbookPages
from client.service.paths import Profile
from client.service.placing import Placing
from client.service.station import Station
from client.service.text import Words
from tests.generator.lessons import generate
from tests.library_room import fill_stores, put, remote_file
from ui.base.button import Button
from ui.base.choice import Chip, ChoiceRow, Select, Tick
from ui.base.context import Appearance, Say, UiContext
from ui.base.text import ElidedLabel
from ui.base.theme import Type
from ui.view.library import LibraryView
from ui.view.library_facets import SECTION
from ui.view.library_place import NoPlacePopover, PlacePopover
from ui.view.library_rows import ROW, cut_title, light_of
from ui.viewmodel.library import MEMORY, LibraryModel, LibraryPorts


class Told:
    """The program around the page: notes what it is asked for."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    def fetch_parts(self, lesson: LessonId, rendition: str, roles: frozenset[Role]) -> None:
        self.done.append(("fetch", lesson, rendition, roles))

    def preview(self, lesson) -> None:
        self.done.append(("preview", lesson.row.id))

    def print_task(self, lesson: LessonId) -> None:
        self.done.append(("print", lesson))

    def open_station(self, name: str) -> None:
        self.done.append(("open", name))


class Desk:
    """A shown page over an opened profile."""

    def __init__(self, qtbot, station: Station, *, size=(1512, 904), scale=100, language="zh_CN"):
        self.qtbot = qtbot
        self.station = station
        self.told = Told()
        look = Appearance(scale=scale, language=language)
        self.context = UiContext(Words(language), FrozenClock(), look)
        self.context.apply()
        self.said: list[Say] = []
        self.context.said.connect(self.said.append)
        ports = LibraryPorts(
            library=station.library,
            placing=Placing(station.room),
            memory=station.room,
            actions=self.told,
        )
        self.model = LibraryModel(ports, self.context.dispatcher)
        self.view = LibraryView(self.context, self.model)
        self.context.setParent(self.view)
        self.model.setParent(self.view)
        qtbot.addWidget(self.view)
        self.view.resize(*size)
        self.view.show()
        self.model.refresh()
        qtbot.waitUntil(lambda: self.model.is_answered and self.model.total >= 0)

    def search(self, text: str) -> None:
        self.view.search(text)
        self.qtbot.waitUntil(lambda: self.model.is_answered)
        self.qtbot.waitUntil(lambda: self.model.total >= 0)

    def shown(self) -> list[str]:
        model = self.view.list.model()
        return [model.index(at, 0).data(ROW).id for at in range(model.rowCount())]

    def find(self, kind: type[QWidget], text: str = "") -> list:
        return [
            one
            for one in self.view.window().findChildren(kind)
            if one.isVisible() and (not text or one.text() == text)
        ]

    def named(self, name: str) -> QAbstractButton:
        return self.view.window().findChild(QAbstractButton, name)

    def click(self, widget: QWidget) -> None:
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    def open_detail(self, lesson: str) -> None:
        self.model.select(LessonId(lesson))
        self.qtbot.waitUntil(lambda: self.model.detail is not None)


@pytest.fixture
def station(tmp_path) -> Iterator[Station]:
    made = Station(Profile(tmp_path / "room"), FrozenClock())
    fill_stores(made.catalogue, made.library)
    made.room.set_room("云岭村小学", "三五年级").result()
    made.room.add_class("三年级", 3).result()
    yield made
    made.close()


@pytest.fixture
def desk(qtbot, station) -> Desk:
    return Desk(qtbot, station)


def class_id(station: Station) -> ClassId:
    return station.room.snapshot().classes[0].id


def hold(station: Station, part: Part, path: str) -> None:
    lesson = station.catalogue.lesson(part.lesson)
    blob = Blob(
        digest=Digest("a" * 64), ext=".pdf", size_bytes=5, trust=Trust.ATTESTED,
        decodes=Decodes.UNKNOWN,
    )  # fmt: skip
    station.holdings.keep(lesson, part.id, path, blob)


def test_rows_appear_as_one_types_and_the_first_one_is_opened(desk) -> None:
    assert desk.shown() == ["poem", "area", "fractions"]
    desk.search("fsdcb")

    assert desk.shown() == ["fractions"]
    assert desk.view._count.text() == "找到 1 课"
    assert desk.view._hint.text() == "先排本班教材，再排其他版本"
    desk.qtbot.waitUntil(lambda: desk.model.detail is not None)
    assert desk.model.detail.row.id == "fractions"


def test_an_answer_to_an_older_question_is_dropped_lm1(qtbot, desk) -> None:
    """The first answer comes after the second one."""
    slow: Future[SearchPage] = Future()

    class Slow:
        def __init__(self, real) -> None:
            self.real = real
            self.asked: list[str] = []

        def __getattr__(self, name):
            return getattr(self.real, name)

        def search(self, text, filters=None):
            self.asked.append(text)
            return slow if text == "mianji" else self.real.search(text, filters)

    real = desk.model._ports.library
    desk.model._ports = replace(desk.model._ports, library=Slow(real))
    desk.view.search("mianji")
    assert not desk.model.is_answered
    assert desk.shown() == ["poem", "area", "fractions"], "LV1: the old rows stay meanwhile"
    desk.search("fsdcb")
    slow.set_result(real.search_now("mianji"))
    later: list[str] = []
    desk.context.dispatcher.post(lambda: later.append("after the old answer"))
    qtbot.waitUntil(lambda: len(later) == 1)
    assert desk.shown() == ["fractions"]


def test_counts_are_asked_after_the_rows_lm2(qtbot, desk) -> None:
    order: list[str] = []

    class Listening:
        def __init__(self, real) -> None:
            self.real = real

        def __getattr__(self, name):
            order.append(name)
            return getattr(self.real, name)

    desk.model._ports = replace(desk.model._ports, library=Listening(desk.model._ports.library))
    desk.model.rows_changed.connect(lambda: order.append("rows"))
    order.clear()
    desk.search("f")
    qtbot.waitUntil(lambda: "facets" in order)
    assert order.index("rows") < order.index("facets")


def test_chips_narrow_and_are_remembered_lm3(desk, station, qtbot) -> None:
    qtbot.waitUntil(lambda: len(desk.find(Chip)) > 0)
    desk.click(desk.find(Chip, "三")[0])
    qtbot.waitUntil(lambda: desk.shown() == ["area", "fractions"])
    qtbot.waitUntil(lambda: station.room.local(MEMORY) == "grade=三年级")
    qtbot.waitUntil(lambda: desk.find(Chip, "三")[0].isChecked() is True)
    assert desk.find(Chip, "一"), "the other grade can still be chosen"

    again = Desk(qtbot, station)
    assert again.shown() == ["area", "fractions"]
    again.click(again.named("clear-filters"))
    qtbot.waitUntil(lambda: again.shown() == ["poem", "area", "fractions"])
    qtbot.waitUntil(lambda: not again.named("clear-filters").isVisible())
    assert station.room.local(MEMORY) == ""


def test_a_pressed_chip_keeps_the_focus_and_lets_go_again(desk, qtbot) -> None:
    qtbot.waitUntil(lambda: len(desk.find(Chip, "数学")) > 0)
    chip = desk.find(Chip, "数学")[0]
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.shown() == ["area", "fractions"])
    qtbot.waitUntil(lambda: desk.find(Chip, "数学")[0].isChecked() is True)
    focused = QApplication.focusWidget()
    assert isinstance(focused, Chip)
    assert focused.text() == "数学"
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(desk.shown()) == 3)


def test_many_values_fold_and_unfold(qtbot, station) -> None:
    for at, made in enumerate(generate(9000)):
        if at % 11 == 0:
            put(station.catalogue, replace(made, lessons=made.lessons[:1]))
    station.library.refresh()
    desk = Desk(qtbot, station)

    def more() -> list:
        return [one for one in desk.find(Button) if one.text().startswith("还有")]

    qtbot.waitUntil(lambda: len(more()) > 0)
    before = len(desk.find(Chip))
    desk.click(more()[0])
    qtbot.waitUntil(lambda: len(desk.find(Chip)) > before)
    desk.click(desk.find(Button, "收起")[0])
    qtbot.waitUntil(lambda: len(desk.find(Chip)) == before)


def test_the_tree_lists_a_section_and_leads_back(desk, station, qtbot) -> None:
    station.room.choose_book(class_id(station), "数学", BookId("math")).result()
    desk.model.refresh()
    tree = desk.view._facets.tree
    qtbot.waitUntil(lambda: tree.model().rowCount() == 2)
    index = tree.model().index(1, 0)
    assert index.data(SECTION).title == "六 认识分数"
    qtbot.mouseClick(
        tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center()
    )
    qtbot.waitUntil(lambda: desk.shown() == ["fractions"])
    assert desk.view._count.text() == "这一节有 1 课"
    assert tree.isExpanded(index)
    desk.click(desk.named("leave-section"))
    qtbot.waitUntil(lambda: len(desk.shown()) == 3)

    desk.model.open_section(SectionId("u5"))
    qtbot.waitUntil(lambda: desk.shown() == ["area"])
    desk.search("yonge")
    assert desk.model.section is None
    assert desk.shown() == ["poem"]


def test_another_book_can_be_opened(desk, station, qtbot) -> None:
    station.room.choose_book(class_id(station), "数学", BookId("math")).result()
    station.room.choose_book(class_id(station), "语文", BookId("yuwen")).result()
    desk.model.refresh()
    books = desk.view.findChild(Select, "books")
    qtbot.waitUntil(lambda: books.count() == 2)
    at = books.findText("数学 北师大版 三下")
    books.setCurrentIndex(at)
    books.activated.emit(at)
    qtbot.waitUntil(lambda: desk.model.book.id == "math" and len(desk.model.tree) == 3)


def test_the_rooms_own_book_stands_before_others_that_fit_the_facets(qtbot, station) -> None:
    for made in generate(300):
        put(station.catalogue, made)
    station.library.refresh()
    station.room.choose_book(class_id(station), "数学", BookId("math")).result()
    desk = Desk(qtbot, station)
    desk.model.toggle("stage", "小学")
    qtbot.waitUntil(lambda: len(desk.model.books) > 2)
    assert desk.model.books[0].id == "math"
    assert desk.model.book == desk.model.books[0]
    assert len({book.id for book in desk.model.books}) == len(desk.model.books) <= 24


def test_films_and_companions_decide_what_is_fetched_ld1(desk, qtbot) -> None:
    desk.open_detail("fractions")
    assert desk.view.detail.download.text() == "下载 1 KB"
    assert desk.named("film:360p").isChecked()
    desk.click(desk.named("film:720p"))
    desk.click(desk.named("role:task"))
    assert not desk.named("role:task").isChecked()
    desk.click(desk.named("download"))
    desk.click(desk.named("film:"))
    assert not desk.named("download").isEnabled(), "nothing is wished for"
    desk.click(desk.named("role:task"))
    desk.click(desk.named("download"))

    assert desk.told.done == [
        ("fetch", "fractions", "720p", frozenset({Role.VIDEO})),
        ("fetch", "fractions", "360p", frozenset({Role.TASK})),
    ]


def test_the_choice_survives_a_new_answer_ld2(desk, station, qtbot) -> None:
    desk.open_detail("fractions")
    desk.click(desk.named("film:720p"))
    before = desk.model.detail
    desk.model.refresh()
    qtbot.waitUntil(lambda: desk.model.detail is not before)
    assert desk.named("film:720p").isChecked()


def test_a_lesson_that_was_not_read_yet_can_be_fetched_whole(desk) -> None:
    desk.open_detail("area")
    line = "这一课有些什么还没读到，下载时会先读。"
    desk.qtbot.waitUntil(lambda: len(desk.find(QLabel, line)) == 1)
    desk.click(desk.named("download"))
    assert desk.told.done == [("fetch", "area", "360p", frozenset())]


def test_what_is_here_can_be_previewed_and_printed(desk, station, qtbot) -> None:
    desk.open_detail("fractions")
    assert not desk.named("preview").isEnabled()
    assert not desk.named("print-task").isEnabled()
    lesson = station.catalogue.lesson(LessonId("fractions"))
    hold(station, lesson.parts[1], "a/sheet.pdf")
    desk.model.refresh()
    qtbot.waitUntil(lambda: desk.named("preview").isEnabled())
    desk.click(desk.named("preview"))
    desk.click(desk.named("print-task"))
    assert desk.told.done == [("preview", "fractions"), ("print", "fractions")]
    qtbot.waitUntil(lambda: bool(desk.find(Tick)))  # drawn anew while the buttons were pressed
    assert desk.named("role:task") is None, "what is here has no box"


def test_protected_parts_are_told_and_never_offered_ld1(qtbot, tmp_path) -> None:
    station = Station(Profile(tmp_path / "room"), FrozenClock())
    try:
        fill_stores(station.catalogue, station.library, protected=True)
        desk = Desk(qtbot, station)
        desk.open_detail("fractions")
        line = "平台限制，本机不可用；可由县级资源包提供"
        qtbot.waitUntil(lambda: len(desk.find(QLabel, line)) == 1)
        assert desk.named("film:360p") is None
        desk.click(desk.named("download"))
        assert desk.told.done == [("fetch", "fractions", "360p", frozenset({Role.TASK}))]
    finally:
        station.close()


def test_a_lesson_goes_into_the_timetable_and_out_again(desk, station, qtbot) -> None:
    key = SlotKey(day=4, period=2, class_id=class_id(station))
    station.room.set_slot(Slot(key=key, subject="数学")).result()
    desk.open_detail("fractions")
    desk.click(desk.named("to-timetable"))
    (popover,) = desk.find(PlacePopover)
    (choice,) = popover.findChildren(ChoiceRow)
    assert choice.text() == "周四第2节 · 三年级"
    desk.click(choice)
    qtbot.waitUntil(lambda: len(desk.said) == 1)
    assert station.room.snapshot().slots[0].lesson == "fractions"
    assert desk.said[-1].text == "分数的初步认识（一） 分一分 放进了周四第2节"
    desk.said[-1].act()
    qtbot.waitUntil(lambda: len(desk.said) == 2)
    assert station.room.snapshot().slots[0].lesson is None
    assert desk.said[-1].text == "已从课程表里拿出来"


def test_a_week_without_the_subject_leads_to_the_timetable(desk, qtbot) -> None:
    desk.open_detail("fractions")
    desk.click(desk.named("to-timetable"))
    (popover,) = desk.find(NoPlacePopover)
    (button,) = popover.findChildren(Button)
    desk.click(button)
    assert desk.told.done == [("open", "timetable")]


def test_keys_alone_find_and_fetch(desk, qtbot) -> None:
    desk.search("fsdcb")
    desk.view.focus_results()
    assert QApplication.focusWidget() is desk.view.list
    qtbot.waitUntil(lambda: desk.model.detail is not None)
    qtbot.keyClick(desk.view.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is desk.named("download"))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert desk.told.done[0][:2] == ("fetch", "fractions")


def test_arrows_walk_the_list_and_letters_do_not_jump(desk, qtbot) -> None:
    desk.view.focus_results()
    qtbot.keyClick(desk.view.list, Qt.Key.Key_Down)
    assert desk.model.selected == "area"
    qtbot.keyClicks(desk.view.list, "p")
    assert desk.model.selected == "area"


def test_nothing_found_says_what_to_try(desk) -> None:
    desk.search("zzzz")
    assert desk.view._empty_title.text() == "没找到“zzzz”"
    assert desk.model.selected is None
    assert not desk.named("add-source").isVisible()


def test_an_empty_catalogue_leads_to_the_sources(qtbot, tmp_path) -> None:
    station = Station(Profile(tmp_path / "room"), FrozenClock())
    try:
        desk = Desk(qtbot, station)
        assert desk.view._empty_title.text() == "还没有课程"
        desk.click(desk.named("add-source"))
        assert desk.told.done == [("open", "settings")]
    finally:
        station.close()


def test_more_than_a_page_says_so(qtbot, station) -> None:
    for made in generate(200):
        put(station.catalogue, made)
    station.library.refresh()
    desk = Desk(qtbot, station)
    assert len(desk.shown()) == 50
    assert desk.view._count.text() == "共 203 课"
    assert desk.view._more.text().startswith("只列出前 50 课")


@pytest.mark.parametrize("scale", [100, 150])
def test_a_narrow_window_shows_facets_or_lesson_lv2(qtbot, station, scale) -> None:
    desk = Desk(qtbot, station, size=(936, 704), scale=scale)
    qtbot.waitUntil(lambda: desk.view.detail.isVisible() is True)
    assert not desk.view._left.isVisible()
    desk.click(desk.named("narrow"))
    assert desk.view._left.isVisible()
    assert not desk.view.detail.isVisible()
    desk.view.list.setCurrentIndex(desk.view.list.model().index(1, 0))
    assert desk.view.detail.isVisible()
    desk.view.resize(2400, 900)
    assert desk.view._left.isVisible()
    assert desk.view.detail.isVisible()
    assert not desk.named("narrow").isVisible()


def test_english_has_its_words(qtbot, station) -> None:
    desk = Desk(qtbot, station, language="en")
    desk.search("fsdcb")
    assert desk.view._count.text() == "1 lesson found"
    desk.qtbot.waitUntil(lambda: desk.model.detail is not None)
    assert desk.named("to-timetable").text() == "Add to timetable"


@pytest.mark.parametrize("scale", [100, 125, 150])
def test_rows_are_as_tall_as_their_words_lr1(qtbot, station, scale) -> None:
    desk = Desk(qtbot, station, scale=scale)
    theme = desk.context.theme
    words = sum(
        QFontMetrics(theme.font(role, bold=True)).height()
        for role in (Type.TITLE, Type.CAPTION, Type.CAPTION)
    )
    assert desk.view.list.sizeHintForRow(0) >= words + theme.gap(24 + 8)
    assert len({desk.view.list.sizeHintForRow(at) for at in range(3)}) == 1


def test_matched_parts_are_set_apart_by_weight_too_lr2() -> None:
    assert cut_title("分数的初步认识", ((0, 2), (3, 2))) == [
        ("分数", True),
        ("的", False),
        ("初步", True),
        ("认识", False),
    ]
    assert cut_title("分数", ()) == [("分数", False)]


def test_lights_of_rows_are_no_alarm(station) -> None:
    (row,) = station.library.search_now("fsdcb").rows
    assert light_of(row) == (Light.NO_DEVICE, "light.not_fetched")
    assert light_of(replace(row, state=LessonState.WITHDRAWN))[1] == "library.withdrawn"
    assert light_of(replace(row, state=LessonState.PROTECTED))[1] == "library.protected"
    ready = replace(row, state=LessonState.READY, light=Light.READY)
    assert light_of(ready) == (Light.READY, "light.ready")


def test_every_visible_button_acts(desk, station, qtbot) -> None:
    """Each one is pressed, and something is different afterwards."""
    station.room.choose_book(class_id(station), "数学", BookId("math")).result()
    lesson = station.catalogue.lesson(LessonId("fractions"))
    slides = replace(
        lesson.parts[1], id=PartId("s"), role=Role.SLIDES,
        files=(remote_file("a/s.pdf", FileUse.DOCUMENT, 3),),
    )  # fmt: skip
    station.catalogue.put_detail(replace(lesson, parts=(*lesson.parts, slides)))
    hold(station, lesson.parts[1], "a/sheet.pdf")
    desk.search("fsdcb")
    desk.model.refresh()
    qtbot.waitUntil(lambda: desk.named("role:slides") is not None)
    qtbot.waitUntil(lambda: desk.view._facets.tree.model().rowCount() == 2)

    qtbot.waitUntil(lambda: len(desk.find(Chip)) >= 5)

    def state() -> object:
        return (
            tuple(desk.told.done),
            desk.model.filters,
            desk.model.section,
            len(desk.find(PlacePopover)) + len(desk.find(NoPlacePopover)),
            desk.view.detail._wish,
        )

    pressed = 0
    for name in [_name_of(one) for one in desk.find(QAbstractButton) if one.isEnabled()]:
        button = next(
            one for one in desk.find(QAbstractButton) if _name_of(one) == name and one.isEnabled()
        )
        if isinstance(button, Tick) and button.isChecked() and name.startswith("film:"):
            continue
        before = state()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert state() != before, name
        pressed += 1
        for popover in (*desk.find(PlacePopover), *desk.find(NoPlacePopover)):
            popover.close()
        desk.model.clear_filters()
        qtbot.waitUntil(lambda: desk.model.is_answered and desk.model.total == 1)
        qtbot.waitUntil(lambda: desk.named("role:slides") is not None)
        desk.view.detail._choose(replace(desk.view.detail._wish, rendition="360p"))
    assert pressed >= 12


def _name_of(button: QAbstractButton) -> str:
    return button.objectName() or f"{type(button).__name__}:{button.text()}:{button.toolTip()}"


def test_a_failed_answer_is_told(desk, qtbot) -> None:
    desk.model.select(LessonId("nobody"))
    qtbot.waitUntil(lambda: len(desk.said) == 1)
    assert desk.said[-1].text == "目录里没有这一课"


def test_model_keeps_quiet_without_an_open_lesson(desk) -> None:
    desk.model.select(None)
    desk.model.fetch(desk.view.detail._wish)
    desk.model.preview()
    desk.model.print_task()
    assert desk.model.offers() == ()
    assert desk.told.done == []
    assert desk.model.filters == Filters()


def test_a_click_on_a_row_opens_it(desk, qtbot) -> None:
    view = desk.view.list
    box = view.visualRect(view.model().index(2, 0))
    where = QPoint(box.left() + 200, box.center().y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert desk.model.selected == "fractions"


@pytest.mark.parametrize(
    ("first", "last", "line"), [(14, 19, "第 14–19 页"), (14, 14, "第 14 页"), (1, 0, "课本")]
)
def test_the_textbook_opens_where_the_lesson_stands(
    desk, monkeypatch, first: int, last: int, line: str
) -> None:
    desk.open_detail("fractions")
    assert desk.named("open-textbook") is None
    found = desk.model.detail
    book = replace(found.parts[1], role=Role.TEXTBOOK, id=PartId("book"))
    pages = TextbookPages(part=book, first=first, last=last)
    desk.model.detail = replace(found, textbook=pages)
    desk.model.detail_changed.emit()
    desk.qtbot.waitUntil(lambda: desk.named("open-textbook") is not None)
    names = [one.accessibleName() for one in desk.view.findChildren(ElidedLabel)]
    assert line in [*names, *(one.text() for one in desk.find(QLabel))]
    shown = []
    monkeypatch.setattr(desk.told, "preview", shown.append)
    desk.click(desk.named("open-textbook"))
    assert shown == [replace(found, textbook=pages, parts=())]
    desk.model.detail = None
    desk.model.open_textbook(pages)
    assert len(shown) == 1


def test_a_textbook_opens_at_each_of_its_chapters(desk, monkeypatch) -> None:
    desk.open_detail("fractions")
    found = desk.model.detail
    book = replace(found.parts[1], role=Role.TEXTBOOK, id=PartId("book"))
    made = tuple(
        Chapter(title=title, depth=depth, pages=TextbookPages(part=book, first=first, last=last))
        for title, depth, first, last in (("六 认识分数", 0, 58, 71), ("分一分", 1, 58, 58))
    )
    desk.model.detail = replace(found, chapters=made)
    desk.model.detail_changed.emit()
    desk.qtbot.waitUntil(lambda: bool(desk.find(QLabel, "第 58–71 页")))
    assert desk.find(QLabel, "第 58 页")
    shown = []
    monkeypatch.setattr(desk.told, "preview", shown.append)
    buttons = [b for b in desk.find(Button) if b.objectName() == "open-textbook"]
    desk.click(buttons[1])
    assert [one.textbook for one in shown] == [made[1].pages]


def test_exercises_are_printed_as_a_sheet_is(desk) -> None:
    desk.open_detail("fractions")
    found = desk.model.detail
    here = replace(found.parts[1], role=Role.EXERCISE, state=PartState.PRESENT)
    row = replace(found.row, kind=LessonKind.QUESTIONS)
    desk.model.detail = replace(found, row=row, parts=(here,))
    desk.model.detail_changed.emit()
    desk.qtbot.waitUntil(lambda: bool(desk.find(Button, "打印习题")))
    desk.click(desk.named("print-task"))
    assert desk.told.done == [("print", "fractions")]
