"""Walks all pages and states in real windows and keeps a picture of each: `--screenshots DIR`.

Two programs are walked: one on a fresh profile (first run, empty pages) and one on the demo
school (full pages, panels, notices, an interrupted class). Every picture is made in several
looks and sizes, and `index.html` shows them side by side for people to look at.

Invariants:
  SS1  Pictures come from the living program; no page is built for the camera.
"""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar, cast

from PySide6.QtCore import QEventLoop, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from client.domain.errors import StorageFullError
from client.service.api import SyncStatus
from client.service.keeping import KeepingFacts, keeping
from ui.app import MainWindow
from ui.base.button import Button
from ui.base.context import UiContext
from ui.base.popover import Popover
from ui.view.classes import ClassesView
from ui.view.classes_parts import SittingLine
from ui.view.first_run import STEPS, FirstRunView
from ui.view.timetable import TimetableView
from ui.view.today import TodayView
from ui.view.today_pair import PairCard
from ui.viewmodel.frame import FrameModel
from ui.viewmodel.keeping import KeepingModel

W = TypeVar("W", bound=QWidget)
SETTLE_MS: Final = 350
PATIENCE_MS: Final = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at all pages. `sizes` are windows in pixels."""

    name: str
    language: str = "zh_CN"
    theme: str = "light"
    scale: int = 100
    sizes: tuple[tuple[int, int], ...] = ((1024, 768), (1920, 1080))


LOOKS: Final = (
    Look(name="light"),
    Look(name="dark", theme="dark", sizes=((1280, 800),)),
    Look(name="large", scale=150, sizes=((1024, 768), (1600, 1000))),
    Look(name="large-dark", theme="dark", scale=125, sizes=((1366, 768),)),
    Look(name="english", language="en", sizes=((1024, 768), (1600, 1000))),
)


class Walkable(Protocol):
    """What is walked; `ui.program.Program` is one."""

    context: UiContext
    frame: FrameModel
    window: MainWindow
    keeping: KeepingModel

    def show(self) -> None:
        """Show the first page."""
        ...


class Walk:
    """Takes the pictures. GUI thread; runs its own event loops."""

    def __init__(self, program: Walkable, folder: Path, looks: tuple[Look, ...] = LOOKS) -> None:
        self._program = program
        self._folder = folder
        self._looks = looks
        self.taken: list[Path] = []

    def run(self, prefix: str) -> list[Path]:
        """Walk everything there is to see, and give the pictures."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._program.show()
        for look in self._looks:
            self._program.context.change(language=look.language, theme=look.theme, scale=look.scale)
            for width, height in look.sizes:
                self._program.window.showNormal()
                self._program.window.resize(QSize(width, height))
                self._rest(SETTLE_MS)
                stem = f"{prefix}-{look.name}-{width}x{height}"
                for name in self._states():
                    self._keep(f"{stem}-{name}")
        return self.taken

    # --- what there is to see ------------------------------------------------------------

    def _states(self) -> Iterator[str]:
        """Bring up one state after the other; each is photographed when it is yielded."""
        first = self._visible(FirstRunView)
        if first is not None:
            yield from self._first_run()
            return
        for name in self._program.window.stations():
            self._program.window.open_station(name)
            self._rest(SETTLE_MS * (3 if name == "doctor" else 1))
            yield name
        yield from self._today()
        yield from self._timetable()
        yield from self._classes()

    def _first_run(self) -> Iterator[str]:
        for number, step in enumerate(STEPS):
            view = self._visible(FirstRunView)
            if view is None:
                return
            self._rest(SETTLE_MS)
            yield f"first-run-{number + 1}-{step}"
            if number + 1 < len(STEPS):
                view.go_on()
        while (view := self._visible(FirstRunView)) is not None and view.at:
            view.go_back()

    def _today(self) -> Iterator[str]:
        window, context = self._program.window, self._program.context
        window.open_station("today")
        view = self._visible(TodayView)
        if view is None:
            return
        status = SyncStatus(is_online=False, last_contact_ms=self._hour_ago_ms())
        self._program.frame.set_status(status)
        self._program.frame.set_time_sure(is_sure=False)
        self._rest(SETTLE_MS)
        yield "today-offline"
        self._program.frame.set_time_sure(is_sure=True)
        self._program.keeping.show(keeping(KeepingFacts(forgets=True, is_low=True)))
        self._rest(SETTLE_MS)
        yield "today-forgets"
        self._program.keeping.show(())
        pair = self._visible(PairCard)
        if pair is not None and pair.main is not None and not pair.is_choosing():
            pair.main.click()
            self._rest(SETTLE_MS)
            yield "today-who-first"
        for name, icon in (("swap", "arrow-left-right"), ("print", "printer")):
            button = self._button(view, icon)
            if button is not None:
                button.click()
                self._until(lambda: self._visible(Popover) is not None)
                self._rest(SETTLE_MS)
                yield f"today-{name}"
                self._close_popovers()
        context.say_error(StorageFullError("disk_full", {"need_mb": 320}))
        self._rest(SETTLE_MS)
        yield "today-error"
        window.hide_notice()

    def _timetable(self) -> Iterator[str]:
        window = self._program.window
        if "timetable" not in window.stations():
            return
        window.open_station("timetable")
        self._rest(SETTLE_MS)
        view = self._visible(TimetableView)
        key = view.grid.cursor_key if view is not None else None
        if view is None or key is None:
            return
        view.open_slot(key)
        self._rest(SETTLE_MS)
        yield "timetable-editor"
        self._close_popovers()
        words = self._program.context.words
        days = "\t".join(words(f"frame.day{day}") for day in range(1, 6))
        subjects = [subject.name for subject in self._program.context.subjects.all[:5]]
        name = view.class_name(key)
        line = "\t".join(subjects)
        clipboard = QGuiApplication.clipboard()
        clipboard.setText(f"{name}\t{days}\n1\t{line}\n2\t{line}")
        view.paste()
        self._rest(SETTLE_MS)
        yield "timetable-paste"
        view.drop_paste()

    def _classes(self) -> Iterator[str]:
        window = self._program.window
        if "classes" not in window.stations():
            return
        window.open_station("classes")
        self._rest(SETTLE_MS)
        view = self._visible(ClassesView)
        lines = [] if view is None else cast("list[SittingLine]", view.findChildren(SittingLine))
        if view is None or not lines:
            return
        for line in lines[:3]:
            line.button.click()
        self._rest(SETTLE_MS)
        view.show_widget(lines[min(2, len(lines) - 1)])
        yield "classes-open"
        view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._rest(SETTLE_MS)
        yield "classes-rtl"
        view.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        view.verticalScrollBar().setValue(0)
        for line in lines[:3]:
            line.button.click()

    # --- camera --------------------------------------------------------------------------

    def _keep(self, name: str) -> None:
        path = self._folder / f"{name}.png"
        self._program.window.grab().save(str(path))
        self.taken.append(path)

    def _visible(self, kind: type[W]) -> W | None:
        found = cast("list[W]", self._program.window.findChildren(kind))
        return next((one for one in found if one.isVisible()), None)

    def _button(self, inside: QWidget, icon: str) -> Button | None:
        buttons = cast("list[Button]", inside.findChildren(Button))
        fitting = [one for one in buttons if one.isVisible() and one.face.icon == icon]
        return fitting[min(1, len(fitting) - 1)] if fitting else None

    def _close_popovers(self) -> None:
        for one in cast("list[Popover]", self._program.window.findChildren(Popover)):
            one.close()

    def _hour_ago_ms(self) -> int:
        return int(self._program.context.now().timestamp() * 1000) - 3_600_000

    def _rest(self, milliseconds: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def _until(self, condition: Callable[[], bool]) -> None:
        for _ in range(PATIENCE_MS // 50):
            if condition():
                return
            self._rest(50)


def write_index(folder: Path, pictures: list[Path]) -> Path:
    """Write a page that shows all pictures, small, each leading to itself."""
    cells = "\n".join(
        f'<a href="{html.escape(path.name)}"><figure><img loading="lazy" '
        f'src="{html.escape(path.name)}"><figcaption>{html.escape(path.stem)}'
        "</figcaption></figure></a>"
        for path in pictures
    )
    style = (
        "body{font:14px sans-serif;background:#eee}img{width:100%}"
        "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(420px,1fr));gap:12px}"
        "figure{margin:0;background:#fff;padding:8px}a{color:inherit}"
    )
    page = (
        f'<!doctype html><meta charset="utf-8"><title>Tongke</title><style>{style}</style>'
        f"<main>{cells}</main>"
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
