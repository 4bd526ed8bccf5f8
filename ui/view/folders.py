"""The watched folders on 传输: how each stands, adding one, and watching one no longer.

Invariants:
  FV1  Watching one no longer takes nothing away, and can be undone from the notice that says so.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from client.service.api import WatchedRow
from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import reason_text
from ui.view.today_notices import IconTile
from ui.viewmodel.folders import FoldersModel


class FoldersPaper(WhileSeen, Paper):
    """See the module.

    Args:
        choose: Asks for a folder, None when nobody chose one.
    """

    def __init__(
        self, context: UiContext, model: FoldersModel, choose: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._watch = model.watch
        self._choose = choose
        theme, words = context.theme, context.words
        body = rows(self)
        title = label(words("folders.title"), Type.TITLE, is_bold=True)
        title.setContentsMargins(theme.gap(16), theme.gap(16), theme.gap(16), 0)
        body.addWidget(title)
        self._list = rows()
        body.addLayout(self._list)
        foot = rows(gap=theme.gap(12))
        foot.setContentsMargins(theme.gap(16), theme.gap(8), theme.gap(16), theme.gap(16))
        hint = label(words("folders.hint"), Type.CAPTION, tone="muted", is_wrapped=True)
        foot.addWidget(hint)
        self.add = Button(context, Face(text=words("folders.add"), icon="plus", kind="outline"))
        self.add.setObjectName("folder-add")
        self.add.clicked.connect(self._on_add)
        foot.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeading)
        body.addLayout(foot)
        model.changed.connect(self._refresh)
        model.failed.connect(context.say_error)
        self._refresh()

    def _refresh(self) -> None:
        clear(self._list)
        for one in self._model.rows or ():
            self._list.addWidget(self._folder(one))
            self._list.addWidget(divider())

    def _folder(self, one: WatchedRow) -> QWidget:
        context, theme, words = self._context, self._context.theme, self._context.words
        name = one.path.name or str(one.path)
        holder = QWidget()
        holder.setToolTip(str(one.path))
        across = row(holder, gap=theme.gap(12))
        across.setContentsMargins(theme.gap(16), theme.gap(12), theme.gap(16), theme.gap(12))
        tile = IconTile(context, "folder", side=36, tone="ink", ground="inset")
        across.addWidget(tile, 0, Qt.AlignmentFlag.AlignTop)
        texts = rows(gap=theme.gap(2))
        texts.addWidget(ElidedLabel(theme, name, Type.BODY, is_bold=True))
        says = reason_text(context, one.reason) if one.reason else words("folders.new")
        texts.addWidget(label(says, Type.CAPTION, tone="muted", is_wrapped=True))
        forget = Button(context, Face(text=words("folders.forget"), kind="link"))
        forget.setObjectName("folder-forget")
        forget.setAccessibleName(words("folders.forget_name", name=name))
        forget.clicked.connect(lambda: self._on_forget(one.path))
        texts.addWidget(forget, 0, Qt.AlignmentFlag.AlignLeading)
        across.addLayout(texts, 1)
        return holder

    def _on_add(self) -> None:
        folder = self._choose()
        if folder is not None:
            self._model.set_watched(folder, is_watched=True)

    def _on_forget(self, folder: Path) -> None:
        """Watch it no longer, offering the way back (FV1)."""
        words = self._context.words
        self._model.set_watched(folder, is_watched=False)
        self._context.said.emit(
            Say(
                text=words("folders.forgotten", name=folder.name or str(folder)),
                hint=words("folders.forgotten_hint"),
                action=words("frame.undo"),
                act=lambda: self._model.set_watched(folder, is_watched=True),
            )
        )
