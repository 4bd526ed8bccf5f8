"""The class on screen: one mirrored display, or console and projector; then the end page.

    one screen   stage fills it, the panel comes with a key
    two screens  console here, stage on the projector

Invariants:
  CW1  Every key works in every layout, whether 更多 is open or not; nothing takes the focus
       from the class, and nothing is modal.
  CW2  When the projector goes, the stage window is hidden at once, the class pauses, one line
       says where it stopped; when it is back the stage is there again, paused on that picture.
  CW3  On a mirrored screen the right answer is shown only after 学生能看到，仍要打开?
  CW4  `on_done` is called once, after the record of the class is durable or failed.
"""

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QMouseEvent, QResizeEvent, QScreen
from PySide6.QtWidgets import QStackedLayout, QWidget

from client.domain.record.bodies import Ended
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key
from ui.base.context import UiContext
from ui.view.class_key import ClassKey
from ui.view.clock_text import media_time
from ui.view.console import Console
from ui.view.end_page import EndPage
from ui.view.panel import Panel
from ui.view.screens import Screens
from ui.view.slides import Pages
from ui.view.stage import Stage
from ui.viewmodel.class_lines import Line, Tone
from ui.viewmodel.classroom import ClassroomModel, OpenSitting
from ui.viewmodel.classroom_keys import QUIET, REPEATING, press_of

NOTICE_MS = 8000
LET_GO_MS = 80
"""Some keyboards repeat a held key as release and press; a shorter gap is still one hold."""
YES_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_D})
"""Keys that answer 学生能看到，仍要打开? with yes."""


class Layout(Enum):
    """How the class is laid out over the screens."""

    MIRRORED = "mirrored"
    CONSOLE = "console"
    END = "end"


class StageWindow(QWidget):
    """The projector's window: a stage and nothing else. Keys pressed on it reach the class."""

    def __init__(self, stage: Stage, keys: QObject) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setCursor(Qt.CursorShape.BlankCursor)
        layout = QStackedLayout(self)
        layout.addWidget(stage)
        self.installEventFilter(keys)

    def place(self, screen: QScreen) -> None:
        """Cover `screen` whole."""
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.showFullScreen()


class ClassroomWindow(QWidget):
    """A class from the first picture to 好了.

    Args:
        context: Words, look, clock.
        open_sitting: Opens the sitting with the sinks it is given.
        screens: Who sees which screen; by default what is plugged in.
        on_done: Called with how the class ended, None when the window was closed before.
        is_windowed: Keeps a normal window instead of the full screen (tests, `play`).
    """

    def __init__(
        self,
        context: UiContext,
        open_sitting: OpenSitting,
        on_done: Callable[[Ended | None], None],
        *,
        screens: Screens | None = None,
        is_windowed: bool = False,
    ) -> None:
        super().__init__(None)
        self.setWindowTitle(context.words("classroom.title"))
        self.setProperty("page", "true")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # The console leaves words out where it is small: the window must be let be small.
        self.setMinimumSize(640, 480)
        self._context = context
        self._on_done = on_done
        self._is_windowed = is_windowed
        self._is_done = False
        self._was_asked = False
        self.screens = screens or Screens(parent=self)
        self.model = ClassroomModel(open_sitting, self)
        self.pages = Pages(context.dispatcher, self)
        self._make_views()
        self._let_go = QTimer(self)
        self._let_go.setSingleShot(True)
        self._let_go.setInterval(LET_GO_MS)
        self._let_go.timeout.connect(lambda: self._end_key().hold_end())
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.timeout.connect(lambda: self._tell(None))
        self.model.ended.connect(self._on_ended)
        self.model.changed.connect(self._learn_pages)
        self.pages.ready.connect(self._learn_pages)
        self.screens.lost.connect(self._on_lost)
        self.screens.found.connect(self._on_found)
        self._learn_pages()
        two = self.screens.projector is not None
        self.layout_now = Layout.CONSOLE if two else Layout.MIRRORED
        self._stack.setCurrentWidget(self.console if two else self.mirror)

    def _make_views(self) -> None:
        context, model, pages = self._context, self.model, self.pages
        self._stack = QStackedLayout(self)
        self.mirror = QWidget()
        self.stage = Stage(context, model, pages, parent=self.mirror)
        self.panel = Panel(context, model, self.mirror)
        self.panel.pressed.connect(self._on_panel)
        self.panel.end_held.connect(lambda: self.press(Key.END))
        self.panel.confirmed.connect(self._on_confirmed)
        self.projected = Stage(context, model, pages)
        self.stage_window = StageWindow(self.projected, self)
        self.console = Console(context, model, pages)
        self.console.pressed.connect(self.press)
        self.console.end_held.connect(lambda: self.press(Key.END))
        self.console.swap_asked.connect(self.swap)
        self.console.mirror_asked.connect(self.go_mirrored)
        self.end_page: EndPage | None = None
        self._stack.addWidget(self.mirror)
        self._stack.addWidget(self.console)

    # --- showing ------------------------------------------------------------------------

    def open(self) -> None:
        """Show the class where it belongs."""
        if self.layout_now is Layout.CONSOLE and self.screens.projector is not None:
            self.stage_window.place(self.screens.projector)
            self._show_on(self.screens.teacher, is_full=False)
        else:
            self._show_on(self.screens.teacher, is_full=True)
            self.panel.poke()
        self.activateWindow()
        self.setFocus()

    def _show_on(self, screen: QScreen, *, is_full: bool) -> None:
        if self._is_windowed:
            self.show()
            return
        self.setScreen(screen)
        self.setGeometry(screen.availableGeometry())
        if is_full:
            self.showFullScreen()
        else:
            self.showMaximized()

    def swap(self) -> None:
        """F6: teacher and projector change places; with one screen, split or stay."""
        if self.screens.projector is None:
            return
        if self.layout_now is Layout.MIRRORED:
            self.go_console()
            return
        self.screens.swap()
        self.stage_window.place(self.screens.projector)
        self._show_on(self.screens.teacher, is_full=False)
        self.activateWindow()
        self.console.refresh()

    def go_console(self) -> None:
        """Console here, stage on the projector."""
        self.layout_now = Layout.CONSOLE
        self.panel.rest()
        self._tell(None)
        self._stack.setCurrentWidget(self.console)
        self.open()

    def go_mirrored(self) -> None:
        """Stage on this screen, the panel with keys."""
        self.layout_now = Layout.MIRRORED
        self.stage_window.hide()
        self._tell(None)
        self._stack.setCurrentWidget(self.mirror)
        self._show_on(self.screens.teacher, is_full=True)
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Let the stage fill the window and the panel its lower third."""
        super().resizeEvent(event)
        self.stage.setGeometry(QRect(0, 0, self.width(), self.height()))
        self.panel.place_in(self.width(), self.height())

    # --- keys ---------------------------------------------------------------------------

    def press(self, key: Key, n: float = 0.0, track: int | None = None) -> None:
        """Answer a key wherever it came from."""
        if key is Key.ANSWER and self._must_ask():
            self.panel.ask_to_open()
            return
        self.model.press(key, n, track)
        if self.layout_now is not Layout.MIRRORED:
            return
        if key in QUIET:
            if key is Key.BLACK:
                self.panel.rest()
        elif self.model.view.state.phase is not Phase.ENDED:
            self.panel.poke()

    def _on_panel(self, key: Key, n: float) -> None:
        self.press(key, n)

    def _must_ask(self) -> bool:
        """CW3: once per lesson, where pupils see the screen, before an answer is shown."""
        question = self.model.view.state.question
        is_hidden = question is not None and not question.is_revealed
        return is_hidden and self.layout_now is Layout.MIRRORED and not self._was_asked

    def _on_confirmed(self, is_yes: bool) -> None:  # noqa: FBT001 - what the signal carries
        self.panel.stop_asking()
        if is_yes:
            self._was_asked = True
            self.press(Key.ANSWER)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Answer the classroom's keys."""
        if not self._answer(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of Esc."""
        if event.key() == Qt.Key.Key_Escape and not event.isAutoRepeat():
            self._let_go.start()
            return
        super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Take Tab before Qt moves the focus with it."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            tabs = {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}
            if event.key() in tabs and self.layout_now is not Layout.END:
                return self._answer(event)
        return super().event(event)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take the keys of the projector's window (clickers plugged in there)."""
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                return self._answer(event)
            if event.type() == QEvent.Type.KeyRelease:
                self.keyReleaseEvent(event)
                return True
        return event.type() == QEvent.Type.Close

    def _answer(self, event: QKeyEvent) -> bool:
        if self.layout_now is Layout.END:
            return False
        key = event.key()
        if key == Qt.Key.Key_Escape:
            if self._let_go.isActive():
                self._let_go.stop()
            elif not event.isAutoRepeat():
                self._on_escape()
        elif key == Qt.Key.Key_F6:
            self.swap()
        elif self._is_asking() and key in YES_KEYS:
            self._on_confirmed(is_yes=True)
        else:
            self._answer_class_key(event)
        return True

    def _answer_class_key(self, event: QKeyEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        pressed = press_of(event.key(), is_shifted=is_shifted)
        if pressed is None:
            self._poke()
        elif not event.isAutoRepeat() or pressed.key in REPEATING:
            self.press(pressed.key, pressed.n)

    def _is_asking(self) -> bool:
        return self.layout_now is Layout.MIRRORED and self.panel.asks

    def _on_escape(self) -> None:
        """Fold what is open; else begin to hold 结束."""
        self._poke()
        if self._is_asking():
            self.panel.stop_asking()
            return
        sheet = self.panel if self.layout_now is Layout.MIRRORED else self.console
        if sheet.is_more:
            sheet.fold_more()
            return
        self._end_key().hold_begin()

    def _end_key(self) -> ClassKey:
        sheet = self.panel if self.layout_now is Layout.MIRRORED else self.console
        return sheet.keys[Key.END]

    def _poke(self) -> None:
        if self.layout_now is Layout.MIRRORED:
            self.panel.poke()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Show the panel on a click; a move shows nothing."""
        self._poke()
        event.accept()

    # --- screens ------------------------------------------------------------------------

    def _on_lost(self) -> None:
        """Hide the stage window and pause: the projector went (CW2)."""
        self.stage_window.hide()
        if self.layout_now is not Layout.CONSOLE:
            return
        at_s = self.model.sitting.stage_lost()
        self.model.refresh()
        values = (("at", media_time(at_s)),)
        self._tell(
            Line(icon="unplug", text="classroom.stage_lost", values=values, tone=Tone.NOTICE),
            stays=True,
        )
        self.console.stage_is_here(is_here=False)

    def _on_found(self, screen: QScreen) -> None:
        """Show the same picture, paused, on the projector (CW2); mirrored, say one line."""
        if self.layout_now is Layout.CONSOLE:
            self.stage_window.place(screen)
            self.activateWindow()
            values = (("at", media_time(self.model.view.track.position_s)),)
            self._tell(
                Line(icon="monitor", text="classroom.stage_back", values=values, tone=Tone.NOTICE)
            )
            self.console.stage_is_here(is_here=True)
        elif self.layout_now is Layout.MIRRORED:
            self._tell(Line(icon="monitor", text="classroom.projector_here", tone=Tone.NOTICE))
            self.panel.poke()

    def _tell(self, line: Line | None, *, stays: bool = False) -> None:
        self.panel.tell(line)
        self.console.tell(line)
        self._notice_timer.stop()
        if line is not None and not stays:
            self._notice_timer.start(NOTICE_MS)

    # --- documents ----------------------------------------------------------------------

    def _learn_pages(self) -> None:
        """Tell the sitting how long its documents are, as soon as they were opened."""
        view = self.model.view
        index = view.state.on_stage
        for number, part in enumerate(view.plan.tracks[index].documents):
            length = self.pages.length(part.path) if part.path is not None else 0
            if length is not None and view.state.tracks[index].pages[number] != length:
                self.model.sitting.pages_known(index, number, length)
                self.model.refresh()

    # --- the end ------------------------------------------------------------------------

    def _on_ended(self) -> None:
        self.panel.rest()
        is_mirrored = self.layout_now is Layout.MIRRORED
        self.layout_now = Layout.END
        self.end_page = EndPage(self._context, self.model, is_mirrored=is_mirrored)
        self.end_page.finished.connect(self._on_finished)
        self._stack.addWidget(self.end_page)
        self._stack.setCurrentWidget(self.end_page)
        self.end_page.setFocus()

    def _on_finished(self, how: Ended) -> None:
        futures = list(self.model.sitting.finish(how))
        waiting = len(futures)

        def one_done(_result: object) -> None:
            nonlocal waiting
            waiting -= 1
            if waiting <= 0:
                self._leave(how)

        for future in futures:
            self._context.dispatcher.watch(future, done=one_done, failed=one_done)

    def _leave(self, how: Ended | None) -> None:
        if self._is_done:
            return
        self._is_done = True
        self.stage_window.removeEventFilter(self)
        self.stage_window.close()
        self.model.close()
        self.pages.close()
        self._on_done(how)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Keep everything when the window is closed in mid-class: it can be gone on with."""
        self._leave(None)
        super().closeEvent(event)
