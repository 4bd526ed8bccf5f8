"""The hubs of this room: when each was met, what it has not got; where asked for, a way to add one.

Invariants:
  HV1  New figures touch no form: what is being typed, and the focus, stay.
"""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.service.api import HubRow
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word, reason_text, when_text
from ui.view.today_notices import IconTile
from ui.viewmodel.hubs import HubsModel

_CODE: Final = 220


class HubsPaper(WhileSeen, Paper):
    """See the module."""

    settings_wanted = Signal()

    def __init__(self, context: UiContext, model: HubsModel, *, has_form: bool = False) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._watch = model.watch
        self._has_form = has_form
        body = rows(self)
        self._list = rows()
        body.addLayout(self._list)
        if has_form:
            body.addWidget(divider())
            body.addLayout(self._form())
            model.added.connect(self._on_added)
            model.failed.connect(context.say_error)
        model.changed.connect(self._refresh)
        self._refresh()

    # --- what is known -------------------------------------------------------------------

    def _refresh(self) -> None:
        clear(self._list)
        hubs = self._model.rows
        for number, hub in enumerate(hubs or ()):
            if number:
                self._list.addWidget(divider())
            self._list.addWidget(self._hub(hub))
        if hubs is not None and not hubs:
            self._list.addWidget(self._none())
        if self._has_form:
            self.add.setEnabled(not self._model.is_adding)

    def _hub(self, hub: HubRow) -> QWidget:
        words, context = self._context.words, self._context
        when = when_text(context, hub.last_contact_ms)
        met = words("hubs.met", when=when) if when else words("hubs.never")
        reason = reason_text(context, hub.reason) if hub.reason is not None else ""
        silent = words.plural("hubs.silent", hub.silent_days) if hub.silent_days else ""
        under = " · ".join(part for part in (met, reason, silent) if part)
        if hub.waiting:
            light, said = Light.PARTIAL, words.plural("hubs.waiting", hub.waiting)
        else:
            light, said = Light.DONE, words("hubs.sent")
        holder = self._line(hub.name or hub.url, under, light_with_word(context, light, said))
        holder.setAccessibleName(f"{hub.name}: {met}, {said}")
        return holder

    def _none(self) -> QWidget:
        words = self._context.words
        hint = words("hubs.none_hint_here" if self._has_form else "hubs.none_hint")
        if self._has_form:
            return self._line(words("hubs.none"), hint)
        button = Button(self._context, Face(text=words("hubs.to_settings"), kind="outline"))
        button.setObjectName("hubs-settings")
        button.clicked.connect(self.settings_wanted)
        return self._line(words("hubs.none"), hint, button)

    def _line(self, name: str, under: str, end: QWidget | None = None) -> QWidget:
        context, theme = self._context, self._context.theme
        holder = QWidget()
        across = row(holder, gap=theme.gap(14))
        across.setContentsMargins(theme.gap(16), theme.gap(12), theme.gap(16), theme.gap(12))
        tile = IconTile(context, "cable", side=40, tone="ink", ground="inset")
        across.addWidget(tile, 0, Qt.AlignmentFlag.AlignVCenter)
        texts = rows(gap=theme.gap(2))
        texts.addWidget(ElidedLabel(theme, name, Type.BODY, is_bold=True))
        texts.addWidget(label(under, Type.CAPTION, tone="muted", is_wrapped=True))
        across.addLayout(texts, 1)
        if end is not None:
            across.addWidget(end, 0, Qt.AlignmentFlag.AlignVCenter)
        return holder

    # --- adding one ----------------------------------------------------------------------

    def _form(self) -> QVBoxLayout:
        words, theme = self._context.words, self._context.theme
        body = rows(gap=theme.gap(8))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        body.addWidget(label(words("hubs.add_title"), Type.BODY, is_bold=True))
        hint = label(words("hubs.add_hint"), Type.CAPTION, tone="muted", is_wrapped=True)
        body.addWidget(hint)
        line = row(gap=theme.gap(8))
        self.url = self._field("hub-url", "hubs.url")
        line.addWidget(self.url, 1)
        self.code = self._field("hub-code", "hubs.code")
        self.code.setFixedWidth(theme.size(_CODE))
        line.addWidget(self.code)
        self.add = Button(self._context, Face(text=words("hubs.add"), icon="plus", kind="outline"))
        self.add.setObjectName("hub-add")
        self.add.clicked.connect(self._on_add)
        line.addWidget(self.add)
        body.addLayout(line)
        return body

    def _field(self, name: str, key: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setPlaceholderText(self._context.words(key))
        field.setAccessibleName(self._context.words(key))
        field.returnPressed.connect(self._on_add)
        return field

    def _on_add(self) -> None:
        """Go to what is still empty, else enrol."""
        for field in (self.url, self.code):
            if not field.text().strip():
                field.setFocus()
                self._context.say("hubs.both")
                return
        self._context.say("hubs.adding")
        self._model.add(self.url.text(), self.code.text())

    def _on_added(self, name: str) -> None:
        for field in (self.url, self.code):
            field.clear()
        self._context.say("hubs.added", tone="good", name=name)
