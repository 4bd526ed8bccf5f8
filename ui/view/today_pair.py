"""The card of several grades that are taught at the same time (复式).

Invariants:
  PC1  The button asks who gets the screen, in its own place; the choice takes the focus at once.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from client.domain.timetable import ClassGroup
from client.service.api import Card, CardAction
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import clear, row, rows
from ui.view.today_cards import (
    CardCalls,
    CardFrame,
    Footer,
    Half,
    all_names,
    help_button,
    start_face,
)


class PairCard(CardFrame):
    """The lessons of several grades in one frame, with one button below (复式)."""

    def __init__(
        self,
        context: UiContext,
        cards: Sequence[Card | None],
        classes: Sequence[ClassGroup],
        calls: CardCalls,
        *,
        kind: str,
    ) -> None:
        super().__init__(context, "next" if kind == "primary" else "true")
        theme = context.theme
        self._calls = calls
        self._kind = kind
        self._cards = [card for card in cards if card is not None]
        self._names = {group.id: group.name for group in classes}
        body = rows(self)
        halves = row(gap=0)
        for card in cards:
            if card is None:
                halves.addStretch(1)
                continue
            footer = Footer(context, card, calls, help_button(context, card, calls))
            halves.addWidget(Half(context, card, footer), 1)
        body.addLayout(halves)
        self._place = row(gap=theme.gap(12))
        pad = theme.gap(14)
        self._place.setContentsMargins(pad, theme.gap(2), pad, pad)
        body.addLayout(self._place)
        self._show_button()

    def _startable(self) -> list[Card]:
        return [c for c in self._cards if c.action in (CardAction.START, CardAction.RESUME)]

    def _show_button(self) -> None:
        clear(self._place)
        context = self.context
        words = context.words
        able = self._startable()
        height = 48 if self._kind == "primary" else 40
        self.main = None
        if not able:
            return
        if all(card.action is CardAction.RESUME for card in able):
            face = start_face(context, able[0], self._kind, height)
        else:
            is_two = len(self._cards) == len(("one", "other"))
            face = Face(
                text=words("today.both" if is_two else "today.all"),
                side=words("today.both_hint"),
                icon="columns-2",
                kind=self._kind,
                height=height,
                is_bold=True,
            )
        self.main = Button(context, face)
        self.main.clicked.connect(self._on_main)
        self._place.addWidget(self.main, 1)

    def _on_main(self) -> None:
        able = self._startable()
        if len(able) == 1 or all(card.action is CardAction.RESUME for card in able):
            self._start(able[0])
            return
        self.choose()

    def choose(self) -> None:
        """Put one large choice per grade in the place of the button; nothing pops up."""
        clear(self._place)
        context = self.context
        buttons: list[Button] = []
        for card in self._startable():
            name = self._names.get(card.key.class_id, card.key.class_id)
            others = [
                self._names.get(other.key.class_id, other.key.class_id)
                for other in self._cards
                if other is not card
            ]
            rest = context.words("today.first_hint", names=all_names(context, others))
            face = Face(
                text=context.words("today.first", name=name),
                side="" if context.theme.is_large else rest,
                icon="monitor",
                kind="primary" if not buttons else "outline",
                height=64,
            )
            button = Button(context, face)
            button.clicked.connect(lambda _=False, chosen=card: self._start(chosen))
            self._place.addWidget(button, 1)
            buttons.append(button)
        self.main = buttons[0]
        self.take_focus()

    def take_focus(self) -> None:
        """Put the focus on the main button at once: a second press may follow quickly."""
        for at in range(self._place.count()):
            button = self._place.itemAt(at).widget()
            if button is not None:
                button.show()
        if self.main is not None:
            self.main.setFocus()

    def is_choosing(self) -> bool:
        """Tell whether the choice stands in the place of the button."""
        return self._place.count() > 1

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Esc put the one button back."""
        if event.key() == Qt.Key.Key_Escape and self.is_choosing():
            self._show_button()
            self.take_focus()
            return
        super().keyPressEvent(event)

    def _start(self, first: Card) -> None:
        self._calls.start((first, *(card for card in self._cards if card is not first)))
