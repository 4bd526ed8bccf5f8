"""The cards of 今天: single, joint class, and the quiet ones (pairs: today_pair.py).

Invariants:
  K1  Each card that can be taught has one main button, and it says what it will do.
  K2  If the footer does not fit, words drop and tool tips stay; nothing is cut off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.domain.catalogue import Role
from client.domain.timetable import ClassGroup, TeachingMode
from client.service.api import Card, CardAction, CardPart
from client.service.plan_words import sentence
from client.service.stopped_words import other, until, why
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, row, rows
from ui.base.light import TONES
from ui.base.paint import paint_card_bar
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word, place_line, reason_text

PART_ICONS: Final = {
    Role.VIDEO: "video",
    Role.SLIDES: "presentation",
    Role.PLAN: "notebook-pen",
    Role.TASK: "file-text",
    Role.EXERCISE: "list-checks",
    Role.AUDIO: "audio-lines",
    Role.TEXTBOOK: "book-open",
    Role.EXPERIMENT: "flask-conical",
}
_MODE_KEYS: Final = {
    TeachingMode.DELIVERY: "today.mode_delivery",
    TeachingMode.MASTER: "today.mode_master",
    TeachingMode.PARTNER: "today.mode_partner",
}
_BAR: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCalls:
    """What the buttons of a card do."""

    start: Callable[[Sequence[Card]], None]
    help: Callable[[Card], None]
    swap: Callable[[Card, QWidget], None]
    print: Callable[[Card, QWidget], None]
    replace: Callable[[Card], None]


def is_quiet(card: Card) -> bool:
    """Tell whether a card needs one small line only: taught, or nothing to prepare."""
    return card.light in (Light.DONE, Light.NO_DEVICE) and card.action is CardAction.NONE


def is_joint(cards: Sequence[Card | None]) -> bool:
    """Tell whether all classes are taught the same lesson together (合班)."""
    present = [card for card in cards if card is not None]
    if len(present) != len(cards) or len(present) <= 1:
        return False
    first = present[0]
    return first.lesson is not None and all(
        (card.lesson, card.subject) == (first.lesson, first.subject) for card in present
    )


def all_names(context: UiContext, names: Sequence[str]) -> str:
    """Put names of classes into one phrase."""
    return reduce(lambda one, other: context.words("today.and", a=one, b=other), names)


class PartIcon(QWidget):
    """Icon and word of a part; a missing one is dashed."""

    def __init__(self, context: UiContext, part: CardPart) -> None:
        super().__init__()
        self._context = context
        self._part = part
        self._is_word_hidden = False
        word = context.words(f"role.{part.role.value}")
        self._word = word
        spoken = word if part.is_usable else context.words("role.missing", role=word)
        self.setAccessibleName(spoken)
        self.setToolTip(spoken)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def hide_word(self, *, is_hidden: bool) -> None:
        """Show the icon alone."""
        self._is_word_hidden = is_hidden
        self.updateGeometry()

    def full_width(self) -> int:
        """Tell the width with the word."""
        theme = self._context.theme
        word = QFontMetrics(theme.font(Type.CAPTION)).horizontalAdvance(self._word)
        return theme.size(18) + theme.gap(4) + word + 1

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Icon 18, word 13."""
        theme = self._context.theme
        width = theme.size(18) if self._is_word_hidden else self.full_width()
        return QSize(width, theme.size(24))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint both, dashed when the part is missing."""
        theme = self._context.theme
        token = "ink" if self._part.is_usable else "muted"
        side = theme.size(18)
        pixmap = self._context.icons.pixmap(
            PART_ICONS[self._part.role], theme.hex(token), side, is_dashed=not self._part.is_usable
        )
        painter = QPainter(self)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - side if is_rtl else 0
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
        if not self._is_word_hidden:
            font = theme.font(Type.CAPTION)
            painter.setFont(font)
            painter.setPen(theme.color(token))
            shift = side + theme.gap(4)
            box = QRectF(0 if is_rtl else shift, 0, self.width() - shift, self.height())
            align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, int(align), self._word)
            if not self._part.is_usable:
                pen = QPen(theme.color("muted"), 1)
                pen.setDashPattern([3, 2])
                painter.setPen(pen)
                y = self.height() - 2
                painter.drawLine(int(box.left()), y, int(box.right()), y)
        painter.end()


class Footer(QWidget):
    """Parts, 换, 打印 and perhaps a button; drops words until it fits (K2)."""

    def __init__(
        self, context: UiContext, card: Card, calls: CardCalls, button: Button | None = None
    ) -> None:
        super().__init__()
        self._gap = context.theme.gap(8)
        self._parts = [PartIcon(context, part) for part in card.parts]
        self._quiet = quiet_actions(context, card, calls)
        self._button = button
        line = row(self, gap=self._gap)
        for part in self._parts:
            line.addWidget(part)
        line.addStretch(1)
        for action in self._quiet:
            line.addWidget(action)
        if button is not None:
            line.addWidget(button)
        self._hide_words(parts=True, quiet=True)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Choose which words are shown."""
        super().resizeEvent(event)
        count = len(self._parts) + len(self._quiet) + (self._button is not None)
        gaps = self._gap * (count + 1)
        button = self._button.sizeHint().width() if self._button is not None else 0
        parts = sum(part.full_width() for part in self._parts)
        quiet = sum(action.full_width() for action in self._quiet)
        icons = self._parts[0].height() * len(self._parts) if self._parts else 0
        all_fits = parts + quiet + button + gaps <= self.width()
        some_fits = icons + quiet + button + gaps <= self.width()
        self._hide_words(parts=not all_fits, quiet=not some_fits)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Icons alone must fit; the words come when there is room."""
        layout = self.layout()
        height = layout.sizeHint().height() if layout is not None else 0
        return QSize(120, height)

    def _hide_words(self, *, parts: bool, quiet: bool) -> None:
        for part in self._parts:
            part.hide_word(is_hidden=parts)
        for action in self._quiet:
            action.hide_text(is_hidden=quiet)


def quiet_actions(context: UiContext, card: Card, calls: CardCalls) -> list[Button]:
    """Make 换 and 打印, and 用替代课. A card without a lesson has nothing to print."""
    words = context.words
    swap = Button(
        context, Face(text=words("today.swap"), icon="arrow-left-right", kind="quiet", height=36)
    )
    swap.clicked.connect(lambda: calls.swap(card, swap))
    if card.lesson is None:
        return [swap]
    if card.action in (CardAction.REPLACE, CardAction.SWAP):
        # Its main button swaps, and there is nothing left to print.
        return [swap] if card.action is CardAction.REPLACE else []
    paper = Button(
        context, Face(text=words("today.print"), icon="printer", kind="quiet", height=36)
    )
    paper.clicked.connect(lambda: calls.print(card, paper))
    if card.stopped is None or not card.stopped.replacement_title:
        return [swap, paper]
    instead = Button(
        context, Face(text=words("today.replace"), icon="repeat", kind="quiet", height=36)
    )
    instead.setObjectName("replace")
    instead.clicked.connect(lambda: calls.replace(card))
    return [swap, paper, instead]


_HELPS: Final = {
    CardAction.FETCH: ("today.fetch", "download"),
    CardAction.IMPORT: ("today.import", "usb"),
    CardAction.REPLACE: ("today.replace", "repeat"),
    CardAction.SWAP: ("today.swap", "arrow-left-right"),
}
"""Words and picture of what helps."""


def help_button(
    context: UiContext, card: Card, calls: CardCalls, height: int = 36
) -> Button | None:
    """Make the one action that helps a red card, None when there is none."""
    if card.action not in _HELPS:
        return None
    key, icon = _HELPS[card.action]
    text = context.words(key)
    face = Face(text=text, icon=icon, kind="outline", height=height, gap=12)
    button = Button(context, face)
    acts: dict[CardAction, Callable[[], None]] = {
        CardAction.REPLACE: lambda: calls.replace(card),
        CardAction.SWAP: lambda: calls.swap(card, button),
    }
    button.clicked.connect(acts.get(card.action, lambda: calls.help(card)))
    return button


def start_face(context: UiContext, card: Card, kind: str, height: int) -> Face:
    """Say what the main button of a card does."""
    words = context.words
    text = words("today.start")
    if card.action is CardAction.RESUME:
        text = words("today.resume_at", at=words.length(card.resume_s or 0.0))
    return Face(text=text, icon="play", kind=kind, height=height, is_bold=kind != "secondary")


def eyebrow(context: UiContext, card: Card, *, subject: str = "") -> QHBoxLayout:
    """Make the first line: subject, minutes, mode, and the light at the far end."""
    words = context.words
    line = row(gap=context.theme.gap(8))
    tone = context.subjects.tone(card.subject)
    name = subject or context.subjects.short(card.subject)
    line.addWidget(label(name, Type.CAPTION, tone=tone, is_bold=True))
    facts = [words.plural("today.minutes", card.minutes)]
    if card.is_taught:
        facts = [words("today.recorded")]
    elif card.video_s > 0:
        facts.append(words.plural("today.video", max(1, round(card.video_s / 60))))
    if (mode := _MODE_KEYS.get(card.mode)) is not None:
        facts.append(words(mode))
    line.addWidget(ElidedLabel(context.theme, " · ".join(facts), Type.CAPTION, tone="muted"), 1)
    line.addWidget(_lamp(context, card))
    return line


def _lamp(context: UiContext, card: Card) -> QWidget:
    word = ""
    if card.action is CardAction.RESUME:
        at = context.words.length(card.resume_s or 0.0)
        word = context.words("today.stopped_at", at=at)
    return light_with_word(context, card.light, word)


class Half(QWidget):
    """What one class is taught: subject bar, words and footer, without a frame of its own."""

    def __init__(self, context: UiContext, card: Card, footer: QWidget) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        self._colour = theme.color(context.subjects.tone(card.subject))
        body: QVBoxLayout = rows(self, gap=theme.gap(2))
        pad = theme.gap(14)
        body.setContentsMargins(pad + _BAR, theme.gap(10), pad, theme.gap(10))
        body.addLayout(eyebrow(context, card))
        title = card.title or context.words("today.no_lesson")
        body.addWidget(ElidedLabel(theme, title, Type.TITLE, is_bold=True, lines=2))
        place = place_line(card.place, card.unit)
        if place:
            body.addWidget(ElidedLabel(theme, place, Type.CAPTION, tone="muted"))
        if card.stopped is not None:
            for text in stopped_lines(context, card):
                body.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone="amber_text", lines=2))
        elif card.reason is not None and card.light is not Light.READY:
            text = reason_text(context, card.reason)
            if card.promise is not None:
                text = sentence(context.words, card.promise)
            body.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone=TONES[card.light]))
        body.addStretch(1)
        body.addWidget(footer)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the subject's bar on the leading edge."""
        painter = QPainter(self)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        paint_card_bar(painter, QRectF(self.rect()), self._colour, is_rtl=is_rtl, width=_BAR)
        painter.end()


def stopped_lines(context: UiContext, card: Card) -> tuple[str, ...]:
    """Say of a withdrawn lesson why, how long it may be used, and what replaces it."""
    stopped = card.stopped
    if stopped is None:
        return ()
    words = context.words
    found = (f"{why(words, stopped)} · {until(words, stopped)}", other(words, stopped))
    return tuple(line for line in found if line)


class CardFrame(Paper):
    """The paper of a card. `main` is its main button, None where nothing can be started."""

    def __init__(self, context: UiContext, kind: str) -> None:
        super().__init__(kind)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.context = context
        self.main: Button | None = None


class QuietCard(CardFrame):
    """One line for a lesson that was taught, or that needs nothing."""

    def __init__(self, context: UiContext, card: Card, calls: CardCalls) -> None:
        is_done = card.light is Light.DONE
        super().__init__(context, "done" if is_done else "true")
        theme = context.theme
        self._colour = theme.color(context.subjects.tone(card.subject))
        if is_done:
            self._colour.setAlphaF(0.55)
        body = rows(self, gap=0)
        pad = theme.gap(14)
        body.setContentsMargins(pad + _BAR, theme.gap(4), theme.gap(8), theme.gap(4))
        body.addLayout(eyebrow(context, card))
        below = row(gap=theme.gap(4))
        title = card.title or context.subjects.full(card.subject)
        tone = "muted" if is_done or not card.title else "ink"
        below.addWidget(ElidedLabel(theme, title, Type.BODY, tone=tone, is_bold=not is_done), 1)
        for action in quiet_actions(context, card, calls):
            action.set_face(replace(action.face, height=26))
            below.addWidget(action)
        body.addLayout(below)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint paper and bar."""
        super().paintEvent(event)
        painter = QPainter(self)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        paint_card_bar(painter, box, self._colour, is_rtl=is_rtl, width=_BAR)
        painter.end()


class SingleCard(CardFrame):
    """One class's lesson with its own button in the footer."""

    def __init__(self, context: UiContext, card: Card, calls: CardCalls, *, kind: str) -> None:
        super().__init__(context, "next" if kind == "primary" else "true")
        button: Button | None
        if card.action in (CardAction.START, CardAction.RESUME):
            button = Button(
                context, start_face(context, card, kind, 48 if kind == "primary" else 40)
            )
            button.clicked.connect(lambda: calls.start((card,)))
        else:
            button = help_button(context, card, calls, 40)
        self.main = button
        body = rows(self)
        body.addWidget(Half(context, card, Footer(context, card, calls, button)))


class JointCard(CardFrame):
    """One lesson for all classes together, in one line over all columns."""

    def __init__(
        self,
        context: UiContext,
        cards: Sequence[Card],
        classes: Sequence[ClassGroup],
        calls: CardCalls,
        *,
        kind: str,
    ) -> None:
        super().__init__(context, "next" if kind == "primary" else "true")
        theme = context.theme
        card = cards[0]
        self._colour = theme.color(context.subjects.tone(card.subject))
        line = row(self, gap=theme.gap(16))
        pad = theme.gap(14)
        line.setContentsMargins(pad + _BAR, theme.gap(10), pad, theme.gap(10))
        texts = rows(gap=theme.gap(2))
        names = all_names(context, [group.name for group in classes])
        subject = context.words(
            "today.joint", subject=context.subjects.short(card.subject), classes=names
        )
        texts.addLayout(eyebrow(context, card, subject=subject))
        title = card.title or context.words("today.no_lesson")
        texts.addWidget(ElidedLabel(theme, title, Type.TITLE, is_bold=True))
        for text in stopped_lines(context, card):
            texts.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone="amber_text", lines=2))
        line.addLayout(texts, 1)
        if card.action in (CardAction.START, CardAction.RESUME):
            button = Button(context, start_face(context, card, kind, 40))
            button.clicked.connect(lambda: calls.start(tuple(cards)))
            self.main = button
        else:
            self.main = help_button(context, card, calls, 40)
        line.addWidget(Footer(context, card, calls, self.main), 1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint paper and bar."""
        super().paintEvent(event)
        painter = QPainter(self)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        paint_card_bar(painter, box, self._colour, is_rtl=is_rtl, width=_BAR)
        painter.end()
