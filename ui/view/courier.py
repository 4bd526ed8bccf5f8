"""The stick: how far it is, on 传输; above every page, that it may be pulled out.

Invariants:
  CV1  Where no stick is plugged in nothing is shown but why the last one failed.
  CV2  Figures that change do not rebuild the block: the focus stays where it is.
  CV3  How it ended is said above whatever page is open, until that is closed or the stick is gone.
"""

from dataclasses import replace
from typing import Final

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from client.service.sticks import StickEnd, StickProgress, StickStage
from client.service.text import Words
from ui.base.bar import Bar
from ui.base.button import BIG, Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, row, rows
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import repolish
from ui.view.courier_pack import PackPopover
from ui.viewmodel.courier import CourierModel, Phase

_NAMED: Final = 3


class CourierBlock(QFrame):
    """See the module."""

    def __init__(self, context: UiContext, model: CourierModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._model = model
        outer: QVBoxLayout = rows(self)
        paper = Paper("next")
        outer.addWidget(paper)
        body = rows(paper, gap=context.theme.gap(8))
        margin = context.theme.gap(16)
        body.setContentsMargins(margin, margin, margin, margin)
        head = row(gap=context.theme.gap(12))
        head.addWidget(_usb(context, 24))
        self._name = label("", Type.BODY, is_bold=True)
        head.addWidget(self._name, 1)
        self._room = label("", Type.CAPTION, tone="muted")
        head.addWidget(self._room)
        body.addLayout(head)
        self._title = label("", Type.TITLE, is_bold=True, is_wrapped=True)
        body.addWidget(self._title)
        self._strip = Bar(context)
        body.addWidget(self._strip)
        self._says = label("", Type.CAPTION, is_wrapped=True)
        body.addWidget(self._says)
        self._left_out = label("", Type.CAPTION, tone="amber", is_wrapped=True)
        body.addWidget(self._left_out)
        buttons = row(gap=context.theme.gap(12))
        words = context.words
        self.pack = Button(
            context, Face(text=words("courier.pack"), icon="archive", kind="primary", height=BIG)
        )
        self.pack.clicked.connect(self._choose)
        buttons.addWidget(self.pack, 1)
        self.take = Button(context, Face(text=words("courier.take"), icon="download", height=BIG))
        self.take.clicked.connect(model.take)
        buttons.addWidget(self.take, 1)
        body.addLayout(buttons)
        model.changed.connect(self._refresh)
        self._refresh()

    def _choose(self) -> None:
        PackPopover(self._context, self.window(), self._model).open_at(self.pack)

    def _refresh(self) -> None:
        """Show where things stand (CV1, CV2)."""
        model, words = self._model, self._context.words
        volume = model.volume
        self.setVisible(volume is not None)
        if volume is None:
            return
        self._name.setText(words("courier.name", name=volume.name))
        self._room.setText(words("courier.free", size=words.size(volume.free_bytes)))
        is_busy = model.phase is Phase.BUSY
        self._strip.setVisible(is_busy)
        is_usable = not is_busy and not model.is_gone
        self.pack.setVisible(is_usable)
        self.take.setVisible(is_usable)
        is_ours = model.seen is not None and model.seen.is_ours
        text = words("courier.take" if is_ours else "courier.take_record")
        self.take.set_face(replace(self.take.face, text=text))
        self._left_out.setVisible(False)
        self._title.setProperty("tone", "accent" if model.phase is Phase.DONE else "ink")
        repolish(self._title)
        self._show_phase()
        self._says.setVisible(bool(self._says.text()))
        self.setAccessibleName(self._title.text())

    def _show_phase(self) -> None:
        model, words = self._model, self._context.words
        if model.phase is Phase.BUSY:
            self._show_progress(model.progress)
        elif model.phase is Phase.DONE and model.end is not None:
            self._show_end(model.end)
        elif model.phase is Phase.FAILED and model.error is not None:
            self._title.setText(words.error(model.error))
            self._says.setText(words.hint(model.error))
        elif model.seen is not None and model.seen.lessons:
            self._title.setText(words.plural("courier.seen", model.seen.lessons))
            self._says.setText(words("courier.for").join(model.seen.sites))
        else:
            self._title.setText(words("courier.plugged"))
            self._says.setText(words("courier.plugged_hint"))

    def _show_progress(self, progress: StickProgress | None) -> None:
        words = self._context.words
        if progress is None or progress.stage is StickStage.RESULTS:
            self._title.setText(words("courier.results"))
            self._says.setText(words("courier.results_hint"))
            self._strip.set_share(0.0)
            return
        share = progress.done / progress.whole if progress.whole else 0.0
        self._strip.set_share(share)
        if progress.stage is StickStage.TAKING:
            title = words("courier.taking", done=progress.done, whole=progress.whole)
            key = "courier.taking_hint"
        else:
            title = words(
                "courier.packing",
                done=words.size(progress.done),
                whole=words.size(progress.whole),
            )
            key = "courier.packing_hint"
        self._title.setText(title)
        self._says.setText(words(key, title=progress.title) if progress.title else "")

    def _show_end(self, end: StickEnd) -> None:
        words = self._context.words
        self._title.setText(words("courier.pull"))
        self._says.setText(_told(words, end))
        named = [
            words("program.left_out_file", name=one.name, why=words(f"rejected.{one.why}"))
            for one in end.not_taken[:_NAMED]
        ]
        files = words("program.list").join(named)
        if named:
            text = words.plural("program.left_out", len(end.not_taken), files=files)
            self._left_out.setText(text)
        self._left_out.setVisible(bool(named))


class CourierEnd(QFrame):
    """How it ended with the stick, in full width above every page (CV3)."""

    def __init__(self, context: UiContext, model: CourierModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._model = model
        theme = context.theme
        outer = rows(self)
        outer.setContentsMargins(theme.gap(24), theme.gap(12), theme.gap(24), 0)
        self._strip = QFrame()
        outer.addWidget(self._strip)
        across = row(self._strip, gap=theme.gap(16))
        across.setContentsMargins(*(theme.gap(16),) * 4)
        across.addWidget(_usb(context, 32))
        texts = rows(gap=theme.gap(2))
        self._title = label("", Type.HEAD, is_bold=True, is_wrapped=True)
        texts.addWidget(self._title)
        self._says = label("", Type.BODY, is_wrapped=True)
        texts.addWidget(self._says)
        across.addLayout(texts, 1)
        self.shut = Button(context, Face(icon="x", kind="quiet", gap=8))
        self.shut.setAccessibleName(context.words("courier.shut"))
        self.shut.setToolTip(context.words("courier.shut"))
        self.shut.clicked.connect(model.hide_end)
        across.addWidget(self.shut)
        model.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        model, words = self._model, self._context.words
        volume, end, error = model.volume, model.end, model.error
        self.setVisible(volume is not None and model.is_end_shown)
        if volume is None or not model.is_end_shown:
            return
        if end is not None:
            title, says = words("courier.pull_name", name=volume.name), _told(words, end)
        else:
            assert error is not None  # noqa: S101 - it ended, and not well
            title, says = words.error(error), words.hint(error)
        self._strip.setProperty("notice", "red" if end is None else "good")
        self._title.setProperty("tone", "red" if end is None else "accent")
        for one in (self._strip, self._title):
            repolish(one)
        self._title.setText(title)
        self._says.setText(says)
        self.setAccessibleName(title)


def _told(words: Words, end: StickEnd) -> str:
    """Say what came in or went out."""
    key = "courier.taken" if end.stage is StickStage.TAKING else "courier.packed"
    told = [words.plural(key, end.lessons)]
    if end.left_events:
        told.append(words.plural("courier.left", end.left_events))
    if end.receipts:
        told.append(words.plural("courier.receipts", end.receipts))
    return words("program.sentences").join(told)


def _usb(context: UiContext, size: int) -> QLabel:
    made = QLabel()
    pixels = context.theme.size(size)
    made.setPixmap(context.icons.pixmap("usb", context.theme.hex("accent_text"), pixels))
    return made
