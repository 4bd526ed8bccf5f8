"""What stands above the day line of 今天, or in its place when the day is empty."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from client.domain.errors import ClassroomError
from client.service.api import ResumeNotice, TodayPage
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, row, rows
from ui.base.notice import Notice
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import day_name


class IconTile(QWidget):
    """An icon on a soft square."""

    def __init__(
        self,
        context: UiContext,
        icon: str,
        *,
        side: int = 56,
        tone: str = "accent_text",
        ground: str = "accent_soft",
    ) -> None:
        super().__init__()
        self._context = context
        self._icon = icon
        self._tone = tone
        self._ground = ground
        self.setFixedSize(QSize(context.theme.size(side), context.theme.size(side)))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint square and icon."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self._ground))
        painter.drawRoundedRect(QRectF(self.rect()), 10, 10)
        side = round(self.width() * 0.5)
        pixmap = self._context.icons.pixmap(self._icon, theme.hex(self._tone), side)
        at = (self.width() - side) // 2
        painter.drawPixmap(at, at, pixmap)
        painter.end()


class ResumeCard(Paper):
    """第2节停在 6分48秒 [用课本上完了] [接着上]."""

    resumed = Signal()
    finished = Signal()

    def __init__(self, context: UiContext, notice: ResumeNotice) -> None:
        super().__init__("next")
        theme, words = context.theme, context.words
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        line = row(self, gap=theme.gap(16))
        pad = theme.gap(20)
        line.setContentsMargins(pad, theme.gap(16), pad, theme.gap(16))
        line.addWidget(IconTile(context, "history"))
        texts = rows(gap=theme.gap(2))
        at = words.length(notice.position_s)
        text = words("today.interrupted", n=notice.key.period, at=at)
        if not notice.key.period:
            text = words("today.interrupted_free", at=at)
        texts.addWidget(label(text, Type.HEAD, is_bold=True))
        hint = words("today.interrupted_hint", title=notice.title)
        texts.addWidget(ElidedLabel(theme, hint, Type.BODY, tone="muted"))
        line.addLayout(texts, 1)
        book = Button(context, Face(text=words("today.with_textbook"), icon="book-open", height=48))
        book.clicked.connect(self.finished)
        line.addWidget(book)
        self.main = Button(
            context,
            Face(text=words("today.resume"), icon="play", kind="primary", height=48, gap=36),
        )
        self.main.clicked.connect(self.resumed)
        line.addWidget(self.main)


class TimeLine(QFrame):
    """今天是周二第2节吗? [是] [不是，选一下]. It never blocks."""

    confirmed = Signal()
    denied = Signal(object)
    """Carries the button to open the choice beside."""

    def __init__(self, context: UiContext, day: int, period: int | None) -> None:
        super().__init__()
        theme, words = context.theme, context.words
        self.setProperty("notice", "amber")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        line = row(self, gap=theme.gap(12))
        line.setContentsMargins(theme.gap(20), theme.gap(6), theme.gap(12), theme.gap(6))
        tile = IconTile(context, "clock-alert", side=28, tone="amber_text", ground="amber_soft")
        line.addWidget(tile)
        name = day_name(context, day)
        if period is None:
            text = words("today.time_question_day", day=name)
        else:
            text = words("today.time_question", day=name, n=period)
        line.addWidget(label(text, Type.BODY, is_bold=True))
        hint = ElidedLabel(theme, words("today.time_hint"), Type.CAPTION)
        line.addWidget(hint, 1)
        yes = Button(context, Face(text=words("today.yes"), gap=28))
        yes.clicked.connect(self.confirmed)
        line.addWidget(yes)
        no = Button(context, Face(text=words("today.no_choose")))
        no.clicked.connect(lambda: self.denied.emit(no))
        line.addWidget(no)


class EmptyDay(QFrame):
    """What stands there when no lesson is planned today."""

    asked = Signal(str)
    """library, timetable, or import."""

    def __init__(self, context: UiContext, page: TodayPage) -> None:
        super().__init__()
        theme, words = context.theme, context.words
        self._context = context
        self.setMinimumHeight(theme.size(380))
        body = rows(self, gap=theme.gap(12))
        body.setContentsMargins(*(theme.gap(32),) * 4)
        body.addStretch(1)
        body.addWidget(IconTile(context, "folder", side=72), 0, Qt.AlignmentFlag.AlignHCenter)
        is_planned = bool(page.upcoming)
        title = words("today.free_title" if is_planned else "today.empty_title")
        hint = (
            words("today.free_hint", day=day_name(context, page.day))
            if is_planned
            else words("today.empty_hint")
        )
        for text, role, tone, bold in (
            (title, Type.HEAD, "", True),
            (hint, Type.BODY, "muted", False),
        ):
            made = label(text, role, tone=tone, is_bold=bold, is_wrapped=True)
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            body.addWidget(made)
        line = row(gap=theme.gap(12))
        line.addStretch(1)
        self.main = Button(
            context,
            Face(text=words("today.to_library"), icon="library", kind="primary", height=48),
        )
        self.main.clicked.connect(lambda: self.asked.emit("library"))
        line.addWidget(self.main)
        for what, key, icon in (
            ("import", "today.import_folder", "folder"),
            ("timetable", "today.set_up_week", "calendar-days"),
        ):
            button = Button(context, Face(text=words(key), icon=icon, height=48))
            button.clicked.connect(lambda _=False, one=what: self.asked.emit(one))
            line.addWidget(button)
        line.addStretch(1)
        body.addSpacing(theme.gap(12))
        body.addLayout(line)
        body.addStretch(1)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the dashed paper that invites files."""
        painter = QPainter(self)
        paint_invitation(painter, QRectF(self.rect()), self._context)
        painter.end()


def paint_invitation(
    painter: QPainter, box: QRectF, context: UiContext, *, is_hot: bool = False
) -> None:
    """Paint a dashed paper on which files may be dropped."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(context.theme.color("accent" if is_hot else "line2"), 2)
    pen.setDashPattern([5, 4])
    painter.setPen(pen)
    fill = QColor(context.theme.palette.accent_soft if is_hot else context.theme.palette.surface)
    if is_hot:
        fill.setAlphaF(0.94)
    painter.setBrush(fill)
    painter.drawRoundedRect(box.adjusted(2, 2, -2, -2), 12, 12)


class DropPaper(QWidget):
    """Covers the page while files are dragged over it."""

    def __init__(self, context: UiContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the invitation."""
        theme = self._context.theme
        painter = QPainter(self)
        box = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        paint_invitation(painter, box, self._context, is_hot=True)
        painter.setPen(theme.color("accent_text"))
        painter.setFont(theme.font(Type.DISPLAY, bold=True))
        painter.drawText(
            box, int(Qt.AlignmentFlag.AlignCenter), self._context.words("today.drop_here")
        )
        painter.end()


def failed_notice(context: UiContext, error: ClassroomError) -> Notice:
    """Say that the day could not be read, and offer to try again."""
    words = context.words
    hint = " ".join(part for part in (words.error(error), words.hint(error)) if part)
    return Notice(
        context, words("today.failed"), hint=hint, tone="red", action=words("today.try_again")
    )
