"""The stick on 传输 over a real desk (ui.view.courier, courier_pack, ui.viewmodel.courier,
sync.engine.stick_desk, client.service.sticks, ui.base.volumes)."""

from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.errors import StorageError
from client.service.intake import NotTaken
from client.service.sticks import StickEnd, StickProgress, StickSeen, StickStage
from client.service.text import Words
from client.store.keyfile import KeyFile
from sync.engine.stick_desk import StickDesk
from tests.courier_world import LABELS, SIZE, a_lesson, content, hub_of, keep, pack, room, yes
from tests.visible_text import visible_text
from ui.base import volumes
from ui.base.context import Appearance, UiContext
from ui.base.layout import rows
from ui.base.volumes import Volume, is_stick, sticks
from ui.view.courier import CourierBlock, CourierEnd
from ui.view.courier_pack import PackPopover
from ui.viewmodel.courier import CourierModel, Phase


class House:
    """A window with the block, a room with two lessons, and sticks that come and go."""

    def __init__(self, qtbot, folder, **look):
        self.qtbot, self.folder = qtbot, folder
        self.station = room(folder / "profile")
        keep(self.station, a_lesson("l1", (Role.SLIDES, "pdf"), title="分一分"), content(1))
        keep(self.station, a_lesson("l2", (Role.SLIDES, "pdf"), title="比大小"), content(2))
        self.desk = StickDesk(self.station, yes, lambda: LABELS)
        appearance = Appearance(**look)
        self.context = UiContext(Words(appearance.language), FrozenClock(), appearance)
        self.context.apply()
        self.plugged: tuple[Volume, ...] = ()
        self.model = CourierModel(self.desk, lambda: self.plugged, self.context.dispatcher)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        column = rows(self.window)
        self.end = CourierEnd(self.context, self.model, self.window)
        column.addWidget(self.end)
        self.block = CourierBlock(self.context, self.model, self.window)
        column.addWidget(self.block)
        column.addStretch(1)
        self.window.resize(1000, 760)
        self.window.show()
        self.finished = 0
        self.model.finished.connect(self._count)

    def _count(self):
        self.finished += 1

    def stick(self, name="KINGSTON", free=1 << 30) -> Volume:
        root = self.folder / name
        root.mkdir(exist_ok=True)
        return Volume(root=root, name=name, free_bytes=free, size_bytes=1 << 31)

    def plug(self, *found):
        self.plugged = found
        self.poll()

    def poll(self):
        self.model.poll()
        self.until(lambda: not self.model._is_asking)

    def until(self, holds):
        self.qtbot.waitUntil(holds, timeout=20_000)

    def texts(self) -> str:
        return visible_text(self.window)

    def close(self):
        self.model.close()
        self.station.close()


@pytest.fixture
def house(qtbot, tmp_path):
    made = House(qtbot, tmp_path)
    yield made
    made.close()


def test_nothing_is_shown_without_a_stick(house):
    """CV1 CM2: and nothing is left when it is gone."""
    assert not house.block.isVisible()
    house.plug(house.stick())
    assert house.block.isVisible()
    assert "KINGSTON" in house.texts()
    house.until(lambda: house.model.seen is not None)
    assert house.model.phase is Phase.FOUND
    assert list((house.folder / "KINGSTON").iterdir()) == []
    assert house.block.take.text() == "只带记录"
    house.plug(replace(house.stick(), free_bytes=5))
    assert house.model.volume.free_bytes == 5
    house.plug()
    assert not house.block.isVisible()
    assert house.model.seen is None


def test_a_stick_of_ours_is_used_at_once(house):
    """CM1 SK1: the record goes out, lessons come in, and then 可以拔了."""
    hub_of(house.station, KeyFile.create(house.folder / "hub.key"))
    county = room(house.folder / "county")
    keep(county, a_lesson("l9", (Role.SLIDES, "pdf"), title="新课"), content(9))
    pack(county, house.stick().root)
    county.close()
    house.plug(house.stick())
    house.until(lambda: house.finished == 1)
    assert house.model.phase is Phase.DONE
    assert (house.model.end.lessons, house.model.end.left_events > 0) == (1, True)
    assert "可以拔了" in house.texts()
    assert "导入 1 课" in house.texts()
    assert house.block.take.text() == "导入"
    assert house.station.holdings.kept_lessons()[-1].size_bytes == SIZE
    house.poll()
    assert house.model.phase is Phase.DONE
    house.qtbot.mouseClick(house.block.take, Qt.MouseButton.LeftButton)
    house.until(lambda: house.finished == 2)
    assert house.model.end.lessons == 0


def test_how_it_ended_stands_above_every_page_until_it_was_read(house):
    """CV3"""
    assert not house.end.isVisible()
    house.plug(house.stick())
    house.until(lambda: house.model.seen is not None)
    assert not house.end.isVisible()
    house.qtbot.mouseClick(house.block.take, Qt.MouseButton.LeftButton)
    house.until(lambda: house.finished == 1)
    assert house.end.isVisible()
    assert house.end.width() == house.window.width()
    assert "可以拔了：KINGSTON" in visible_text(house.end)
    house.qtbot.mouseClick(house.end.shut, Qt.MouseButton.LeftButton)
    assert not house.end.isVisible()
    assert house.block.isVisible()
    house.qtbot.mouseClick(house.block.take, Qt.MouseButton.LeftButton)
    house.until(lambda: house.finished == 2)
    assert house.end.isVisible()
    house.plug()
    assert not house.end.isVisible()


def test_lessons_are_packed_for_somebody(house):
    """PK1: and what does not fit cannot be begun."""
    house.plug(house.stick(free=SIZE + 9))
    house.until(lambda: house.model.seen is not None)
    house.qtbot.mouseClick(house.block.pack, Qt.MouseButton.LeftButton)
    popover = house.window.findChild(PackPopover)
    house.until(lambda: len(popover.ticks) == 2)
    assert not popover.begin.isEnabled()
    assert "装不下" in house.texts()
    popover.ticks[0].click()
    assert popover.begin.isEnabled()
    assert "装得下" in house.texts()
    popover.site.setText(" 石门教学点 ")
    house.qtbot.mouseClick(popover.begin, Qt.MouseButton.LeftButton)
    house.until(lambda: house.finished == 1)
    assert "可以拔了" in house.texts()
    assert (house.model.end.stage, house.model.end.lessons) == (StickStage.PACKING, 1)
    house.plug()
    house.plug(house.stick())
    house.until(lambda: house.finished == 2)
    assert house.model.seen == StickSeen(lessons=1, fresh=0, sites=("石门教学点",))


def test_a_stick_that_goes_while_one_chooses_closes_the_choice(house):
    house.plug(house.stick())
    house.block.pack.click()
    popover = house.window.findChild(PackPopover)
    closed = []
    popover.closed.connect(lambda: closed.append(True))
    house.plug()
    assert closed
    house.model.pack([], "")
    house.model.take()
    assert house.model.phase is Phase.NONE


def test_a_stick_that_is_pulled_out_too_early_is_said_so(house, monkeypatch):
    """CM2: and it is found again."""
    house.plug(house.stick())
    house.until(lambda: house.model.seen is not None)
    failed: Future[StickEnd] = Future()
    monkeypatch.setattr(house.desk, "take", lambda *_: failed)
    house.model.take()
    assert house.model.phase is Phase.BUSY
    house.plug()
    house.plug(house.stick("OTHER"))
    assert house.model.phase is Phase.BUSY
    house.model.take()
    failed.set_exception(StorageError("stick_failed", {"detail": "gone"}))
    house.until(lambda: house.model.phase is Phase.FAILED)
    assert "重新插好" in visible_text(house.end)
    assert "重新插好" in visible_text(house.block)
    house.plug()
    assert "重新插好" in house.texts()
    assert not house.block.pack.isVisible()
    assert not house.block.take.isVisible()
    house.model.take()
    assert house.model.phase is Phase.FAILED
    house.plug(house.stick())
    assert house.model.phase is Phase.FOUND
    house.plug(house.stick("OTHER"))
    assert house.model.volume.name == "OTHER"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("scale", [100, 150])
def test_everything_is_said_in_words(qtbot, tmp_path, language, scale):
    """CV2 CM3: figures move in place."""
    house = House(qtbot, tmp_path, language=language, scale=scale)
    try:
        house.plug(house.stick())
        house.until(lambda: house.model.seen is not None)
        model, block = house.model, house.block
        model.seen = StickSeen(lessons=3, fresh=1, sites=("A", "B"))
        model.changed.emit()
        shown = [house.texts()]
        buttons = (block.pack, block.take)
        model.phase = Phase.BUSY
        for progress in (
            None,
            StickProgress(stage=StickStage.TAKING, done=1, whole=3, title="分一分"),
            StickProgress(stage=StickStage.PACKING, done=1 << 20, whole=9 << 20, title="分一分"),
            StickProgress(stage=StickStage.PACKING),
        ):
            model.progress = progress
            model.changed.emit()
            shown.append(house.texts())
            assert not any(button.isVisible() for button in buttons)
        model.phase = Phase.DONE
        left = tuple(NotTaken(name=f"{n}.mp4", why="stick_bad") for n in range(5))
        model.end = StickEnd(
            stage=StickStage.PACKING, lessons=2, left_events=4, receipts=3, not_taken=left
        )
        model.changed.emit()
        shown.append(house.texts())
        assert (block.pack, block.take) == buttons
        assert len(set(shown)) == len(shown)
        assert not any("courier." in text or "rejected." in text for text in shown)
        block.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        block.grab()
        model._tell(StickProgress(stage=StickStage.RESULTS))
        qtbot.wait(20)
        assert model.progress == StickProgress(stage=StickStage.PACKING)
    finally:
        house.close()


def test_a_room_without_lessons_says_so(qtbot, tmp_path):
    house = House(qtbot, tmp_path)
    try:
        for lesson in house.station.holdings.kept_lessons():
            house.station.holdings.drop(lesson.id)
        house.plug(house.stick())
        house.block.pack.click()
        popover = house.window.findChild(PackPopover)
        house.until(lambda: house.model.offers == ())
        assert not popover.begin.isEnabled()
        assert "本机还没有课" in house.texts()
    finally:
        house.close()


def test_a_system_that_cannot_tell_is_asked_again(house):
    def broken():
        raise StorageError("stick_failed")

    house.model._volumes = broken
    house.poll()
    assert house.model.phase is Phase.NONE
    house.model.start()
    assert house.model._timer.isActive()


def test_closing_ends_what_is_under_way(house):
    """SD1 SD2"""
    county = house.stick()
    house.desk.take(county.root, lambda _: None)
    house.desk.close()
    with pytest.raises(RuntimeError):
        house.desk.ask(lambda: 1)


@pytest.mark.parametrize(
    ("root", "kind", "is_it"),
    [
        ("/", "ext4", False),
        ("/home", "ext4", False),
        ("/boot/efi", "vfat", False),
        ("/media/teacher/KINGSTON", "vfat", True),
        ("/run/media/teacher/X", "exfat", True),
        ("/media/teacher/backup", "ext4", False),
    ],
)
def test_a_disk_of_the_system_is_no_stick(root, kind, is_it):
    """VO1"""
    assert is_stick(root, kind, is_windows=False) is is_it


def test_windows_is_asked_for_the_kind_of_drive(monkeypatch):
    """VO1"""
    assert not is_stick("E:/", "fat32", is_windows=True)
    monkeypatch.setattr(volumes, "_drive_type", lambda root: 2 if root == "E:/" else 3)
    assert is_stick("E:/", "fat32", is_windows=True)
    assert not is_stick("C:/", "ntfs", is_windows=True)


def test_this_machine_can_be_asked(monkeypatch):
    """VO1"""
    assert all(one.root.is_dir() for one in sticks())
    monkeypatch.setattr(volumes, "is_stick", lambda root, _kind: root == "/")
    assert [str(one.root) for one in sticks()] in ([], ["/"])
