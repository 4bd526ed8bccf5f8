"""Small panels of 今天: 换, 打印, and 今天是周几第几节."""

from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from client.domain.availability import Light
from client.domain.catalogue import Role
from client.domain.timetable import Bell
from client.service.api import Alternative, Card, Swap, SwapScope
from ui.base.button import Button, Face
from ui.base.choice import Chip
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, clear, row, rows
from ui.base.popover import CLOSE, Popover
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import day_name, light_with_word, place_line

_KIND_KEYS: Final = {
    Swap.UNFINISHED: "today.swap_unfinished",
    Swap.NEXT: "today.swap_next",
    Swap.SAME_UNIT: "today.swap_same_unit",
    Swap.OTHER_EDITION: "today.swap_other_edition",
    Swap.TEXTBOOK: "today.swap_textbook",
}
Chosen = Callable[[Alternative, SwapScope], None]


def head(context: UiContext, popover: Popover, text: str) -> QHBoxLayout:
    """Make a popover's title line with its close button."""
    line = row(gap=context.theme.gap(8))
    line.addWidget(label(text, Type.TITLE, is_bold=True, is_wrapped=True), 1)
    shut = Button(context, Face(icon="x", kind="quiet", height=36))
    shut.setObjectName(CLOSE)
    shut.setAccessibleName(context.words("frame.close"))
    shut.clicked.connect(popover.close)
    line.addWidget(shut)
    return line


class SwapPopover(Popover):
    """Offers what could be taught instead; then asks what happens to the lessons after it."""

    def __init__(self, context: UiContext, window: QWidget, card: Card, chosen: Chosen) -> None:
        super().__init__(context, window, width=460)
        self._card = card
        self._chosen = chosen
        words = context.words
        key = "today.swap_done_title" if card.is_taught else "today.swap_title"
        title = words(key, n=card.key.period, subject=context.subjects.short(card.subject))
        self.body.addLayout(head(context, self, title))
        self._list = rows(gap=context.theme.gap(8))
        self._list.addWidget(label(words("today.swap_loading"), tone="muted"))
        self.body.addLayout(self._list)

    def show_offers(self, offers: tuple[Alternative, ...]) -> None:
        """Put the alternatives in, best first."""
        clear(self._list)
        context = self._context
        if not offers:
            text = context.words("today.swap_none")
            self._list.addWidget(label(text, tone="muted", is_wrapped=True))
        first: Offer | None = None
        for offer in offers:
            entry = Offer(context, offer)
            entry.clicked.connect(lambda _=False, one=offer: self._on_offer(one))
            self._list.addWidget(entry)
            first = first or entry
        self.refit()
        if first is not None:
            first.setFocus()

    def _on_offer(self, offer: Alternative) -> None:
        if self._card.is_taught:
            self._settle(offer, SwapScope.ONCE)
            return
        clear(self._list)
        context = self._context
        self._list.addWidget(ElidedLabel(context.theme, offer_title(context, offer), is_bold=True))
        first: Button | None = None
        for scope in (SwapScope.SHIFT, SwapScope.ONCE):
            face = Face(
                text=context.words(f"today.swap_{scope.value}"),
                side=context.words(f"today.swap_{scope.value}_hint"),
                kind="primary" if first is None else "secondary",
                height=48,
            )
            button = Button(context, face)
            button.clicked.connect(lambda _=False, one=scope: self._settle(offer, one))
            self._list.addWidget(button)
            first = first or button
        self.refit()
        if first is not None:
            first.setFocus()

    def _settle(self, offer: Alternative, scope: SwapScope) -> None:
        self.close()
        self._chosen(offer, scope)


def offer_title(context: UiContext, offer: Alternative) -> str:
    """Name an alternative: its lesson, or the textbook lesson."""
    return offer.title or context.words(_KIND_KEYS[offer.kind])


class Offer(Button):
    """One alternative: kind, title, place and light on a wide button."""

    def __init__(self, context: UiContext, offer: Alternative) -> None:
        words = context.words
        super().__init__(context, Face(text="", height=76))
        kind = words(_KIND_KEYS[offer.kind])
        self.setAccessibleName(f"{kind}: {offer_title(context, offer)}")
        theme = context.theme
        line = row(self, gap=theme.gap(12))
        line.setContentsMargins(theme.gap(14), theme.gap(6), theme.gap(14), theme.gap(6))
        texts = rows(gap=0)
        if offer.title:
            texts.addWidget(label(kind, Type.CAPTION, tone="accent", is_bold=True))
        texts.addWidget(ElidedLabel(theme, offer_title(context, offer), Type.BODY, is_bold=True))
        if offer.kind is Swap.TEXTBOOK:
            below = words("today.swap_textbook_hint")
        elif offer.kind is Swap.OTHER_EDITION:
            below = words("today.swap_other_edition_hint", edition=offer.place.edition)
        else:
            below = place_line(offer.place)
        texts.addWidget(ElidedLabel(theme, below, Type.CAPTION, tone="muted"))
        line.addLayout(texts, 1)
        if offer.kind is not Swap.TEXTBOOK and offer.light is not Light.NO_DEVICE:
            line.addWidget(light_with_word(context, offer.light))


class PrintPopover(Popover):
    """Chooses between the pupils' sheet and the teacher's steps."""

    def __init__(
        self, context: UiContext, window: QWidget, card: Card, chosen: Callable[[str], None]
    ) -> None:
        super().__init__(context, window, width=380)
        words = context.words
        self._chosen = chosen
        self.body.addLayout(head(context, self, words("today.print_title")))
        has_task = any(part.role is Role.TASK and part.is_usable for part in card.parts)
        sheets = (("task", "file-text", has_task), ("steps", "list-checks", True))
        for what, icon, is_there in sheets:
            if not is_there:
                text = words("today.print_no_task")
                self.body.addWidget(label(text, Type.CAPTION, tone="muted", is_wrapped=True))
                continue
            face = Face(
                text=words(f"today.print_{what}"),
                side=words(f"today.print_{what}_hint"),
                icon=icon,
                height=48,
            )
            button = Button(context, face)
            button.clicked.connect(lambda _=False, one=what: self._settle(one))
            self.body.addWidget(button)

    def _settle(self, what: str) -> None:
        self.close()
        self._chosen(what)


class TimePopover(Popover):
    """Asks which day and period it is; one touch on the period answers."""

    def __init__(
        self,
        context: UiContext,
        window: QWidget,
        day: int,
        bells: tuple[Bell, ...],
        chosen: Callable[[int, int], None],
    ) -> None:
        super().__init__(context, window, width=420)
        words = context.words
        self._day = day
        self._chosen = chosen
        self.body.addLayout(head(context, self, words("today.which_day")))
        days = QWidget()
        flow = FlowLayout(days, gap=context.theme.gap(8))
        group = QButtonGroup(self)
        for number in range(1, 8):
            chip = Chip(context, day_name(context, number), height=40)
            chip.setChecked(number == day)
            group.addButton(chip, number)
            flow.addWidget(chip)
        group.idClicked.connect(self._on_day)
        self.body.addWidget(days)
        self.body.addWidget(label(words("today.which_period"), Type.BODY, is_bold=True))
        periods = QWidget()
        lines = FlowLayout(periods, gap=context.theme.gap(8))
        for bell in bells:
            button = Button(context, Face(text=words("frame.period", n=bell.period), height=48))
            button.clicked.connect(lambda _=False, one=bell.period: self._on_period(one))
            lines.addWidget(button)
        self.body.addWidget(periods)

    def _on_day(self, day: int) -> None:
        self._day = day

    def _on_period(self, period: int) -> None:
        self.close()
        self._chosen(self._day, period)
