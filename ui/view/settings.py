"""设置: look, room and classes, textbooks, where lessons come from, and the way to 体检.

Invariants:
  ST1  There is no "save" button: every touch is kept, and taking a class out can be undone.
"""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.domain.ids import EventId
from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import Fold, Page, row, rows
from ui.base.text import label
from ui.base.theme import Type
from ui.view.hubs import HubsPaper
from ui.view.near import NearPaper
from ui.view.setup_parts import CoversPaper, GradesPaper, LookPaper, SourcesPaper
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.near import NearModel
from ui.viewmodel.setup import SetupModel


class SettingsView(QWidget):
    """The page."""

    doctor_wanted = Signal()

    def __init__(
        self,
        context: UiContext,
        model: SetupModel,
        hubs: HubsModel,
        near: NearModel | None = None,
    ) -> None:
        super().__init__()
        self._context = context
        self._model = model
        theme, words = context.theme, context.words
        self.setProperty("page", "true")
        frame = rows(self)
        page = Page(context)
        frame.addWidget(page)
        body = page.body
        body.setSpacing(theme.gap(12))
        head = row(gap=theme.gap(12))
        head.addWidget(label(words("settings.title"), Type.HEAD, is_bold=True), 1)
        self.doctor = Button(
            context,
            Face(
                text=words("settings.doctor"),
                side="" if theme.is_large else words("settings.doctor_hint"),
                icon="shield-check",
            ),
        )
        self.doctor.clicked.connect(self.doctor_wanted)
        head.addWidget(self.doctor)
        body.addLayout(head)
        self._section(body, "look", LookPaper(context, model))
        body.addSpacing(theme.gap(12))
        body.addWidget(label(words("settings.room"), Type.TITLE, is_bold=True))
        room = Fold(context)
        room.add(GradesPaper(context, model), 4)
        room.add(CoversPaper(context, model), 7)
        body.addWidget(room)
        body.addSpacing(theme.gap(12))
        self._section(body, "sources", SourcesPaper(context, model))
        body.addSpacing(theme.gap(12))
        self._hubs = HubsPaper(context, hubs, has_form=True)
        self._section(body, "hubs", self._hubs)
        if near is not None:
            body.addSpacing(theme.gap(12))
            self._section(body, "lan", NearPaper(context, near, has_form=True))
        self._page = page
        body.addStretch(1)
        hubs.form_wanted.connect(self._on_form_wanted)
        model.failed.connect(context.say_error)
        model.class_removed.connect(self._on_removed)

    def _on_form_wanted(self) -> None:
        """Go to where a hub is added, once the page has its size."""
        QTimer.singleShot(0, self, self._show_form)

    def _show_form(self) -> None:
        self._hubs.url.setFocus()
        self._page.show_widget(self._hubs)

    def _section(self, body: QVBoxLayout, name: str, widget: QWidget) -> None:
        title = label(self._context.words(f"settings.{name}"), Type.TITLE, is_bold=True)
        body.addWidget(title)
        body.addWidget(widget)

    def _on_removed(self, name: str, undo: EventId) -> None:
        words = self._context.words
        self._context.said.emit(
            Say(
                text=words("settings.class_removed", name=name),
                hint=words("settings.class_removed_hint"),
                tone="info",
                action=words("frame.undo"),
                act=lambda: self._model.undo(undo),
            )
        )

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look again whenever the page comes to the front."""
        super().showEvent(event)
        self._model.refresh()
