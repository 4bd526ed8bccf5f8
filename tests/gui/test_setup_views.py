"""First run, 设置 and 体检 with a real room: ui.view.first_run, settings, setup_parts, doctor,
ui.viewmodel.setup, ui.viewmodel.doctor, and ui.pages that joins them."""

from concurrent.futures import Future
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit

from client.domain.availability import Decodes
from client.domain.catalogue import Book, Placement
from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError, UserError
from client.domain.ids import BookId, SourceId
from client.service.api import HubRow
from client.service.checks import Fix
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from client.service.text import Words
from ui.app import MainWindow
from ui.base.button import Button
from ui.base.choice import Segments, Select, Stepper, Tick, Tile
from ui.base.context import Appearance, UiContext
from ui.pages import SchoolPages
from ui.view.doctor import DoctorView
from ui.view.first_run import STEPS, FirstRunView, StepDots
from ui.view.hubs import HubsPaper
from ui.view.settings import SettingsView
from ui.view.setup_parts import CoversPaper, GradesPaper
from ui.view.timetable import TimetableView
from ui.viewmodel.frame import FrameModel
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.keeping import KeepingModel

BOOK = Book(
    id=BookId("b3"),
    source=SourceId("demo"),
    title="数学",
    place=Placement(
        stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册"
    ),
)


class Keeper:
    """Knows hubs and threats, and remembers what was asked (`HubsPort`, `KeepingPort`)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.rows = ()
        self.error: ClassroomError | None = None
        self.adding: Future | None = None

    def hubs(self):
        return done(self.rows)

    def look(self):
        return done(())

    def add_hub(self, url, code):
        self.asked.append((url, code))
        self.adding = Future()
        return self.adding


def done(value):
    future = Future()
    future.set_result(value)
    return future


class Deeds:
    """`SetupActions` that remember."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.hubs: HubsModel | None = None
        self.token: Path | None = None

    def import_folder(self) -> None:
        self.done.append("folder")

    def import_demo(self) -> None:
        self.done.append("demo")

    def choose_token_file(self) -> Path | None:
        self.done.append("token")
        return self.token

    def sync_now(self) -> None:
        self.done.append("sync")


def check_address(base: str) -> None:
    if base.startswith("ftp"):
        raise UserError("not_in_this_version", {"what": base})


class House:
    def __init__(self, qtbot, folder, *, scale=100, size=(1600, 968)) -> None:
        self.qtbot = qtbot
        self.services = Station(Profile(folder), FrozenClock())
        self.context = UiContext(Words("zh_CN"), FrozenClock(), Appearance(scale=scale))
        self.context.apply()
        self.said = []
        self.context.said.connect(self.said.append)
        self.deeds = Deeds()
        self.keeper = Keeper()
        self.deeds.hubs = HubsModel(self.keeper, self.context.dispatcher)
        self.threats = KeepingModel(self.keeper, self.context.dispatcher)
        self.pages = SchoolPages(
            self.services,
            self.context,
            self.deeds,
            self._open,
            check_address=check_address,
            decodes=lambda _: Decodes.YES,
        )
        self.frame = FrameModel()
        self.window = MainWindow(self.context, self.frame, self.threats, self.pages.stations())
        qtbot.addWidget(self.window)
        self.window.resize(*size)
        self.window.show()

    def _open(self, name):
        self.window.open_station(name)

    @property
    def room(self):
        return self.services.room.snapshot()

    def open(self, name):
        self.window.open_station(name)
        page = self.window.page(name)
        self.qtbot.waitUntil(page.isVisible)
        return page

    def find(self, kind, inside=None):
        return [one for one in (inside or self.window).findChildren(kind) if one.isVisible()]

    def button(self, text, inside=None):
        found = [one for one in self.find(QAbstractButton, inside) if one.text() == text]
        return found[0]

    def wait(self, condition):
        self.qtbot.waitUntil(condition)

    def close(self):
        self.context.dispatcher.close()
        self.pages.close()
        self.services.close()


@pytest.fixture
def house(qtbot, tmp_path):
    made = House(qtbot, tmp_path)
    yield made
    made.close()


# --- 设置 --------------------------------------------------------------------------------


def test_pages_and_models_are_made_when_they_are_opened(house) -> None:
    """PG1 of ui.pages."""
    assert not {"setup", "timetable", "doctor"} & set(house.pages.__dict__)
    house.open("settings")
    assert {"setup"} == {"setup", "timetable", "doctor"} & set(house.pages.__dict__)


def test_grades_are_taught_by_one_touch_and_taken_out_by_another(house) -> None:
    """SM1 of ui.viewmodel.setup, ST1 of ui.view.settings."""
    page = house.open("settings")
    house.button("三年级").click()
    house.wait(lambda: [group.name for group in house.room.classes] == ["三年级"])
    house.wait(lambda: bool(house.find(Stepper)))
    house.find(Stepper)[0].more.click()
    house.wait(lambda: house.room.classes[0].headcount == 1)
    house.button("三年级").click()
    house.wait(lambda: house.room.classes == ())
    house.wait(lambda: bool(house.said))
    house.said[-1].act()
    house.wait(lambda: [group.name for group in house.room.classes] == ["三年级"])
    assert isinstance(page, SettingsView)


def test_the_room_gets_its_name_when_the_field_is_left(house) -> None:
    house.open("settings")
    fields = {one.objectName(): one for one in house.find(QLineEdit)}
    fields["room-school"].setText("云岭村小学")
    fields["room-room"].setText("三五年级")
    fields["room-room"].editingFinished.emit()
    house.wait(lambda: house.room.room is not None and house.room.room.room == "三五年级")


@pytest.mark.parametrize(
    ("name", "index", "attribute", "expected"),
    [
        ("language", 1, "language", "en"),
        ("theme", 1, "theme", "dark"),
        ("type_scale", 2, "scale", 150),
    ],
)
def test_the_look_follows_at_once_and_is_kept(house, name, index, attribute, expected) -> None:
    house.open("settings")
    segments = next(s for s in house.find(Segments) if s.objectName() == f"setting-{name}")
    segments.buttons()[index].click()
    house.wait(lambda: getattr(house.context.appearance, attribute) == expected)
    assert house.window.station == "settings"
    house.wait(lambda: bool(house.find(Segments)))
    shown = next(s for s in house.find(Segments) if s.objectName() == f"setting-{name}")
    assert shown.current() == index


def test_the_other_settings_are_kept(house) -> None:
    house.open("settings")
    segments = next(s for s in house.find(Segments) if s.objectName() == "setting-rendition")
    segments.buttons()[2].click()
    house.wait(lambda: house.room.settings.rendition == "720p")
    house.find(Tick)[0].click()
    house.wait(lambda: house.room.settings.low_power)
    house.wait(lambda: house.context.appearance.is_low_power)


def test_covers_become_books_when_they_are_known(house) -> None:
    house.services.catalogue.put_books(SourceId("demo"), (BOOK,))
    house.open("settings")
    house.button("三年级").click()
    house.wait(lambda: bool(house.find(Select)))
    covers = house.find(CoversPaper)[0]
    maths = next(s for s in house.find(Select, covers) if s.accessibleName() == "三年级 数学")
    maths.setCurrentText("北师大版")
    maths.textActivated.emit("北师大版")
    house.wait(lambda: [one.book for one in house.room.chosen_books] == ["b3"])
    volumes = house.find(Segments, covers)[0]
    volumes.buttons()[0].click()
    house.wait(lambda: house.pages.desk.wishes()[0].volume == "上册")
    assert house.pages.setup.edition(house.room.classes[0].id, "数学") == "北师大版"


def test_sources_are_added_from_the_page(house, tmp_path) -> None:
    page = house.open("settings")
    for text in ("选文件夹", "放进来", "凭据文件"):
        house.button(text, page).click()
    assert house.deeds.done == ["folder", "demo", "token"]
    field = next(one for one in house.find(QLineEdit) if one.objectName() == "platform-base")
    field.setText("ftp://x")
    house.button("加上", page).click()
    house.wait(lambda: bool(house.said) and house.said[-1].tone == "red")
    token = tmp_path / "mine.json"
    token.write_text('{"access_token": "abc"}')
    house.deeds.token = token
    house.button("凭据文件", page).click()
    assert house.button("mine.json", page)
    field.setText("http://127.0.0.1:9")
    house.button("加上", page).click()
    house.wait(lambda: house.deeds.done[-1] == "sync")
    assert house.said[-1].tone in {"amber", "good"}
    house.wait(lambda: any(one.text() == "国家平台" for one in house.find(QLabel, page)))


def test_a_change_made_elsewhere_is_seen(house) -> None:
    """PG2 of ui.pages."""
    house.open("settings")
    house.services.room.add_class("五年级", 5).result()
    tile = house.button("五年级")
    house.wait(tile.isChecked)


# --- 体检 --------------------------------------------------------------------------------


def test_the_check_up_looks_and_mends(house) -> None:
    """DM1 of ui.viewmodel.doctor, DV1 of ui.view.doctor."""
    house.open("settings").doctor.click()
    page = house.window.page("doctor")
    assert isinstance(page, DoctorView)
    model = house.pages.doctor
    house.wait(lambda: bool(model.checks) and not model.is_busy)
    house.wait(lambda: any(b.text() == "现在备份" for b in house.find(Button, page)))
    before = len(model.checks)
    assert before == 10
    begun = []
    model.changed.connect(lambda: begun.append(model.is_busy))
    model.look(model._seen)
    model.look(model._seen)
    model.mend(Fix.BACK_UP)
    assert begun == [True]
    mend = next(one for one in page.findChildren(Button) if one.text() == "现在备份")
    assert not mend.isEnabled()
    house.wait(lambda: not model.is_busy)
    house.wait(lambda: any(b.text() == "现在备份" for b in house.find(Button, page)))
    with house.qtbot.waitSignal(model.mended):
        house.button("现在备份", page).click()
    house.wait(lambda: not model.is_busy)
    assert house.said[-1].tone == "good"
    house.button("再查一遍", page).click()
    house.wait(lambda: not model.is_busy)
    house.button("设置", page).click()
    assert house.window.station == "settings"


# --- first run ---------------------------------------------------------------------------


@pytest.fixture
def first(house):
    house.window.cover(house.pages.build_first_run)
    view = house.window.findChildren(FirstRunView)[0]
    house.wait(view.isVisible)
    return view


def test_next_alone_leads_to_the_end(house, first) -> None:
    """FR1: five presses of Enter."""
    assert house.pages.is_first_run
    with house.qtbot.waitSignal(first.finished):
        for _ in STEPS:
            house.wait(lambda: isinstance(QApplication.focusWidget(), Button))
            house.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    house.wait(lambda: not house.pages.is_first_run)


def test_what_was_touched_stays_whatever_way_a_step_is_left(house, first) -> None:
    """FR2."""
    first.go_on()
    house.wait(lambda: bool(house.find(GradesPaper)))
    house.button("三年级").click()
    house.button("五年级").click()
    house.wait(lambda: len(house.room.classes) == 2)
    fields = {one.objectName(): one for one in house.find(QLineEdit)}
    fields["room-school"].setText("云岭村小学")
    house.button("跳过这一步").click()
    house.wait(lambda: house.room.room is not None)
    house.wait(lambda: len(house.pages.desk.wishes()) == 12)
    assert first.at == 2
    house.button("上一步").click()
    assert first.at == 1
    first.go_on()
    first.go_on()
    house.wait(lambda: any("连上以后自动选" in one.text() for one in house.find(QLabel)))
    first.go_on()
    house.wait(lambda: bool(house.find(TimetableView)))
    assert house.find(StepDots)[0].accessibleName().startswith("第 5 步")


def test_the_language_can_be_changed_and_the_step_stays(house, first) -> None:
    tile = next(one for one in house.find(Tile) if one.text() == "English")
    tile.click()
    house.wait(lambda: house.context.words.language == "en")
    again = house.window.findChildren(FirstRunView)[-1]
    house.wait(again.isVisible)
    assert again.at == 0
    assert any(one.text() == "Which language?" for one in house.find(QLabel))


def test_a_step_without_grades_says_so(house, first) -> None:
    first.go_on()
    house.wait(lambda: any("先选年级" in one.text() for one in house.find(QLabel)))
    first.go_on()
    first.go_on()
    house.wait(lambda: any("还没选年级" in one.text() for one in house.find(QLabel)))


@pytest.mark.parametrize("scale", [100, 150])
@pytest.mark.parametrize("name", ["settings", "doctor", "timetable"])
def test_buttons_stay_inside_the_narrowest_window(qtbot, tmp_path, scale, name) -> None:
    house = House(qtbot, tmp_path, scale=scale, size=(1024, 768))
    page = house.open(name)
    if name == "doctor":
        house.wait(lambda: bool(house.pages.doctor.checks))
    house.wait(lambda: all(one.height() > 16 for one in house.find(Button, page)))
    for button in house.find(Button, page):
        at = button.mapTo(page, button.rect().topLeft()).x()
        assert at >= 0, button.text()
        assert at + button.width() <= page.width(), button.text()
    house.close()


# --- hubs ----------------------------------------------------------------------------------

HUB = KnownHub(key=b"1", url="https://hub", authority=b"", site=b"", school="S", name="云岭中心校")


def hub_form(house, qtbot):
    view = house.open("settings")
    paper = view.findChild(HubsPaper)
    qtbot.waitUntil(lambda: house.deeds.hubs.rows is not None)
    return paper


def test_a_hub_is_added_by_keys_alone(house, qtbot):
    """HV1: figures that come meanwhile touch nothing that is typed."""
    paper = hub_form(house, qtbot)
    paper.url.setFocus()
    qtbot.keyClicks(paper.url, " https://hub ")
    qtbot.keyClick(paper.url, Qt.Key.Key_Return)
    assert house.said[-1].text == house.context.words("hubs.both")
    assert QApplication.focusWidget() is paper.code
    qtbot.keyClicks(paper.code, "AB CD")
    house.keeper.rows = (HubRow(key=b"2", name="别的", url="u", waiting=1),)
    house.deeds.hubs.refresh()
    qtbot.waitUntil(lambda: house.deeds.hubs.rows == house.keeper.rows)
    assert QApplication.focusWidget() is paper.code
    qtbot.keyClick(paper.code, Qt.Key.Key_Return)
    assert house.keeper.asked == [("https://hub", "AB CD")]
    assert not paper.add.isEnabled()
    house.deeds.hubs.add("https://hub", "AB CD")
    assert len(house.keeper.asked) == 1
    house.keeper.adding.set_result(HUB)
    qtbot.waitUntil(paper.add.isEnabled)
    assert house.said[-1].text == house.context.words("hubs.added", name=HUB.name)
    assert (paper.url.text(), paper.code.text()) == ("", "")


def test_a_hub_that_refuses_is_told_and_what_was_typed_stays(house, qtbot):
    paper = hub_form(house, qtbot)
    paper.url.setText("https://hub")
    paper.code.setText("WRONG")
    qtbot.mouseClick(paper.add, Qt.MouseButton.LeftButton)
    house.keeper.adding.set_exception(UserError("code_unknown"))
    qtbot.waitUntil(paper.add.isEnabled)
    assert house.said[-1].text == house.context.words.error(UserError("code_unknown"))
    assert paper.code.text() == "WRONG"
