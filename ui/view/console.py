"""The teacher's screen while the projector shows the stage.

Left what pupils see, its time line and transport; right the next step, all steps, the
headcount; below the five keys. 更多 opens upwards over transport and headcount, never over the
picture of the stage.
"""

from dataclasses import replace

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from client.domain.sitting_keys import Key
from client.service.sitting import SittingView
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.view.class_key import ClassKey, Look, console_skin
from ui.view.class_words import key_look, tool_look
from ui.view.console_header import Header
from ui.view.console_parts import Heads, NextCard, OtherGrade, Steps
from ui.view.panel_rows import TimeLine
from ui.view.screens import shown_name
from ui.view.slides import Pages
from ui.view.stage import Stage
from ui.viewmodel.class_lines import Line, five_keys, tools
from ui.viewmodel.classroom import ClassroomModel

VOLUME_STEP = 10
COMPACT_PX, LOW_PX = 1010, 660
"""Below this width or height (at 100 %) lesser words are left out."""


class Framed(QWidget):
    """The picture of the stage in projector proportions with a 3 px frame."""

    def __init__(self, context: UiContext, stage: Stage) -> None:
        super().__init__()
        self._context = context
        self._stage = stage
        stage.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(320, 180))

    def _box(self) -> QRect:
        width = min(self.width(), round(self.height() * 16 / 9))
        height = round(width * 9 / 16)
        return QRect((self.width() - width) // 2, 0, width, height)

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep 16:9; room that is left goes below, not between picture and time line."""
        self.setMaximumHeight(max(180, round(self.width() * 9 / 16)))
        self._stage.setGeometry(self._box().adjusted(3, 3, -3, -3))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the frame."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self._context.theme.hex("accent")), 3))
        painter.drawRect(self._box().adjusted(1, 1, -2, -2))
        painter.end()


class Console(QWidget):
    """See the module."""

    pressed = Signal(object, float, object)
    """`Key`, its number, and the track meant (None: the one on the stage)."""
    end_held = Signal()
    swap_asked = Signal()
    mirror_asked = Signal()

    def __init__(self, context: UiContext, model: ClassroomModel, pages: Pages) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._skin = console_skin(context.theme)
        self._notice: Line | None = None
        self._is_more = False
        self._is_stage_here = True
        self.setProperty("page", "true")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        theme = context.theme
        box = rows(self, gap=0)
        self.header = Header(context)
        self.header.pressed.connect(self._emit)
        box.addWidget(self.header)
        body = row(gap=theme.gap(24))
        body.setContentsMargins(theme.gap(24), theme.gap(12), theme.gap(24), theme.gap(12))
        body.addLayout(self._left(pages), 100)
        body.addLayout(self._right(), 57)
        box.addLayout(body, 1)
        box.addLayout(self._foot())
        self._make_sheet()
        model.changed.connect(self.refresh)
        self.refresh()

    # --- building -----------------------------------------------------------------------

    def _left(self, pages: Pages) -> QVBoxLayout:
        context, theme = self._context, self._context.theme
        box = rows(gap=theme.gap(8))
        head = row(gap=theme.gap(10))
        head.addWidget(label(context.words("classroom.pupils"), Type.BODY, is_bold=True))
        self._screen = ElidedLabel(theme, "", Type.CAPTION, tone="muted")
        head.addWidget(self._screen, 1)
        self.swap = Button(
            context,
            Face(
                icon="arrow-left-right",
                text=context.words("classroom.swap"),
                key=context.words("cap.f6"),
                kind="secondary",
                tone="accent_text",
            ),
        )
        self.swap.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.swap.clicked.connect(self.swap_asked)
        head.addWidget(self.swap)
        box.addLayout(head)
        self.thumbnail = Stage(context, self._model, pages, is_thumbnail=True)
        box.addWidget(Framed(context, self.thumbnail), 1000)
        self.time_line = TimeLine(self._skin, context)
        self.time_line.setFixedHeight(theme.size(36))
        self.time_line.set_unit(0.72 * theme.scale / 100)
        self.time_line.sought.connect(lambda to_s: self._emit(Key.SEEK_TO, to_s))
        box.addWidget(self.time_line)
        box.addLayout(self._transport())
        self.other = OtherGrade(context)
        self.other.pressed.connect(self.pressed)
        box.addWidget(self.other)
        box.addStretch(1)
        return box

    def _button(self, face: Face, key: Key) -> Button:
        made = Button(self._context, face)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(lambda: self._emit(key, 0.0))
        return made

    def _transport(self) -> QHBoxLayout:
        context, words = self._context, self._context.words
        line = row(gap=context.theme.gap(8))
        self.back5 = self._button(
            Face(icon="rewind", text=words("classroom.back5"), key=words("cap.left"), height=48),
            Key.SEEK_BACK,
        )
        self.on5 = self._button(
            Face(
                icon="fast-forward", text=words("classroom.on5"), key=words("cap.right"), height=48
            ),
            Key.SEEK_ON,
        )
        line.addWidget(self.back5)
        line.addWidget(self.on5)
        self._page = label("", Type.BODY, tone="muted")
        line.addWidget(self._page)
        line.addStretch(1)
        self.quieter = Button(context, Face(icon="minus", height=48, gap=12))
        self.louder = Button(context, Face(icon="plus", height=48, gap=12))
        for button, by, name in (
            (self.quieter, -VOLUME_STEP, "classroom.quieter"),
            (self.louder, VOLUME_STEP, "classroom.louder"),
        ):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAccessibleName(words(name))
            button.clicked.connect(lambda _=False, n=by: self._louder(n))
        self._loudness = label("", Type.BODY, is_bold=True)
        self._loudness.setMinimumWidth(context.theme.size(36))
        self._loudness.setAlignment(Qt.AlignmentFlag.AlignCenter)
        loud = QLabel()
        icon = context.icons.pixmap("volume-2", context.theme.hex("muted"), context.theme.size(20))
        loud.setPixmap(icon)
        line.addWidget(loud)
        line.addWidget(self.quieter)
        line.addWidget(self._loudness)
        line.addWidget(self.louder)
        return line

    def _right(self) -> QVBoxLayout:
        context = self._context
        box = rows(gap=context.theme.gap(12))
        self.next_card = NextCard(context)
        self.next_card.action.clicked.connect(self.mirror_asked)
        self.steps = Steps(context)
        self.steps.pressed.connect(self._emit)
        self.heads = Heads(context)
        self.heads.pressed.connect(self._emit)
        box.addWidget(self.next_card)
        box.addWidget(self.steps, 1)
        box.addWidget(self.heads)
        return box

    def _foot(self) -> QHBoxLayout:
        context, theme = self._context, self._context.theme
        line = row(gap=theme.gap(12))
        line.setContentsMargins(theme.gap(24), 0, theme.gap(24), theme.gap(16))
        self.keys: dict[Key, ClassKey] = {}
        for face in five_keys(self._model.view):
            made = self._class_key(key_look(context, face), is_stacked=False)
            if face.key is Key.END:
                made.held.connect(self.end_held)
            else:
                made.clicked.connect(lambda _=False, k=face.key: self._emit(k, 0.0))
            self.keys[face.key] = made
            line.addWidget(made, 10)
        bar = QFrame()
        bar.setProperty("divider", "v")
        line.addWidget(bar)
        self.more = self._class_key(Look(icon="ellipsis"), is_stacked=False)
        self.more.clicked.connect(self.toggle_more)
        line.addWidget(self.more, 7)
        return line

    def _class_key(self, look: Look, *, is_stacked: bool) -> ClassKey:
        theme = self._context.theme
        made = ClassKey(self._context, self._skin, look, is_stacked=is_stacked)
        made.setFixedHeight(theme.size(84 if is_stacked else 88))
        icon = 26 if is_stacked else 30
        made.set_sizes(
            icon=theme.size(icon),
            word=theme.text_px(Type.BODY if is_stacked else Type.TITLE),
            cap=theme.text_px(Type.CAPTION),
        )
        return made

    def _make_sheet(self) -> None:
        theme = self._context.theme
        self._sheet = QFrame(self)
        self._sheet.setProperty("card", "next")
        box = rows(self._sheet, gap=theme.gap(10))
        box.setContentsMargins(theme.gap(16), theme.gap(12), theme.gap(16), theme.gap(16))
        head = row(gap=theme.gap(10))
        words = self._context.words
        head.addWidget(label(words("classroom.more"), Type.TITLE, is_bold=True))
        head.addWidget(label(words("classroom.more.how"), Type.CAPTION, tone="muted"), 1)
        box.addLayout(head)
        self._tool_line = row(gap=theme.gap(12))
        self._tool_line.addStretch(0)
        box.addLayout(self._tool_line)
        self.tool_keys: list[ClassKey] = []
        self._sheet.hide()

    # --- acting -------------------------------------------------------------------------

    def _emit(self, key: Key, n: float) -> None:
        self.pressed.emit(key, n, None)

    def _louder(self, by: int) -> None:
        self._model.sitting.set_volume(self._model.view.volume + by)
        self._model.refresh()

    def toggle_more(self) -> None:
        """Open or fold 更多."""
        self._is_more = not self._is_more
        self.refresh()

    def fold_more(self) -> None:
        """Fold 更多 if it is open."""
        self._is_more = False
        self.refresh()

    @property
    def is_more(self) -> bool:
        """Tell whether 更多 is open."""
        return self._is_more

    def tell(self, notice: Line | None) -> None:
        """Show a notice of the window's on the next-step card; None takes it away."""
        self._notice = notice
        self.refresh()

    def stage_is_here(self, *, is_here: bool) -> None:
        """Say whether the projector is there; without it, offer this screen."""
        self._is_stage_here = is_here
        self.refresh()

    # --- content ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is true now."""
        view, context = self._model.view, self._context
        for face in five_keys(view):
            self.keys[face.key].set_look(key_look(context, face))
        self.more.set_look(
            Look(
                icon="chevron-down" if self._is_more else "ellipsis",
                word=context.words("classroom.fold" if self._is_more else "classroom.more"),
                is_on=self._is_more,
            )
        )
        self.header.refresh(view)
        self.next_card.refresh(view, self._notice)
        self._offer_this_screen()
        self.steps.refresh(view)
        self.heads.refresh(view)
        self.other.refresh(view)
        self.time_line.refresh(view)
        self._refresh_transport(view)
        self._refresh_screen()
        self._sync_tools(view)

    def _offer_this_screen(self) -> None:
        action = self.next_card.action
        action.setVisible(not self._is_stage_here)
        if not self._is_stage_here:
            words = self._context.words
            action.set_face(Face(text=words("classroom.use_this"), kind="outline", height=48))

    def _refresh_transport(self, view: SittingView) -> None:
        track = view.track
        self._loudness.setText(str(view.volume))
        for button in (self.back5, self.on5):
            button.setVisible(track.has_video)
        self.time_line.setVisible(track.has_video)
        text = ""
        if track.showing.value in {"pages", "beside"} and track.document < len(track.pages):
            total = track.pages[track.document]
            text = self._context.words("classroom.page_of", n=track.page + 1, total=total or "?")
        self._page.setText(text)

    def _refresh_screen(self) -> None:
        window = self.window()
        screens = getattr(window, "screens", None)
        screen = screens.projector if screens is not None else None
        self.swap.setVisible(screen is not None)
        if screen is None:
            self._screen.set_text("")
            return
        size = screen.size() * screen.devicePixelRatio()
        text = self._context.words(
            "classroom.screen", name=shown_name(screen), width=size.width(), height=size.height()
        )
        self._screen.set_text(text.removeprefix(" · "))

    def _sync_tools(self, view: SittingView) -> None:
        wanted = tools(view) if self._is_more else ()
        while len(self.tool_keys) > len(wanted):
            gone = self.tool_keys.pop()
            gone.hide()
            gone.deleteLater()
        while len(self.tool_keys) < len(wanted):
            made = self._class_key(Look(role="tool"), is_stacked=True)
            made.clicked.connect(self._on_tool)
            made.setMaximumWidth(self._context.theme.size(160))
            self._tool_line.insertWidget(len(self.tool_keys), made, 1)
            self.tool_keys.append(made)
        for key, tool in zip(self.tool_keys, wanted, strict=True):
            key.set_look(tool_look(self._context, tool))
            key.setProperty("tool", tool)
        self._sheet.setVisible(self._is_more)
        if self._is_more:
            self._place_sheet()

    def _on_tool(self) -> None:
        tool = self.sender().property("tool")
        self.fold_more()
        self._emit(tool.key, tool.n)

    def _place_sheet(self) -> None:
        theme = self._context.theme
        side = theme.gap(24)
        high = self._sheet.sizeHint().height()
        bottom = self.keys[Key.PLAY].y() - theme.gap(12)
        self._sheet.setGeometry(side, bottom - high, self.width() - 2 * side, high)
        self._sheet.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out the lesser words where the place is small; keep the sheet above the keys."""
        super().resizeEvent(event)
        size = self._context.theme.size
        is_compact = self.width() < size(COMPACT_PX) or self.height() < size(LOW_PX)
        for part in (self.header, self.next_card, self.heads, self.other):
            part.set_compact(is_compact=is_compact)
        for key in (*self.keys.values(), self.more):
            key.set_stacked(is_stacked=is_compact)
        for button, cap in ((self.back5, "cap.left"), (self.on5, "cap.right")):
            shown = "" if is_compact else self._context.words(cap)
            button.set_face(replace(button.face, key=shown))
        self.header.refresh(self._model.view)
        if self._is_more:
            self._place_sheet()
