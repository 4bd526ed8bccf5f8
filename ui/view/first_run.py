"""First run: five steps, each of which can be skipped, and everything preselected.

Invariants:
  FR1  Pressing only 下一步 reaches the end, and the room is usable then.
  FR2  Leaving a step in any way loses nothing that was touched.
"""

from collections.abc import Callable
from typing import Final, cast

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from ui.base.button import Button, Face
from ui.base.choice import Tile
from ui.base.context import UiContext
from ui.base.layout import Fold, Page, clear, row, rows
from ui.base.paint import paint_mark
from ui.base.text import label
from ui.base.theme import Type
from ui.view.setup_parts import (
    LANGUAGES,
    CoversPaper,
    GradesPaper,
    SourcesPaper,
    own_name,
    paper,
)
from ui.viewmodel.setup import SetupModel

STEPS: Final = ("language", "room", "sources", "books", "week")
WIDTH: Final = 1120


class StepDots(QWidget):
    """The five steps as dots with words: done, now, to come."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        self._at = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_at(self, at: int) -> None:
        """Show which step is open."""
        self._at = at
        words = self._context.words
        name = words(f"first_run.step_{STEPS[at]}")
        self.setAccessibleName(words("first_run.step_of", n=at + 1, total=len(STEPS), name=name))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Dot over word."""
        return QSize(self._context.theme.size(600), self._context.theme.size(56))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint line, dots and words."""
        theme, words = self._context.theme, self._context.words
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        part = self.width() / len(STEPS)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        y = theme.size(16)
        centres = [part * (n + 0.5) for n in range(len(STEPS))]
        if is_rtl:
            centres.reverse()
        for n in range(len(STEPS) - 1):
            done = n < self._at
            painter.setPen(QPen(theme.color("accent" if done else "line"), 2))
            painter.drawLine(QPointF(centres[n], y), QPointF(centres[n + 1], y))
        for n, step in enumerate(STEPS):
            self._paint_dot(painter, QPointF(centres[n], y), n)
            is_now = n == self._at
            painter.setPen(theme.color("accent_text" if is_now else "muted"))
            painter.setFont(theme.font(Type.CAPTION, bold=is_now))
            box = QRectF(centres[n] - part / 2, y + theme.size(14), part, theme.size(22))
            text = words(f"first_run.step_{step}")
            elide = Qt.TextElideMode.ElideRight
            text = QFontMetrics(painter.font()).elidedText(text, elide, int(part))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
        painter.end()

    def _paint_dot(self, painter: QPainter, at: QPointF, n: int) -> None:
        theme = self._context.theme
        radius = theme.size(10)
        if n > self._at:
            painter.setBrush(theme.color("bg"))
            painter.setPen(QPen(theme.color("line2"), 2))
            painter.drawEllipse(at, radius, radius)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(at, radius + 1, radius + 1)
        if n == self._at:
            painter.setBrush(theme.color("on_accent"))
            painter.drawEllipse(at, radius * 0.4, radius * 0.4)
            return
        side = theme.size(14)
        pixmap = self._context.icons.pixmap("check", theme.hex("on_accent"), side)
        painter.drawPixmap(int(at.x() - side / 2), int(at.y() - side / 2), pixmap)


class _Mark(QWidget):
    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._palette_of = context.theme
        side = context.theme.size(44)
        self.setFixedSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        paint_mark(painter, self.width(), self._palette_of.palette)
        painter.end()


class FirstRunView(QWidget):
    """The page. `week` builds 课程表, given what leads back to the room; the last step asks it."""

    finished = Signal()
    stepped = Signal(int)
    """Number of the step that was opened, from 0."""

    def __init__(
        self,
        context: UiContext,
        model: SetupModel,
        week: Callable[[UiContext, Callable[[], None]], QWidget],
        *,
        at: int = 0,
    ) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._week = week
        self._at = at
        self.setProperty("page", "true")
        model.failed.connect(context.say_error)
        frame = rows(self)
        self._page = Page(context, most_px=WIDTH)
        frame.addWidget(self._page, 1)
        body = self._page.body
        body.addLayout(self._head())
        self._dots = StepDots(context)
        body.addWidget(self._dots)
        self._question = label("", Type.DISPLAY, is_bold=True, is_wrapped=True)
        self._hint = label("", Type.BODY, tone="muted", is_wrapped=True)
        texts = rows(gap=context.theme.gap(4))
        texts.addWidget(self._question)
        texts.addWidget(self._hint)
        body.addLayout(texts)
        self._stack = QStackedWidget()
        body.addWidget(self._stack, 1)
        frame.addLayout(self._foot())
        self._pages: dict[str, QWidget] = {}
        self._show_step()

    @property
    def at(self) -> int:
        """Number of the open step, from 0."""
        return self._at

    def _head(self) -> QHBoxLayout:
        words = self._context.words
        line = row(gap=self._context.theme.gap(16))
        line.addWidget(_Mark(self._context))
        line.addWidget(label(words("first_run.title"), Type.TITLE, is_bold=True))
        line.addStretch(1)
        line.addWidget(label(words("first_run.time"), Type.BODY, tone="muted"))
        return line

    def _foot(self) -> QHBoxLayout:
        words, theme = self._context.words, self._context.theme
        outer = row()
        outer.addStretch(1)
        holder = QWidget()
        holder.setMaximumWidth(theme.size(WIDTH))
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        line = row(holder, gap=theme.gap(12))
        self._back = Button(
            self._context, Face(text=words("first_run.back"), icon="chevron-left", height=48)
        )
        self._back.clicked.connect(self.go_back)
        line.addWidget(self._back)
        line.addStretch(1)
        self._skip = Button(
            self._context, Face(text=words("first_run.skip"), kind="link", height=48)
        )
        self._skip.clicked.connect(self._on_skip)
        line.addWidget(self._skip)
        self._next = Button(self._context, Face(text=words("first_run.next"), height=48))
        self._next.clicked.connect(self.go_on)
        line.addWidget(self._next)
        outer.addWidget(holder, 100)
        outer.addStretch(1)
        gap = theme.gap(24)
        outer.setContentsMargins(gap, theme.gap(8), gap, theme.gap(20))
        return outer

    # --- steps ---------------------------------------------------------------------------

    def go_on(self) -> None:
        """Keep the step and open the next one; after the last it is over."""
        self._keep()
        if self._at + 1 >= len(STEPS):
            self._model.end_first_run()
            self.finished.emit()
            return
        self._at += 1
        self._show_step()

    def go_back(self) -> None:
        """Open the step before."""
        if self._at:
            self._keep()
            self._at -= 1
            self._show_step()

    def _on_skip(self) -> None:
        """Leave the step as it is (what was touched is saved already)."""
        self.go_on()

    def _keep(self) -> None:
        page = self._pages.get(STEPS[self._at])
        if page is None:
            return
        for grades in cast("list[GradesPaper]", page.findChildren(GradesPaper)):
            grades.save_names()
            self._model.save_covers()

    def _show_step(self) -> None:
        step, words = STEPS[self._at], self._context.words
        page = self._pages.get(step)
        if page is None or step == "books":
            if page is not None:
                self._stack.removeWidget(page)
                page.deleteLater()
            page = self._pages[step] = _BUILDERS[step](self)
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        self._dots.set_at(self._at)
        self.stepped.emit(self._at)
        self._question.setText(words(f"first_run.ask_{step}"))
        self._hint.setText(words(f"first_run.hint_{step}"))
        self._back.setVisible(self._at > 0)
        is_last = self._at + 1 == len(STEPS)
        self._skip.setVisible(not is_last)
        key = "first_run.done" if is_last else "first_run.next"
        after = "check" if is_last else "chevron-right"
        self._next.set_face(
            Face(text=words(key), icon_after=after, kind="primary", height=48, gap=40)
        )
        self._page.verticalScrollBar().setValue(0)
        self._next.setFocus()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter go on."""
        super().showEvent(event)
        self._model.refresh()
        self._next.setFocus()

    # --- the five pages ------------------------------------------------------------------

    def _language(self) -> QWidget:
        made, body = paper(self._context)
        line = row(gap=self._context.theme.gap(12))
        for language in LANGUAGES:
            tile = Tile(self._context, own_name(language))
            tile.setAutoExclusive(True)
            tile.setChecked(language == self._context.appearance.language)
            tile.clicked.connect(
                lambda _=False, one=language: self._model.set_setting("language", one)
            )
            line.addWidget(tile, 1)
        body.addLayout(line)
        return _on_top(made)

    def _room(self) -> QWidget:
        both = Fold(self._context)
        both.add(GradesPaper(self._context, self._model), 4)
        both.add(CoversPaper(self._context, self._model), 7)
        return both

    def _sources(self) -> QWidget:
        return _on_top(SourcesPaper(self._context, self._model))

    def _books(self) -> QWidget:
        return _on_top(BooksPaper(self._context, self._model))

    def _build_week(self) -> QWidget:
        return self._week(self._context, self._to_room)

    def _to_room(self) -> None:
        self._at = STEPS.index("room")
        self._show_step()


_BUILDERS: Final = {
    "language": FirstRunView._language,  # noqa: SLF001 - a table of its own methods
    "room": FirstRunView._room,  # noqa: SLF001
    "sources": FirstRunView._sources,  # noqa: SLF001
    "books": FirstRunView._books,  # noqa: SLF001
    "week": FirstRunView._build_week,  # noqa: SLF001
}


class BooksPaper(QWidget):
    """What was asked for, and which of it is here already."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        outer = rows(self)
        made, self._body = paper(context)
        outer.addWidget(made)
        model.changed.connect(self._refresh)
        model.wishes_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        body: QVBoxLayout = self._body
        clear(body)
        words, theme = self._context.words, self._context.theme
        wishes = self._model.wishes()
        if not wishes:
            text = words("first_run.books_none")
            body.addWidget(label(text, tone="muted", is_wrapped=True))
            return
        for group in self._model.room.classes:
            body.addWidget(label(group.name, Type.BODY, is_bold=True))
            for wish in (one for one in wishes if one.class_id == group.id):
                line = row(gap=theme.gap(12))
                tone = self._context.subjects.tone(wish.subject)
                name = self._context.subjects.short(wish.subject)
                subject = label(name, tone=tone, is_bold=True)
                subject.setFixedWidth(theme.size(72))
                line.addWidget(subject)
                line.addWidget(label(f"{wish.edition} {wish.volume}"), 1)
                is_met = self._model.is_met(wish)
                key = "first_run.book_here" if is_met else "first_run.book_later"
                tone = "accent" if is_met else "muted"
                line.addWidget(label(words(key), Type.CAPTION, tone=tone, is_bold=is_met))
                body.addLayout(line)


def _on_top(widget: QWidget) -> QWidget:
    holder = QWidget()
    body = rows(holder)
    body.addWidget(widget)
    body.addStretch(1)
    return holder
