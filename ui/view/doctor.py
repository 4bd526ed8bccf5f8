"""体检: one line per check, the worst first, each with what helps.

Invariants:
  DV1  A check that can be mended here has a button; every other one says what to do in words.
"""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from client.domain.availability import Light
from client.service.checks import Check, CheckState, Fix
from client.service.doctor import Facts
from client.service.doctor_report import values_of
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Page, Paper, clear, divider, row, rows
from ui.base.light import ReadinessLight
from ui.base.text import label
from ui.base.theme import FAMILIES, Type
from ui.view.today_notices import IconTile
from ui.viewmodel.doctor import DoctorModel

ICONS: Final = {
    "disk": "hard-drive",
    "player": "circle-play",
    "screens": "monitor",
    "fonts": "type",
    "keyring": "key-round",
    "journal": "book-open",
    "backups": "archive",
    "clock": "clock-alert",
    "repairs": "shield-check",
    "restore": "history",
    "hub": "cable",
    "catalogue": "library",
}
_LIGHTS: Final = {
    CheckState.OK: Light.READY,
    CheckState.ADVICE: Light.PARTIAL,
    CheckState.BAD: Light.NOT_READY,
    CheckState.UNKNOWN: Light.NO_DEVICE,
}
_STATE_TONES: Final = {
    CheckState.OK: "accent",
    CheckState.ADVICE: "amber",
    CheckState.BAD: "red",
    CheckState.UNKNOWN: "muted",
}
_PAPERS: Final = ((CheckState.BAD, "red"), (CheckState.ADVICE, "amber"))


def seen_facts() -> Facts:
    """Collect what only the screen knows."""
    sizes = tuple(
        (screen.size().width(), screen.size().height()) for screen in QGuiApplication.screens()
    )
    installed = set(QFontDatabase.families())
    return Facts(
        screens=sizes,
        has_screen_font=any(name in installed for name in FAMILIES),
    )


class DoctorView(QWidget):
    """The page."""

    back_wanted = Signal()
    transfer_wanted = Signal()
    send_wanted = Signal()
    hubs_wanted = Signal()

    def __init__(self, context: UiContext, model: DoctorModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        theme = context.theme
        self.setProperty("page", "true")
        frame = rows(self)
        page = Page(context, most_px=960)
        frame.addWidget(page)
        self._body = page.body
        self._body.setSpacing(theme.gap(12))
        self._body.addLayout(self._head())
        self._list = rows(gap=theme.gap(12))
        self._body.addLayout(self._list)
        self._body.addStretch(1)
        model.changed.connect(self._refresh)
        model.mended.connect(self._on_mended)
        model.failed.connect(context.say_error)
        self._refresh()

    def _head(self) -> QHBoxLayout:
        words, theme = self._context.words, self._context.theme
        line = row(gap=theme.gap(12))
        back = Button(
            self._context,
            Face(text=words("frame.settings"), icon="chevron-left", gap=12),
        )
        back.setObjectName("doctor-back")
        back.clicked.connect(self.back_wanted)
        line.addWidget(back)
        self._title = label("", Type.HEAD, is_bold=True)
        line.addWidget(self._title, 1)
        self._again = Button(self._context, Face(text=words("doctor.again"), icon="rotate-ccw"))
        self._again.clicked.connect(self.look)
        line.addWidget(self._again)
        return line

    def look(self) -> None:
        """Look at everything again."""
        self._model.look(seen_facts())

    def _refresh(self) -> None:
        words, model = self._context.words, self._model
        self._again.setEnabled(not model.is_busy)
        self._title.setText(self._verdict())
        clear(self._list)
        if not model.checks:
            self._list.addWidget(label(words("doctor.looking"), tone="muted"))
            return
        for state, tone in _PAPERS:
            checks = [check for check in model.checks if check.state is state]
            if checks:
                self._list.addWidget(self._paper(checks, tone))
        rest = [c for c in model.checks if c.state in (CheckState.OK, CheckState.UNKNOWN)]
        if rest:
            self._list.addWidget(self._paper(rest, ""))

    def _verdict(self) -> str:
        words, model = self._context.words, self._model
        if model.is_busy or not model.checks:
            return words("doctor.looking")
        bad, advice = model.count(CheckState.BAD), model.count(CheckState.ADVICE)
        if bad:
            return words.plural("doctor.verdict_bad", bad)
        if advice:
            return words.plural("doctor.verdict_advice", advice)
        return words("doctor.verdict_ok")

    def _paper(self, checks: list[Check], tone: str) -> QFrame:
        paper = Paper()
        if tone:
            paper.setProperty("card", "")
            paper.setProperty("notice", tone)
        body = rows(paper)
        for number, check in enumerate(checks):
            if number:
                body.addWidget(divider())
            body.addWidget(self._line(check, "" if tone else "muted"))
        return paper

    def _line(self, check: Check, tone: str) -> QWidget:
        """Make a line; `tone` is that of the hint, muted on white alone."""
        words, theme = self._context.words, self._context.theme
        holder = QWidget()
        line = row(holder, gap=theme.gap(14))
        line.setContentsMargins(theme.gap(16), theme.gap(10), theme.gap(16), theme.gap(10))
        line.addWidget(ReadinessLight(theme, _LIGHTS[check.state], 22))
        line.addWidget(
            IconTile(self._context, ICONS[check.code], side=40, tone="ink", ground="inset")
        )
        name = label(words(f"doctor.{check.code}"), Type.BODY, is_bold=True)
        name.setMinimumWidth(theme.size(130))
        line.addWidget(name)
        texts = rows(gap=2)
        values = values_of(check, words)
        key = f"doctor.{check.code}_{check.variant}"
        texts.addWidget(label(words(key, **values), Type.BODY, is_wrapped=True))
        if words.has(f"{key}_hint"):
            hint = words(f"{key}_hint", **values)
            texts.addWidget(label(hint, Type.CAPTION, tone=tone, is_wrapped=True))
        line.addLayout(texts, 1)
        line.addWidget(self._end(check), 0, Qt.AlignmentFlag.AlignVCenter)
        holder.setAccessibleName(f"{name.text()}: {words(f'doctor.state_{check.state.value}')}")
        return holder

    def _end(self, check: Check) -> QWidget:
        words = self._context.words
        if check.fix is Fix.NONE:
            state = words(f"doctor.state_{check.state.value}")
            tone = _STATE_TONES[check.state]
            return label(state, Type.CAPTION, tone=tone, is_bold=True)
        kind = "link" if check.state is CheckState.OK else "outline"
        face = Face(text=words(f"doctor.fix_{check.fix.value}"), kind=kind)
        button = Button(self._context, face)
        button.setEnabled(not self._model.is_busy)
        ways = {
            Fix.OPEN_TRANSFER: self.transfer_wanted,
            Fix.OPEN_SETTINGS: self.hubs_wanted,
            Fix.SEND: self.send_wanted,
        }
        if check.fix in ways:
            button.clicked.connect(ways[check.fix])
        else:
            button.clicked.connect(lambda: self._model.mend(check.fix))
        return button

    def _on_mended(self, fix: Fix, count: int) -> None:
        self._context.say(f"doctor.mended_{fix.value}", tone="good", n=count)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look when the page is opened."""
        super().showEvent(event)
        self.look()
