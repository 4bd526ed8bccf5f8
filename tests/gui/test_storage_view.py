"""本机空间: what takes room is said by book, room is made by a second press (SM1, SV1 to SV3)."""

from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from client.domain.clock import FrozenClock
from client.domain.eviction import GB, Leaving, Limits, Room, Shield
from client.domain.ids import LessonId
from client.service.storage import BookRoom, LessonRoom, StoragePage
from client.service.text import Words
from tests.visible_text import visible_text
from ui.base.button import Button
from ui.base.context import Appearance, Say, UiContext
from ui.base.layout import rows
from ui.view.storage import Patch, RoomBar, StoragePaper
from ui.view.storage_books import StorageBooks
from ui.viewmodel import storage
from ui.viewmodel.storage import StorageModel


def one(name: str, shield: Shield | None, leaving: Leaving = Leaving.NEVER_USED) -> LessonRoom:
    return LessonRoom(
        lesson=LessonId(name),
        title=f"分一分 {name}",
        size_bytes=GB,
        is_pinned=shield is Shield.PINNED,
        shield=shield,
        leaving=leaving,
    )


SHIELDED = tuple(one(shield.value, shield) for shield in Shield)
FREE = tuple(one(leaving.value, None, leaving) for leaving in Leaving)
PAGE = StoragePage(
    room=Room(total_bytes=120 * GB, free_bytes=79 * GB, held_bytes=8 * GB),
    limits=Limits(floor_bytes=12 * GB),
    books=(
        BookRoom(title="三年级下册", subject="数学", lessons=SHIELDED),
        BookRoom(title="", subject="", lessons=FREE),
    ),
    freeable_bytes=3 * GB,
    freeable=3,
    quota_mb=1234,
)


class Port:
    """Answers one page, and writes down what was asked."""

    def __init__(self, page: StoragePage = PAGE) -> None:
        self.answer = page
        self.asked: list[tuple[object, ...]] = []

    def page(self) -> Future:
        self.asked.append(("page",))
        return done(self.answer)

    def free(self) -> Future:
        self.asked.append(("free",))
        return done(3 * GB)

    def pin(self, lesson: LessonId, *, is_pinned: bool) -> Future:
        self.asked.append(("pin", lesson, is_pinned))
        return done(None)

    def set_limit(self, name: str, value: str) -> Future:
        self.asked.append((name, value))
        return done(b"")

    @property
    def acts(self) -> list[tuple[object, ...]]:
        return [one for one in self.asked if one != ("page",)]


def done(value: object) -> Future:
    future: Future = Future()
    future.set_result(value)
    return future


def paper(qtbot, port: Port, **look: object) -> StoragePaper:
    appearance = Appearance(**look)
    context = UiContext(Words(appearance.language), FrozenClock(), appearance)
    context.apply()
    model = StorageModel(port, context.dispatcher)
    made = StoragePaper(context, model)
    window = QWidget()
    made.context, made.model, made.kept = context, model, window
    column = rows(window)
    column.addWidget(made, 0, Qt.AlignmentFlag.AlignLeft)
    column.addStretch(1)
    made.setFixedWidth(context.theme.size(340))
    qtbot.addWidget(window)
    window.resize(1000, 900)
    window.show()
    qtbot.waitUntil(lambda: model.page is not None)
    return made


def books(qtbot, view: StoragePaper) -> StorageBooks:
    """Open the list of books."""
    press(qtbot, view, view.books.text())
    return view.window().findChild(StorageBooks)


def press(qtbot, view: QWidget, name: str) -> None:
    QApplication.sendPostedEvents()
    button = next(
        one
        for one in view.findChildren(Button)
        if one.isVisible() and name in (one.objectName(), one.text(), one.accessibleName())
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("theme", "scale"), [("light", 100), ("dark", 150)])
def test_sv1_every_lesson_says_why_it_stays_or_may_go(qtbot, language, theme, scale) -> None:
    view = paper(qtbot, Port(), language=language, theme=theme, scale=scale)
    words = view.context.words
    listed = books(qtbot, view)
    for book in PAGE.books:
        view.model.toggle_book(book.title)
    shown = visible_text(view.window())
    for shield in Shield:
        assert words(f"storage.stays_{shield.value}") in shown
    for leaving in Leaving:
        assert words(f"storage.{leaving.value}") in shown
    assert words("storage.no_book") in shown
    assert words("storage.used", used=words.size(41 * GB), total=words.size(120 * GB)) in shown
    assert "storage." not in shown
    assert "{" not in shown
    view.window().setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.window().grab()
    view.model.toggle_book("")
    assert words("storage.never_used") not in visible_text(listed)


def test_the_bar_shows_all_that_is_used_and_each_colour_has_its_words(qtbot) -> None:
    view = paper(qtbot, Port())
    bar = view.findChild(RoomBar)
    assert bar.accessibleDescription() == f"{round(100 * 41 / 120)} %"
    assert "别的文件" in visible_text(view)
    tones = [tone for _, tone in bar._shares]
    assert len(view.findChildren(Patch)) == len(set(tones)) == len(tones)


def test_sm1_room_is_made_by_the_second_press(qtbot) -> None:
    port = Port()
    view = paper(qtbot, port)
    words = view.context.words
    said: list[Say] = []
    view.context.said.connect(said.append)
    press(qtbot, view, "storage-free")
    assert port.acts == []
    assert words.plural("storage.free_sure", 3, size=words.size(3 * GB)) in visible_text(view)
    press(qtbot, view, words("storage.stay"))
    press(qtbot, view, "storage-free")
    assert port.acts == []
    press(qtbot, view, "storage-free")
    assert port.acts == [("free",)]
    qtbot.waitUntil(lambda: bool(said))
    assert said[0].text == words("storage.freed", size=words.size(3 * GB))


def test_sm1_leaving_the_page_forgets_the_first_press(qtbot) -> None:
    view = paper(qtbot, Port())
    press(qtbot, view, "storage-free")
    view.hide()
    view.show()
    assert not view.model.is_asking


def test_a_lesson_is_pinned_and_unpinned(qtbot) -> None:
    port = Port()
    view = paper(qtbot, port)
    words, listed = view.context.words, books(qtbot, view)
    press(qtbot, listed, words("storage.more", book="三年级下册"))
    press(qtbot, listed, f"{words('storage.unpin')} 分一分 pinned")
    press(qtbot, listed, f"{words('storage.pin')} 分一分 coming")
    assert port.acts == [("pin", "pinned", False), ("pin", "coming", True)]


def test_limits_are_chosen_and_odd_ones_shown(qtbot) -> None:
    port = Port()
    view = paper(qtbot, port)
    listed = books(qtbot, view)
    assert listed.quota.currentData() == "1234"
    assert listed.floor.currentData() == "auto"
    listed.quota.activated.emit(listed.quota.findData("20480"))
    listed.floor.activated.emit(listed.floor.findData("5120"))
    assert port.acts == [("store_quota_mb", "20480"), ("store_floor_mb", "5120")]
    port.answer = replace(PAGE, quota_mb=0, floor_mb=5120)
    view.model.refresh()
    qtbot.waitUntil(lambda: listed.floor.currentData() == "5120")
    assert listed.quota.currentData() == "0"


def test_sv3_what_is_pressed_keeps_the_focus(qtbot) -> None:
    """Also where its row is built anew: the list for the keyboard, and the two presses of SM1."""
    view = paper(qtbot, Port())
    listed, words = books(qtbot, view), view.context.words
    view.window().activateWindow()
    button = next(
        one
        for one in listed.findChildren(Button)
        if one.accessibleName() == words("storage.more", book="三年级下册")
    )
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert QApplication.focusWidget().accessibleName() == words("storage.less", book="三年级下册")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    free = next(one for one in view.findChildren(Button) if one.objectName() == "storage-free")
    free.setFocus()
    qtbot.keyClick(free, Qt.Key.Key_Space)
    assert view.model.is_asking
    assert QApplication.focusWidget().text() == words("storage.stay")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert not view.model.is_asking
    assert QApplication.focusWidget().objectName() == "storage-free"


def test_sv2_figures_move_without_building_anew(qtbot) -> None:
    port = Port()
    view = paper(qtbot, port)
    before, buttons = visible_text(view), [b for b in view.findChildren(Button) if b.isVisible()]
    port.answer = replace(PAGE, room=replace(PAGE.room, free_bytes=60 * GB))
    view.model.refresh()
    qtbot.waitUntil(lambda: view.model.page == port.answer)
    assert visible_text(view) != before
    assert [b for b in view.findChildren(Button) if b.isVisible()] == buttons


def test_where_nothing_may_go_it_says_so(qtbot) -> None:
    view = paper(qtbot, Port(replace(PAGE, books=(), freeable=0, freeable_bytes=0)))
    words = view.context.words
    assert words("storage.nothing_to_free") in visible_text(view)
    assert words("storage.no_lessons") in visible_text(books(qtbot, view))


def test_figures_are_asked_for_while_somebody_looks(qtbot, monkeypatch) -> None:
    monkeypatch.setattr(storage, "EVERY_MS", 5)
    port = Port()
    view = paper(qtbot, port)
    qtbot.waitUntil(lambda: len(port.asked) > 2)
    view.hide()
    qtbot.wait(20)
    asked = len(port.asked)
    qtbot.wait(50)
    assert len(port.asked) == asked
