"""Notices: a shape, a bold line, a next step, and at most two buttons. Never modal."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from client.domain.availability import Light
from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import clear, row, rows
from ui.base.light import paint_light
from ui.base.text import label
from ui.base.theme import Type

_TONE_OF_TEXT: Final = {"amber": "amber", "red": "red", "good": "accent", "info": "info"}
_LIGHTS: Final = {
    "good": Light.READY,
    "amber": Light.PARTIAL,
    "red": Light.NOT_READY,
    "info": Light.WITHOUT_VIDEO,
}


class _Shape(QWidget):
    def __init__(self, context: UiContext, tone: str) -> None:
        super().__init__()
        self._context = context
        self._tone = tone
        self.setFixedSize(QSize(context.theme.size(22), context.theme.size(22)))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        if self._tone == "info":
            pixmap = self._context.icons.pixmap(
                "info", self._context.theme.hex("info"), self.width()
            )
            painter.drawPixmap(0, 0, pixmap)
        else:
            box = QRectF(self.rect())
            paint_light(painter, box, _LIGHTS[self._tone], self._context.theme.palette)
        painter.end()


class Notice(QFrame):
    """A notice inside a page. `tone` is info, good, amber or red."""

    acted = Signal()
    """The button was pressed."""

    def __init__(
        self,
        context: UiContext,
        text: str,
        *,
        hint: str = "",
        tone: str = "info",
        action: str = "",
    ) -> None:
        super().__init__()
        theme = context.theme
        self.setProperty("notice", tone)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(text)
        line = row(self, gap=theme.gap(12))
        line.setContentsMargins(theme.gap(16), theme.gap(12), theme.gap(16), theme.gap(12))
        line.addWidget(_Shape(context, tone), 0, Qt.AlignmentFlag.AlignTop)
        texts = rows(gap=2)
        texts.addWidget(label(text, Type.BODY, is_bold=True, is_wrapped=True))
        if hint:
            texts.addWidget(label(hint, Type.CAPTION, is_wrapped=True))
        line.addLayout(texts, 1)
        self.button: Button | None = None
        if action:
            self.button = Button(context, Face(text=action, kind="outline"))
            self.button.clicked.connect(self.acted)
            line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)


class Passing(QFrame):
    """The frame's one passing notice; it leaves by itself and never takes the focus."""

    STAYS_MS: Final = 6000

    def __init__(self, context: UiContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._parent = parent
        self._line = row(self, gap=context.theme.gap(12))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_say(self, say: Say) -> None:
        """Show `say` over the lower edge of the parent."""
        theme = self._context.theme
        clear(self._line)
        notice = Notice(self._context, say.text, hint=say.hint, tone=say.tone, action=say.action)
        if say.act is not None:
            notice.acted.connect(say.act)
        notice.acted.connect(self.hide)
        self._line.addWidget(notice)
        self.setMaximumWidth(theme.size(720))
        self.setMinimumWidth(min(theme.size(480), self._parent.width() - 48))
        self.show()
        self.place()
        self.raise_()
        self._timer.start(self.STAYS_MS * (2 if say.action or say.hint else 1))

    def place(self) -> None:
        """Stand centred over the lower edge."""
        self.adjustSize()
        parent = self._parent.rect()
        self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - 24)
