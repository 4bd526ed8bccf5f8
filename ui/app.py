"""The main window: rail, top bar, and one page at a time.

Invariants:
  F1  A page is built when it is first opened, so that starting pays for one page only.
  F2  When look or language changes, everything is built anew and the same page is open again.
  F3  The search box works from every page: the first letter opens the library.
  F4  What threatens records is said above every page that shows them; what was put `above`, over
      every page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QIcon,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from ui.base.context import Say, UiContext
from ui.base.layout import row, rows
from ui.base.notice import Passing
from ui.base.paint import paint_mark
from ui.base.popover import Popover
from ui.view.keeping import KeepingBanner
from ui.view.rail import Rail, RailEntry
from ui.view.top_bar import TopBar
from ui.viewmodel.frame import FrameModel
from ui.viewmodel.keeping import KeepingModel

LEAST: Final = QSize(1024, 700)
START: Final = QSize(1600, 1000)
LIBRARY: Final = "library"

TODAY_ENTRY: Final = RailEntry(name="today", icon="sun")
LIBRARY_ENTRY: Final = RailEntry(name="library", icon="library")
TIMETABLE_ENTRY: Final = RailEntry(name="timetable", icon="calendar-days")
CLASSES_ENTRY: Final = RailEntry(name="classes", icon="school")
TRANSFER_ENTRY: Final = RailEntry(name="transfer", icon="arrow-up-down")
SETTINGS_ENTRY: Final = RailEntry(name="settings", icon="settings", is_at_foot=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A page. One without a place on the rail marks another's entry while it is open."""

    entry: RailEntry
    build: Callable[[UiContext], QWidget]
    has_records: bool = False
    """Whether the banner of what threatens records stands above it."""
    marks: str = ""
    """Name of the rail entry of another station; empty: its own."""


class Searchable(Protocol):
    """What the search box of the frame drives: the page of the station `library` has it."""

    def search(self, text: str) -> None:
        """Show what matches `text`."""
        ...

    def focus_results(self) -> None:
        """Let the keys go to the results."""
        ...


class MainWindow(QMainWindow):
    """See the module. Give it `open_station` before showing it."""

    closing = Signal()
    station_opened = Signal(str)
    fix_wanted = Signal(object)
    """A `Fix` of the banner."""

    def __init__(
        self,
        context: UiContext,
        model: FrameModel,
        keeping: KeepingModel,
        stations: Sequence[Station],
    ) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._keeping = keeping
        self._stations = {station.entry.name: station for station in stations}
        self._current = ""
        self._pages: dict[str, QWidget] = {}
        self._cover: QWidget | None = None
        self._build_cover: Callable[[UiContext], QWidget] | None = None
        self._build_above: Callable[[UiContext, QWidget], QWidget] | None = None
        self.setMinimumSize(LEAST)
        self.setProperty("page", "true")
        self.setWindowIcon(_window_icon(context))
        context.changed.connect(self._rebuild)
        context.said.connect(self._on_said)
        context.dispatcher.on_failure(context.say_error)
        model.changed.connect(self._retitle)
        self._build()
        self._shortcuts()
        self._retitle()

    # --- building ------------------------------------------------------------------------

    def _build(self) -> None:
        context = self._context
        root = QStackedWidget()
        frame = QWidget()
        frame.setProperty("page", "true")
        line = row(frame)
        entries = [one.entry for one in self._stations.values() if not one.marks]
        self._rail = Rail(context, entries)
        self._rail.chosen.connect(self.open_station)
        line.addWidget(self._rail)
        column = rows()
        self._bar = TopBar(context, self._model)
        self._bar.searched.connect(self._on_searched)
        self._bar.search_entered.connect(self._on_search_entered)
        self._bar.search_left.connect(self._on_search_left)
        self._bar.link_pressed.connect(lambda: self.open_station("transfer"))
        column.addWidget(self._bar)
        self._banner = KeepingBanner(context, self._keeping)
        self._banner.acted.connect(self.fix_wanted)
        column.addWidget(self._banner)
        self._above = rows()
        column.addLayout(self._above)
        if self._build_above is not None:
            self._above.addWidget(self._build_above(context, frame))
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        line.addLayout(column, 1)
        root.addWidget(frame)
        self.setCentralWidget(root)
        self._root = root
        self._passing = Passing(context, frame)
        self._frame = frame

    def _rebuild(self) -> None:
        """Build everything anew for another look or language (F2)."""
        current, self._current = self._current, ""
        self._pages = {}
        self._build()
        if self._build_cover is not None:
            self.cover(self._build_cover)
        if current:
            self.open_station(current)
        self._retitle()

    def _shortcuts(self) -> None:
        names = [name for name, station in self._stations.items() if not station.marks]
        for number, name in enumerate(names, 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.activated.connect(lambda one=name: self.open_station(one))
        QShortcut(QKeySequence("F11"), self, self.toggle_full_screen)

    def _retitle(self) -> None:
        words, room = self._context.words, self._model.room
        title = words("frame.title")
        if room is not None:
            title = words("frame.title_room", school=room.school, room=room.room).strip()
        self.setWindowTitle(title)

    def put_above(self, build: Callable[[UiContext, QWidget], QWidget]) -> None:
        """Let one thing stand above every page, built anew with them (F2)."""
        self._build_above = build
        self._above.addWidget(build(self._context, self._frame))

    # --- pages ---------------------------------------------------------------------------

    def open_station(self, name: str) -> None:
        """Show a page, building it if it was never shown (F1)."""
        station = self._stations[name]
        self._close_popovers()
        page = self._pages.get(name)
        if page is None:
            page = station.build(self._context)
            self._pages[name] = page
            self._stack.addWidget(page)
        self._rail.show_station(station.marks or name)
        self._banner.show_over(is_wanted=station.has_records)
        self._stack.setCurrentWidget(page)
        if name != self._current:
            self._current = name
            self.station_opened.emit(name)
        if name != LIBRARY:
            self._bar.clear_search()

    def stations(self) -> tuple[str, ...]:
        """Name all stations, in the order of the rail."""
        return tuple(self._stations)

    def page(self, name: str) -> QWidget | None:
        """Give the page of a station, None if it was never opened."""
        return self._pages.get(name)

    @property
    def station(self) -> str:
        """Name of the open station."""
        return self._current

    def cover(self, build: Callable[[UiContext], QWidget]) -> None:
        """Show one page instead of rail, bar and all (first run)."""
        self._drop_cover()
        self._build_cover = build
        self._cover = build(self._context)
        self._root.addWidget(self._cover)
        self._root.setCurrentWidget(self._cover)

    def uncover(self) -> None:
        """Go back to the pages."""
        self._build_cover = None
        self._drop_cover()
        self._root.setCurrentIndex(0)

    def _drop_cover(self) -> None:
        if self._cover is not None:
            self._passing.setParent(self._frame)
            self._root.removeWidget(self._cover)
            self._cover.deleteLater()
            self._cover = None

    # --- search --------------------------------------------------------------------------

    def _library(self) -> Searchable | None:
        return cast("Searchable | None", self._pages.get(LIBRARY))

    def _on_searched(self, text: str) -> None:
        if LIBRARY not in self._stations:
            return
        if self._current != LIBRARY and text:
            self.open_station(LIBRARY)
            self._bar.search.setFocus()
        page = self._library()
        if page is not None:
            page.search(text)

    def _on_search_entered(self) -> None:
        self._on_searched(self._bar.search.text())
        page = self._library()
        if page is not None and self._current == LIBRARY:
            page.focus_results()

    def _on_search_left(self) -> None:
        page = self._library()
        if page is not None and self._current == LIBRARY:
            page.search("")
        shown = self._stack.currentWidget()
        if shown is not None:
            shown.setFocus()
            self.focusNextChild()

    def _close_popovers(self) -> None:
        for popover in cast("list[Popover]", self.findChildren(Popover)):
            popover.close()

    # --- the window itself ---------------------------------------------------------------

    def _on_said(self, say: Say) -> None:
        self._passing.setParent(self._cover or self._frame)
        self._passing.show_say(say)

    def hide_notice(self) -> None:
        """Take the passing notice away."""
        self._passing.hide()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or stop doing so."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_fitting(self) -> None:
        """Show it as large as the screen lets it be, up to its usual size."""
        screen = QGuiApplication.primaryScreen()
        room = screen.availableGeometry().size() if screen is not None else START
        if room.width() <= START.width() or room.height() <= START.height():
            self.resize(room)
            self.showMaximized()
        else:
            self.resize(START)
            self.show()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep passing notice and popovers inside."""
        super().resizeEvent(event)
        if self._passing.isVisible():
            self._passing.place()
        self._close_popovers()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Tell that the program is about to end."""
        self.closing.emit()
        super().closeEvent(event)


def _window_icon(context: UiContext) -> QIcon:
    pixmap = QPixmap(64, 64)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_mark(painter, 64, context.theme.palette)
    painter.end()
    return QIcon(pixmap)
