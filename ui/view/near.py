"""Sharing with PCs near by: the switch, each PC with why it is or is not usable, and the next step.

Invariants:
  NV1  New figures touch neither the switch nor the form: what is being typed, and the focus, stay.
"""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.service.near_view import NearRow
from ui.base.button import Button, Face
from ui.base.choice import Tick
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word, reason_text
from ui.view.today_notices import IconTile
from ui.viewmodel.near import NearModel

_CODE: Final = 260


class NearPaper(WhileSeen, Paper):
    """See the module. With `has_form` the switch and the form for a code are there, too."""

    def __init__(self, context: UiContext, model: NearModel, *, has_form: bool = False) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._watch = model.watch
        self._shown: object = None
        body = rows(self)
        if has_form:
            body.addLayout(self._head())
            body.addWidget(divider())
        self._has_form = has_form
        body.addLayout(self._says())
        self._list = rows()
        body.addLayout(self._list)
        self._form = QWidget()
        if has_form:
            body.addWidget(self._form)
            self._fill_form()
            model.added.connect(self._on_added)
            model.failed.connect(context.say_error)
        self._form.setVisible(has_form)
        model.changed.connect(self._refresh)
        self._refresh()

    # --- the switch ----------------------------------------------------------------------

    def _head(self) -> QVBoxLayout:
        words, theme = self._context.words, self._context.theme
        body = rows(gap=theme.gap(2))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        self.switch = Tick(self._context, words("lan.switch"))
        self.switch.setObjectName("setting-lan_share")
        self.switch.setChecked(self._model.view.is_on)
        self.switch.toggled.connect(lambda on: self._model.share(is_on=on))
        body.addWidget(self.switch)
        hint = label(words("lan.switch_hint"), Type.CAPTION, tone="muted", is_wrapped=True)
        body.addWidget(hint)
        return body

    # --- how it stands -------------------------------------------------------------------

    def _says(self) -> QVBoxLayout:
        words, theme = self._context.words, self._context.theme
        body = rows(gap=theme.gap(8))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        texts = rows(gap=theme.gap(2))
        if not self._has_form:
            texts.addWidget(label(words("settings.lan"), Type.TITLE, is_bold=True))
        self._finding = label("", Type.BODY, is_bold=True, is_wrapped=True)
        texts.addWidget(self._finding)
        self._next = label("", Type.CAPTION, is_wrapped=True)
        texts.addWidget(self._next)
        self._own = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        texts.addWidget(self._own)
        body.addLayout(texts)
        across = row(gap=theme.gap(12))
        self.stick = Button(
            self._context, Face(text=words("lan.stick"), icon="usb", kind="outline")
        )
        self.stick.setObjectName("lan-stick")
        self.stick.clicked.connect(self._model.stick_wanted)
        across.addWidget(self.stick)
        self.check = Button(self._context, Face(text=words("lan.check"), icon="search"))
        self.check.setObjectName("lan-check")
        self.check.clicked.connect(self._model.check)
        across.addWidget(self.check)
        across.addStretch(1)
        body.addLayout(across)
        return body

    def _refresh(self) -> None:
        """Show how it stands (NV1)."""
        model, words = self._model, self._context.words
        view = model.view
        self._finding.setText(reason_text(self._context, view.finding))
        key = "lan.checking" if model.is_busy else f"hint.{view.finding.code}"
        self._next.setText(words(key))
        own = [words("lan.own_code", code=view.code)] if view.code else []
        own += [words("lan.own_address", address=view.address)] if view.address else []
        self._own.setText(" · ".join(own))
        self._own.setVisible(bool(own))
        self.stick.setVisible(view.needs_stick)
        self.check.setVisible(view.is_on)
        self.check.setEnabled(not model.is_busy)
        if self._has_form:
            self._form.setVisible(view.is_on)
            self.add.setEnabled(not model.is_busy)
            self.switch.blockSignals(True)  # noqa: FBT003 - Qt's own
            self.switch.setChecked(view.is_on)
            self.switch.blockSignals(False)  # noqa: FBT003 - Qt's own
        if view.rows != self._shown:
            self._shown = view.rows
            clear(self._list)
            for one in view.rows:
                self._list.addWidget(divider())
                self._list.addWidget(self._row(one))

    def _row(self, one: NearRow) -> QWidget:
        words, context, theme = self._context.words, self._context, self._context.theme
        holder = QWidget()
        across = row(holder, gap=theme.gap(14))
        across.setContentsMargins(theme.gap(16), theme.gap(12), theme.gap(16), theme.gap(12))
        tile = IconTile(context, "monitor", side=40, tone="ink", ground="inset")
        across.addWidget(tile, 0, Qt.AlignmentFlag.AlignVCenter)
        texts = rows(gap=theme.gap(2))
        name = one.room or words("lan.unnamed")
        texts.addWidget(ElidedLabel(theme, name, Type.BODY, is_bold=True))
        known = words("lan.known" if one.is_known else "lan.stranger")
        under = " · ".join((one.address, known, reason_text(context, one.reason)))
        texts.addWidget(label(under, Type.CAPTION, tone="muted", is_wrapped=True))
        across.addLayout(texts, 1)
        light = Light.READY if one.is_usable else Light.NOT_READY
        said = words("lan.usable" if one.is_usable else "lan.unusable")
        across.addWidget(light_with_word(context, light, said), 0, Qt.AlignmentFlag.AlignVCenter)
        holder.setAccessibleName(f"{name}: {under}")
        return holder

    # --- a code --------------------------------------------------------------------------

    def _fill_form(self) -> None:
        words, theme = self._context.words, self._context.theme
        body = rows(self._form, gap=theme.gap(8))
        body.addWidget(divider())
        inner = rows(gap=theme.gap(8))
        inner.setContentsMargins(*(theme.gap(16),) * 4)
        inner.addWidget(label(words("lan.add_title"), Type.BODY, is_bold=True))
        hint = label(words("lan.add_hint"), Type.CAPTION, tone="muted", is_wrapped=True)
        inner.addWidget(hint)
        line = row(gap=theme.gap(8))
        self.code = QLineEdit()
        self.code.setObjectName("lan-code")
        self.code.setPlaceholderText(words("lan.code"))
        self.code.setAccessibleName(words("lan.code"))
        self.code.setFixedWidth(theme.size(_CODE))
        self.code.returnPressed.connect(self._on_add)
        line.addWidget(self.code)
        self.add = Button(self._context, Face(text=words("lan.add"), icon="plus", kind="outline"))
        self.add.setObjectName("lan-add")
        self.add.clicked.connect(self._on_add)
        line.addWidget(self.add)
        line.addStretch(1)
        inner.addLayout(line)
        body.addLayout(inner)

    def _on_add(self) -> None:
        if not self.code.text().strip():
            self.code.setFocus()
            return
        self._context.say("lan.adding")
        self._model.add(self.code.text())

    def _on_added(self) -> None:
        self.code.clear()
        self._context.say("lan.added", tone="good")
