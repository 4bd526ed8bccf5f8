"""传输: what comes to this PC, how far it is, what it costs, and how to stop or retry it.

Invariants:
  TV1  Figures that change do not rebuild rows: focus and scroll position stay where they are.
  TV2  Taking a lesson off the list can be undone from the notice that says so.
  TV3  Where the window is too narrow for two columns, the side stands below the list.
"""

from typing import Final

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.service.api import TransferState
from client.service.plan_words import arrival, sentence
from ui.base.bar import Bar
from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import Page, Paper, clear, divider, row, rows
from ui.base.notice import Notice
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import bell_text, day_name, light_with_word, reason_text, when_text
from ui.view.hubs import HubsPaper
from ui.view.transfer_budget import BudgetBar, closed_text
from ui.view.transfer_sources import SourcesPaper
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.transfer import Group, Line, Need, Section, TransferModel

_HEADS: Final = {
    Group.HAND: "transfer.group_hand",
    Group.COMING: "transfer.group_coming",
    Group.HERE: "transfer.group_here",
}
_WIDTH: Final = 1280
_SIDE: Final = 340
_BOTH: Final = 1080
"""From this width on there is room for two columns."""
_END: Final = 272
"""Width of amount and buttons, the same in every row so that the bars stand in line."""
_HOUR_S: Final = 3600
_TODAY: Final = 0
_TOMORROW: Final = 1


class SubjectBar(QWidget):
    """The subject's colour at the head of a row."""

    def __init__(self, context: UiContext, subject: str) -> None:
        super().__init__()
        self._colour = context.theme.color(context.subjects.tone(subject))
        self.setFixedWidth(context.theme.size(6))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.end()


class LineView(QFrame):
    """One lesson on its way."""

    def __init__(self, context: UiContext, model: TransferModel, line: Line) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self.lesson = line.row.lesson
        theme = context.theme
        across = row(self, gap=theme.gap(16))
        across.setContentsMargins(*(theme.gap(12),) * 4)
        across.addWidget(SubjectBar(context, line.row.subject))
        title = line.row.title or context.words("transfer.untitled")
        across.addLayout(self._names(line, title), 3)
        middle = rows(gap=theme.gap(6))
        self._bar = Bar(context, title)
        middle.addStretch(1)
        middle.addWidget(self._bar)
        self._says = label("", Type.CAPTION, is_wrapped=True)
        middle.addWidget(self._says)
        middle.addStretch(1)
        across.addLayout(middle, 4)
        trailing = Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter
        self._arrives = label("", Type.BODY, is_bold=True)
        self._arrives.setAlignment(trailing)
        self._amount = label("", Type.CAPTION, tone="muted")
        self._amount.setAlignment(trailing)
        figures = rows(gap=theme.gap(2))
        figures.addWidget(self._arrives)
        figures.addWidget(self._amount)
        end = QWidget()
        end.setFixedWidth(theme.size(_END))
        holder = row(end, gap=theme.gap(12))
        holder.addLayout(figures, 1)
        for button in self._buttons(line):
            holder.addWidget(button)
        across.addWidget(end)
        self.show_line(line)

    def _names(self, line: Line, title: str) -> QVBoxLayout:
        context, theme = self._context, self._context.theme
        names = rows(gap=theme.gap(2))
        names.addStretch(1)
        names.addWidget(ElidedLabel(theme, title, Type.BODY, is_bold=True))
        under = row(gap=theme.gap(6))
        subject = context.subjects.full(line.row.subject)
        tone = context.subjects.tone(line.row.subject)
        under.addWidget(label(subject, Type.CAPTION, tone=tone, is_bold=True))
        self._when = label("", Type.CAPTION, tone="muted")
        under.addWidget(self._when, 1)
        names.addLayout(under)
        names.addStretch(1)
        return names

    def show_line(self, line: Line) -> None:
        """Show other figures of the same lesson (TV1)."""
        words, transfer = self._context.words, line.row
        self._when.setText(self._slot_of(line))
        tone = "accent" if transfer.state is TransferState.DONE else "amber"
        self._bar.set_share(line.share, "grey" if transfer.state is TransferState.PAUSED else tone)
        self._says.setText(self._says_of(line))
        self._arrives.setText(self._arrival_of(line))
        self._arrives.setVisible(bool(self._arrives.text()))
        if transfer.state is TransferState.DONE or not transfer.bytes_needed:
            size = transfer.bytes_needed or transfer.bytes_done
            self._amount.setText(words.size(size) if size else "")
        else:
            done, needed = words.size(transfer.bytes_done), words.size(transfer.bytes_needed)
            self._amount.setText(words("transfer.amount", done=done, needed=needed))

    def _buttons(self, line: Line) -> list[Button]:
        words, made = self._context.words, list[Button]()
        if line.row.state is TransferState.FAILED:
            made.append(Button(self._context, Face(text=words("transfer.again"), kind="outline")))
            made[-1].clicked.connect(lambda: self._model.request(self.lesson))
        if line.row.state is not TransferState.DONE:
            made.append(Button(self._context, Face(icon="x", kind="quiet", gap=8)))
            made[-1].setAccessibleName(words("transfer.cancel", title=line.row.title))
            made[-1].setToolTip(words("transfer.cancel", title=line.row.title))
            made[-1].clicked.connect(lambda: self._cancel(line.row.title))
        return made

    def _cancel(self, title: str) -> None:
        """Take it off the list, offering the way back (TV2)."""
        lesson, model, words = self.lesson, self._model, self._context.words
        model.cancel(lesson)
        self._context.said.emit(
            Say(
                text=words("transfer.cancelled", title=title),
                hint=words("transfer.cancelled_hint"),
                action=words("transfer.undo"),
                act=lambda: model.request(lesson),
            )
        )

    def _slot_of(self, line: Line) -> str:
        need = line.need
        if need is None:
            return ""
        day = day_text(self._context, need)
        return self._context.words("transfer.needed", day=day, period=need.period)

    def _arrival_of(self, line: Line) -> str:
        promise, words = line.row.promise, self._context.words
        if promise is None or line.group is not Group.COMING:
            return ""
        if not promise.is_in_time:
            return words("transfer.is_late")
        when = arrival(words, promise)
        return words("transfer.arrives", when=when) if when else ""

    def _says_of(self, line: Line) -> str:
        words, transfer = self._context.words, line.row
        reason = reason_text(self._context, transfer.reason) if transfer.reason else ""
        if transfer.state is TransferState.FETCHING:
            return self._speed_of(line)
        if transfer.state is TransferState.RETRYING:
            return words("transfer.retrying", reason=reason)
        if transfer.state is TransferState.FAILED:
            hint = f"hint.{transfer.reason.code}" if transfer.reason else ""
            return " ".join(
                part for part in (reason, words(hint) if words.has(hint) else "") if part
            )
        if transfer.state is TransferState.WAITING and transfer.promise is not None:
            closed = closed_text(self._context, self._model.status.link)
            said = sentence(words, transfer.promise)
            return closed if closed and transfer.promise.is_in_time else said
        if transfer.state is TransferState.WAITING and line.ahead:
            return words.plural("transfer.waiting_behind", line.ahead)
        return words(f"transfer.{transfer.state.value}")

    def _speed_of(self, line: Line) -> str:
        words = self._context.words
        if line.left_s is None:
            return words("transfer.fetching")
        speed = words.size(line.row.bytes_per_s)
        if line.left_s >= _HOUR_S:
            return words("transfer.fetching_long", speed=speed)
        return words("transfer.fetching_left", speed=speed, left=_rough(self._context, line.left_s))


class TransferPage(Page):
    """See the module."""

    settings_wanted = Signal()
    sync_wanted = Signal()

    def __init__(self, context: UiContext, model: TransferModel, hubs: HubsModel) -> None:
        super().__init__(context, most_px=_WIDTH)
        self._context = context
        self._columns = row(gap=context.theme.gap(24))
        self.body.addLayout(self._columns)
        main = QWidget()
        self.body = rows(main, gap=context.theme.gap(16))
        self._columns.addWidget(main, 1)
        self._column = QWidget()
        self.side = rows(self._column, gap=context.theme.gap(16))
        self._is_wide: bool | None = None
        self._model = model
        self._views: list[LineView] = []
        self.body.addLayout(self._head())
        self._link = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        self.body.addWidget(self._link)
        self._list: QVBoxLayout = rows(gap=context.theme.gap(16))
        self.body.addLayout(self._list)
        self._budget = BudgetBar(context)
        self.side.addWidget(self._budget)
        self.sources = SourcesPaper(context, model, hubs)
        self.sources.settings_wanted.connect(self.settings_wanted)
        self.side.addWidget(self.sources)
        self.side.addStretch(1)
        self._after = label(context.words("transfer.hubs"), Type.BODY, is_bold=True)
        self.body.addWidget(self._after)
        paper = HubsPaper(context, hubs)
        paper.settings_wanted.connect(self.settings_wanted)
        self.body.addWidget(paper)
        self.body.addStretch(1)
        model.changed.connect(self._refresh)
        model.reordered.connect(self._rebuild)
        self._rebuild()
        self._arrange()

    def _head(self) -> QHBoxLayout:
        context, words = self._context, self._context.words
        head = row(gap=context.theme.gap(12))
        head.addWidget(label(words("transfer.title"), Type.HEAD, is_bold=True))
        self._sum = label("", Type.BODY, tone="muted")
        head.addWidget(self._sum, 1)
        self._speed = label("", Type.BODY, is_bold=True)
        head.addWidget(self._speed)
        self.pause = Button(context, Face(text=words("transfer.pause"), icon="pause"))
        self.pause.clicked.connect(self._model.toggle_pause)
        head.addWidget(self.pause)
        self.sync = Button(context, Face(text=words("transfer.sync"), icon="arrow-left-right"))
        self.sync.clicked.connect(self.sync_wanted)
        head.addWidget(self.sync)
        return head

    def add_beside(self, widget: QWidget) -> None:
        """Put something at the end of the side column."""
        self.side.insertWidget(self.side.count() - 1, widget)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fold the side where it does not fit (TV3)."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        theme = self._context.theme
        is_wide = self.width() >= theme.size(_BOTH)
        if is_wide is self._is_wide:
            return
        self._is_wide = is_wide
        if is_wide:
            self._column.setFixedWidth(theme.size(_SIDE))
            self._columns.addWidget(self._column)
        else:
            self._column.setMinimumWidth(0)
            self._column.setMaximumWidth(theme.size(_WIDTH))
            self.body.insertWidget(self.body.indexOf(self._after), self._column)

    def _rebuild(self) -> None:
        clear(self._list)
        self._views = []
        for section in self._model.sections():
            self._add_section(section)
        if not self._views:
            words = self._context.words
            self._list.addWidget(
                Notice(self._context, words("transfer.empty"), hint=words("transfer.empty_hint"))
            )
        self._refresh()

    def _add_section(self, section: Section) -> None:
        words, need = self._context.words, section.need
        head = row(gap=self._context.theme.gap(12))
        head.addWidget(label(self._head_of(section), Type.BODY, is_bold=True))
        if need is not None and need.begins is not None:
            begins = words("transfer.begins", clock=bell_text(need.begins))
            head.addWidget(label(begins, Type.CAPTION, tone="muted"))
        head.addStretch(1)
        light, key = _light_of(section)
        count = words.plural(key, len(section.lines))
        head.addWidget(light_with_word(self._context, light, count))
        self._list.addLayout(head)
        lines = section.lines
        paper = Paper()
        column = rows(paper)
        for number, line in enumerate(lines):
            if number:
                column.addWidget(divider())
            view = LineView(self._context, self._model, line)
            self._views.append(view)
            column.addWidget(view)
        self._list.addWidget(paper)

    def _head_of(self, section: Section) -> str:
        words, need = self._context.words, section.need
        has_days = any(one.need is not None for one in self._model.of_group(Group.COMING))
        if need is not None:
            return self._day_of(need)
        is_unplaced = section.group is Group.COMING and has_days
        return words("transfer.no_slot" if is_unplaced else _HEADS[section.group])

    def _day_of(self, need: Need) -> str:
        """Name a day at the head of a section; tomorrow has its day of the week, too."""
        day = day_text(self._context, need)
        if need.days_ahead == _TOMORROW:
            day = f"{day} {day_name(self._context, need.day)}"
        return day[:1].upper() + day[1:]

    def _refresh(self) -> None:
        """Show the newest figures in the rows that stand (TV1)."""
        model, words = self._model, self._context.words
        lines = {line.row.lesson: line for line in model.lines}
        for view in self._views:
            view.show_line(lines[view.lesson])
        coming = model.of_group(Group.COMING)
        size = words.size(model.coming_bytes)
        key = "transfer.sum" if model.coming_bytes else "transfer.sum_unknown"
        total = words(key, n=len(coming), size=size)
        self._sum.setText(total if coming else "")
        speed = model.bytes_per_s
        self._speed.setText(words("transfer.speed", speed=words.size(speed)) if speed else "")
        is_paused = model.status.is_paused
        key, icon = ("transfer.resume", "play") if is_paused else ("transfer.pause", "pause")
        kind = "primary" if is_paused else "secondary"
        self.pause.set_face(Face(text=words(key), icon=icon, kind=kind))
        self.pause.setVisible(is_paused or bool(coming))
        self._link.setText(" · ".join(self._link_parts()))
        self._budget.show_link(model.status.link)
        self._link.setVisible(bool(self._link.text()))

    def _link_parts(self) -> list[str]:
        status, words = self._model.status, self._context.words
        parts: list[str] = []
        if status.is_online is not None:
            parts.append(words("transfer.online" if status.is_online else "transfer.offline"))
        if status.last_contact_ms is not None:
            when = when_text(self._context, status.last_contact_ms)
            parts.append(words("transfer.last_contact", when=when))
        if status.bytes_received:
            parts.append(words("transfer.received", size=words.size(status.bytes_received)))
        if status.watched is not None:
            parts.append(reason_text(self._context, status.watched))
        if status.catalogue is not None:
            parts.append(reason_text(self._context, status.catalogue))
        return parts


def _light_of(section: Section) -> tuple[Light, str]:
    """Choose light and word for the rows under one heading."""
    if section.group is Group.HAND:
        return Light.NOT_READY, "transfer.count_hand"
    if section.group is Group.HERE:
        return Light.READY, "transfer.count_here"
    is_moving = any(line.row.state is TransferState.FETCHING for line in section.lines)
    return Light.PARTIAL, "transfer.count_coming" if is_moving else "transfer.count_waiting"


def day_text(context: UiContext, need: Need) -> str:
    """Name the day on which a lesson is taught."""
    words = context.words
    near = {_TODAY: words("transfer.today"), _TOMORROW: words("transfer.tomorrow")}
    return near.get(need.days_ahead) or day_name(context, need.day)


def _rough(context: UiContext, seconds: float) -> str:
    """Say a length in whole minutes once it is longer than one."""
    minute = 60
    return context.words.length(seconds if seconds < minute else round(seconds / minute) * minute)
