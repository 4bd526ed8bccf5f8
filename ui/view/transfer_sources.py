"""从哪儿来 on 传输: each way lessons come, whether it works now, and the one thing that helps.

Invariants:
  TS1  A way is said to work only if it answered; what was not tried yet is not judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from client.domain.availability import Light
from client.domain.spend import Why
from client.service.api import HubRow
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word, reason_text, when_text
from ui.view.today_notices import IconTile
from ui.view.transfer_budget import closed_text
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.transfer import TransferModel

_PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One line: what it is, how it stands, and whether a stick would help."""

    icon: str
    name: str
    under: str
    light: Light
    word: str
    needs_stick: bool = False


class SourcesPaper(Paper):
    """See the module."""

    settings_wanted = Signal()
    stick_wanted = Signal(QWidget)
    """The way is shut: lessons are to go by stick. Carries what was pressed."""

    def __init__(self, context: UiContext, model: TransferModel, hubs: HubsModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._hubs = hubs
        self._kinds: frozenset[str] = frozenset()
        self._stick: tuple[str, int] | None = None
        self._shown: tuple[Way, ...] | None = None
        theme = context.theme
        body = rows(self)
        body.setContentsMargins(*(theme.gap(16),) * 4)
        body.addWidget(label(context.words("transfer.from"), Type.TITLE, is_bold=True))
        self._list = rows()
        body.addLayout(self._list)
        model.changed.connect(self.refresh)
        model.reordered.connect(self.refresh)
        hubs.changed.connect(self.refresh)
        self.refresh()

    def show_kinds(self, kinds: frozenset[str]) -> None:
        """Tell which kinds of sources this room has."""
        self._kinds = kinds
        self.refresh()

    def show_stick(self, name: str, lessons: int) -> None:
        """Tell which stick is plugged in and how many lessons it holds; empty for none."""
        self._stick = (name, lessons) if name else None
        self.refresh()

    def refresh(self) -> None:
        """Show how things stand; nothing is drawn anew while that stays."""
        ways = tuple(self._ways())
        if ways == self._shown:
            return
        self._shown = ways
        clear(self._list)
        for number, way in enumerate(ways):
            if number:
                self._list.addWidget(divider())
            self._list.addWidget(self._line(way))
        if not ways:
            self._list.addWidget(self._none())

    # --- the ways --------------------------------------------------------------------------

    def _ways(self) -> Iterator[Way]:
        for hub in self._hubs.rows or ():
            yield self._hub(hub)
        if self._stick is not None:
            yield self._plugged(*self._stick)
        if _PLATFORM in self._kinds:
            yield self._platform()

    def _hub(self, hub: HubRow) -> Way:
        context, words = self._context, self._context.words
        when = when_text(context, hub.last_contact_ms)
        under = words("hubs.met", when=when) if when else words("hubs.never")
        if hub.reason is not None:
            under = reason_text(context, hub.reason)
        light, word = _judged(hub.answers)
        return Way(
            icon="cable",
            name=hub.name or hub.url,
            under=under,
            light=light,
            word=words(word),
            needs_stick=hub.answers is False,
        )

    def _plugged(self, name: str, lessons: int) -> Way:
        words = self._context.words
        under = words.plural("transfer.stick_lessons", lessons) if lessons else ""
        return Way(
            icon="usb",
            name=words("transfer.stick", name=name),
            under=under or words("transfer.stick_other"),
            light=Light.READY,
            word=words("transfer.way_open"),
        )

    def _platform(self) -> Way:
        """Tell of the platform; what the link may cost shuts it as well (TS1)."""
        words, status = self._context.words, self._model.status
        light, word = _judged(status.is_online)
        when = when_text(self._context, status.last_contact_ms)
        under = words("transfer.last_contact", when=when) if when else words("transfer.way_never")
        shut = closed_text(self._context, status.link)
        if shut and status.is_online is not False:
            light, word, under = Light.PARTIAL, "transfer.way_limited", shut
        may_wait = status.link is None or status.link.limit is not Why.MONTH
        return Way(
            icon="globe",
            name=words("first_run.kind_platform"),
            under=under,
            light=light,
            word=words(word),
            needs_stick=status.is_online is False or not may_wait,
        )

    # --- drawing ---------------------------------------------------------------------------

    def _line(self, way: Way) -> QWidget:
        context, theme = self._context, self._context.theme
        holder = QWidget()
        holder.setAccessibleName(f"{way.name}: {way.word}, {way.under}")
        across = row(holder, gap=theme.gap(12))
        across.setContentsMargins(0, theme.gap(10), 0, theme.gap(10))
        tile = IconTile(context, way.icon, side=36, tone="ink", ground="inset")
        across.addWidget(tile, 0, Qt.AlignmentFlag.AlignTop)
        texts = rows(gap=theme.gap(2))
        head = row(gap=theme.gap(8))
        head.addWidget(ElidedLabel(theme, way.name, Type.BODY, is_bold=True), 1)
        head.addWidget(light_with_word(context, way.light, way.word))
        texts.addLayout(head)
        texts.addWidget(label(way.under, Type.CAPTION, tone="muted", is_wrapped=True))
        if way.needs_stick:
            face = Face(text=context.words("transfer.by_stick"), icon="usb", kind="link")
            button = Button(context, face)
            button.setObjectName("by-stick")
            button.clicked.connect(lambda: self.stick_wanted.emit(button))
            texts.addWidget(button, 0, Qt.AlignmentFlag.AlignLeading)
        across.addLayout(texts, 1)
        return holder

    def _none(self) -> QWidget:
        context, theme, words = self._context, self._context.theme, self._context.words
        holder = QWidget()
        column = rows(holder, gap=theme.gap(8))
        column.setContentsMargins(0, theme.gap(8), 0, 0)
        hint = words("transfer.from_none")
        column.addWidget(label(hint, Type.CAPTION, tone="muted", is_wrapped=True))
        button = Button(context, Face(text=words("hubs.to_settings"), kind="outline"))
        button.setObjectName("sources-settings")
        button.clicked.connect(self.settings_wanted)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeading)
        return holder


def _judged(answers: bool | None) -> tuple[Light, str]:  # noqa: FBT001 - three values
    """Choose light and word of a way by whether it answered (TS1)."""
    if answers is None:
        return Light.NO_DEVICE, "transfer.way_untried"
    if answers:
        return Light.READY, "transfer.way_open"
    return Light.NOT_READY, "transfer.way_shut"
