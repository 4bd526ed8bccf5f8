"""The page after a class: what was done, how it went, what comes next.

Invariants:
  EP1  Nothing is compulsory and everything is saved as it is touched.
  EP2  On a mirrored screen it shows no screen minutes and no answer counts.
  EP3  Understood has no preset; a second tap clears it. A headcount counts once it was touched.
"""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from client.domain.record.bodies import Ended, TaughtBy
from client.service.api import Card
from client.service.sitting import SittingView
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Page, Paper, divider, row, rows
from ui.base.notice import Notice
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word
from ui.view.clock_text import bell_time
from ui.view.end_parts import Choice, ScreenBars, TrackCard
from ui.viewmodel.classroom import ClassroomModel

NOTE_IDLE_MS = 1200
PAIR_PX = 1180
"""From this width on (at 100 %) two cards stand side by side."""


class _Head(QFrame):
    """The strip at the top: done, when, how long the break still is."""

    def __init__(self, context: UiContext, view: SittingView) -> None:
        super().__init__()
        self._context = context
        theme, words = context.theme, context.words
        line = row(self, gap=theme.gap(16))
        line.setContentsMargins(theme.gap(24), 0, theme.gap(24), 0)
        self.setFixedHeight(theme.size(64))
        self._mark = QWidget()
        self._mark.setFixedSize(theme.size(40), theme.size(40))
        line.addWidget(self._mark)
        texts = rows(gap=0)
        bell, now = view.plan.bell, context.now()
        title = words("end.title", n=bell.period) if bell else words("end.title.free")
        texts.addStretch(1)
        texts.addWidget(label(title, Type.TITLE, is_bold=True))
        day = words("end.day", month=now.month, day=now.day)
        saved = words("end.saved.free", day=day)
        if bell is not None:
            saved = words(
                "end.saved", day=day, begins=bell_time(bell.begins), ends=bell_time(bell.ends)
            )
        texts.addWidget(ElidedLabel(theme, saved, Type.CAPTION, tone="muted"))
        texts.addStretch(1)
        line.addLayout(texts, 1)
        following = view.plan.next_bell
        if following is not None:
            left = following.begins - (now.hour * 60 + now.minute)
            if 0 < left < 60:  # noqa: PLR2004 - a break, not the end of the day
                text = words.plural("end.break", left)
                line.addWidget(label(text, Type.BODY, tone="muted"))
        line.addWidget(label(f"{now.hour:02}:{now.minute:02}", Type.HEAD, is_bold=True))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint surface, line and the tick in its disc."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
        disc = self._mark.geometry()
        painter.setPen(theme.color("accent_soft"))
        painter.setBrush(theme.color("accent_soft"))
        painter.drawEllipse(disc)
        side = theme.size(22)
        pixmap = self._context.icons.pixmap("check", theme.hex("accent_text"), side)
        centre = disc.center()
        painter.drawPixmap(centre.x() - side // 2 + 1, centre.y() - side // 2 + 1, pixmap)
        painter.end()


class EndPage(QWidget):
    """See the module. `finished` tells how the class is to be recorded as ended."""

    finished = Signal(object)

    def __init__(self, context: UiContext, model: ClassroomModel, *, is_mirrored: bool) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._is_mirrored = is_mirrored
        self._noted = ""
        self.setProperty("page", "true")
        view = model.view
        outer = rows(self, gap=0)
        outer.addWidget(_Head(context, view))
        page = Page(context)
        outer.addWidget(page, 1)
        body = page.body
        self.slight: Notice | None = None
        if view.is_slight:
            self.slight = self._slight_notice()
            body.addWidget(self.slight)
        self.cards = [
            TrackCard(context, model, index, shows_counts=not is_mirrored)
            for index in range(len(view.state.tracks))
        ]
        tracks = row(gap=context.theme.gap(16))
        for one in self.cards:
            tracks.addWidget(one, 1)
        body.addLayout(tracks)
        second = row(gap=context.theme.gap(16))
        self._pairs = (tracks, second)
        second.addWidget(self._who_and_note(), 1)
        if not is_mirrored:
            second.addWidget(ScreenBars(context, view), 1)
        body.addLayout(second)
        if view.plan.next_cards:
            body.addWidget(self._next_class(view))
        body.addLayout(self._foot(view))
        body.addStretch(1)
        self._note_timer = QTimer(self)
        self._note_timer.setSingleShot(True)
        self._note_timer.timeout.connect(self._save_note)
        self.setFocusProxy(self.done)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Put pairs of cards below each other where they do not fit beside each other."""
        super().resizeEvent(event)
        is_narrow = self.width() < self._context.theme.size(PAIR_PX)
        way = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        for pair in self._pairs:
            pair.setDirection(way)

    def _slight_notice(self) -> Notice:
        words = self._context.words
        notice = Notice(
            self._context, words("end.slight"), tone="amber", action=words("end.slight.yes")
        )
        notice.acted.connect(lambda: self._finish(Ended.NOT_A_CLASS))
        return notice

    # --- who, note ----------------------------------------------------------------------

    def _who_and_note(self) -> QFrame:
        context, theme, words = self._context, self._context.theme, self._context.words
        made = Paper()
        box = rows(made, gap=theme.gap(8))
        margin = theme.gap(20)
        box.setContentsMargins(margin, theme.gap(14), margin, theme.gap(16))
        box.addWidget(label(words("end.who"), Type.CAPTION, tone="muted"))
        line = row(gap=theme.gap(8))
        self.own = Choice(context, words("end.own"), is_on=True, height=56)
        self.substitute = Choice(context, words("end.substitute"), height=56)
        self.own.clicked.connect(lambda: self._taught_by(TaughtBy.OWN))
        self.substitute.clicked.connect(lambda: self._taught_by(TaughtBy.SUBSTITUTE))
        line.addWidget(self.own, 1)
        line.addWidget(self.substitute, 1)
        box.addLayout(line)
        box.addWidget(label(words("end.note"), Type.CAPTION, tone="muted"))
        self.note = QLineEdit()
        self.note.setPlaceholderText(words("end.note.example"))
        self.note.setMaxLength(200)
        self.note.setMinimumHeight(theme.size(48))
        self.note.setAccessibleName(words("end.note"))
        self.note.textEdited.connect(lambda: self._note_timer.start(NOTE_IDLE_MS))
        self.note.editingFinished.connect(self._save_note)
        box.addWidget(self.note)
        box.addStretch(1)
        return made

    def _taught_by(self, who: TaughtBy) -> None:
        self.own.set_on(is_on=who is TaughtBy.OWN)
        self.substitute.set_on(is_on=who is TaughtBy.SUBSTITUTE)
        self._model.sitting.taught_by(who)

    def _save_note(self) -> None:
        """Write the line if it changed (EP1)."""
        self._note_timer.stop()
        text = self.note.text().strip()
        if text != self._noted:
            self._noted = text
            self._model.sitting.note(text)

    # --- next class, foot ----------------------------------------------------------------

    def _next_class(self, view: SittingView) -> QFrame:
        theme, words = self._context.theme, self._context.words
        made = Paper()
        line = row(made, gap=theme.gap(20))
        margin = theme.gap(20)
        line.setContentsMargins(margin, theme.gap(14), margin, theme.gap(14))
        bell = view.plan.next_bell
        when = rows(gap=2)
        when.addWidget(label(words("end.next"), Type.CAPTION, tone="muted"))
        if bell is not None:
            at = words("end.next.at", n=bell.period, begins=bell_time(bell.begins))
            when.addWidget(label(at, Type.BODY, is_bold=True))
        line.addLayout(when)
        line.addWidget(divider(is_vertical=True))
        for name, next_card in view.plan.next_cards:
            line.addLayout(self._next_lesson(name, next_card), 1)
        return made

    def _next_lesson(self, name: str, next_card: Card) -> QVBoxLayout:
        context, theme = self._context, self._context.theme
        box = rows(gap=2)
        head = row(gap=theme.gap(8))
        subject = next_card.subject
        tone = context.subjects.tone(subject)
        words = context.words("end.class", class_name=name, subject=subject)
        head.addWidget(label(words, Type.CAPTION, tone=tone, is_bold=True))
        head.addWidget(light_with_word(context, next_card.light))
        head.addStretch(1)
        box.addLayout(head)
        box.addWidget(ElidedLabel(theme, next_card.title, Type.BODY))
        return box

    def _foot(self, view: SittingView) -> QHBoxLayout:
        context, theme, words = self._context, self._context.theme, self._context.words
        line = row(gap=theme.gap(16))
        names = words("end.list").join(
            words("end.next.part", name=name, title=title) for name, title in view.plan.next_time
        )
        text = words("end.next.time", names=names) if names else ""
        line.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone="muted"), 1)
        self.carry_on = Button(context, Face(text=words("end.carry_on"), height=48))
        self.done = Button(
            context,
            Face(text=words("end.done"), icon="check", kind="primary", height=48, gap=48),
        )
        self.carry_on.clicked.connect(lambda: self._finish(Ended.CARRY_ON))
        self.done.clicked.connect(lambda: self._finish(Ended.FINISHED))
        line.addWidget(self.carry_on)
        line.addWidget(self.done)
        return line

    def _finish(self, how: Ended) -> None:
        self._save_note()
        for button in (self.carry_on, self.done):
            button.setEnabled(False)
        self.finished.emit(how)
