"""带回家: which lessons, as a folder or a zip, how far it is, and where it lies.

Invariants:
  TP1  The buttons stand above the list: however long that is, they are in sight.
  TP2  Closing the panel stops nothing; the end is told wherever one is then.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from client.service.sticks import HomeEnd, PackOffer
from ui.base.bar import Bar
from ui.base.button import BIG, Button, Face
from ui.base.choice import Tick
from ui.base.context import Say, UiContext
from ui.base.layout import clear, row, rows
from ui.base.popover import Popover
from ui.base.text import label
from ui.base.theme import Type
from ui.viewmodel.take_home import HomeModel, HomePhase

_MOST: Final = 60
"""Lessons listed; who wants others opens their unit first."""
_NAMED: Final = 3
_ZIP: Final = ".zip"


class HomeTold(QObject):
    """Tells how a pack ended (TP2). GUI thread."""

    def __init__(self, context: UiContext, model: HomeModel) -> None:
        super().__init__(model)
        self._context = context
        self._model = model
        model.ended.connect(self._tell)

    def _tell(self) -> None:
        words, model = self._context.words, self._model
        if model.end is None:
            if model.error is not None:
                self._context.say_error(model.error)
            return
        end = model.end
        said = Say(
            text=words.plural("take_home.done", end.lessons, size=words.size(end.size_bytes)),
            hint=_under(self._context, end),
            tone="amber" if end.not_taken else "good",
            action=words("take_home.open"),
            act=lambda: show_folder(end.path),
        )
        self._context.said.emit(said)


class HomePopover(Popover):
    """See the module.

    Args:
        choose: Asks for the folder that the pack goes to, None when nobody chose one.
    """

    def __init__(
        self,
        context: UiContext,
        window: QWidget,
        model: HomeModel,
        choose: Callable[[], Path | None],
    ) -> None:
        super().__init__(context, window, width=560)
        self.setObjectName("take-home")
        self._model = model
        self._choose = choose
        self._phase: HomePhase | None = None
        self._has_offers = False
        self._makers: tuple[Button, ...] = ()
        self.ticks: list[Tick] = []
        words = context.words
        self.body.addWidget(label(words("take_home.title"), Type.TITLE, is_bold=True))
        hint = label(words("take_home.hint"), Type.CAPTION, tone="muted", is_wrapped=True)
        self.body.addWidget(hint)
        self._says = label("", Type.BODY, is_bold=True, is_wrapped=True)
        self.body.addWidget(self._says)
        self._under = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        self.body.addWidget(self._under)
        self._bar = Bar(context, words("take_home.title"))
        self.body.addWidget(self._bar)
        self._buttons = row(gap=context.theme.gap(12))
        self.body.addLayout(self._buttons)
        self._list = rows()
        self.body.addLayout(self._list)
        model.changed.connect(self._refresh)
        self._refresh()

    # --- what is shown ---------------------------------------------------------------------

    def _refresh(self) -> None:
        model = self._model
        if model.phase is not self._phase or (model.offers is not None) is not self._has_offers:
            self._phase, self._has_offers = model.phase, model.offers is not None
            self._rebuild()
        self._show_figures()

    def _rebuild(self) -> None:
        """Put the buttons and the list of this phase in place."""
        clear(self._buttons)
        clear(self._list)
        self.ticks = []
        self._bar.setVisible(self._phase is HomePhase.BUSY)
        if self._phase is HomePhase.BUSY:
            self._add("take_home.stop", "x", "secondary", self._model.stop)
        elif self._phase is HomePhase.DONE:
            self._add("take_home.open", "folder", "primary", self._open)
            self._add("take_home.close", "check", "secondary", self.close)
        elif self._model.offers:
            folder = self._add(
                "take_home.folder", "folder", "primary", lambda: self._pack(is_zip=False)
            )
            archive = self._add(
                "take_home.zip", "archive", "secondary", lambda: self._pack(is_zip=True)
            )
            self._makers = (folder, archive)
            self._add_ticks(self._model.offers)
        self.refit()

    def _add(self, key: str, icon: str, kind: str, press: Callable[[], object]) -> Button:
        face = Face(text=self._context.words(key), icon=icon, kind=kind, height=BIG, gap=8)
        made = Button(self._context, face)
        made.setObjectName(key)
        made.clicked.connect(lambda _checked=False: press())
        self._buttons.addWidget(made, 1)
        return made

    def _add_ticks(self, offers: tuple[PackOffer, ...]) -> None:
        words = self._context.words
        for one in offers[:_MOST]:
            text = words("courier.pack_line", title=one.title, size=words.size(one.size_bytes))
            tick = Tick(self._context, text)
            tick.setChecked(one.is_soon)
            tick.toggled.connect(lambda _: self._show_figures())
            self.ticks.append(tick)
            self._list.addWidget(tick)
        if len(offers) > _MOST:
            more = words.plural("take_home.more", len(offers) - _MOST)
            self._list.addWidget(label(more, Type.CAPTION, tone="muted", is_wrapped=True))

    def _show_figures(self) -> None:
        model, words = self._model, self._context.words
        under = ""
        if model.phase is HomePhase.BUSY:
            says = words("take_home.busy", done=min(model.done + 1, model.whole), n=model.whole)
            under = words("take_home.busy_hint")
            self._bar.set_share(model.done / model.whole if model.whole else 0.0)
        elif model.phase is HomePhase.DONE and model.end is not None:
            end = model.end
            says = words.plural("take_home.done", end.lessons, size=words.size(end.size_bytes))
            under = _under(self._context, end)
        else:
            says, under = self._choosing()
        self._says.setText(says)
        self._under.setText(under)
        self._under.setVisible(bool(under))

    def _choosing(self) -> tuple[str, str]:
        """Say what is chosen, and above it why the last pack failed."""
        model, words = self._model, self._context.words
        if model.offers is None:
            return words("courier.pack_wait"), ""
        if not model.offers:
            return words("take_home.none"), words("take_home.none_hint")
        chosen = self._chosen()
        for button in self._makers:
            button.setEnabled(bool(chosen))
        size = words.size(sum(one.size_bytes for one in chosen))
        says = words.plural("take_home.chosen", len(chosen), size=size)
        if not chosen:
            says = words("take_home.choose")
        if model.phase is HomePhase.FAILED and model.error is not None:
            return words.error(model.error), words.hint(model.error)
        return says, ""

    def _chosen(self) -> list[PackOffer]:
        offers = self._model.offers or ()
        return [one for one, tick in zip(offers, self.ticks, strict=False) if tick.isChecked()]

    # --- what is done ----------------------------------------------------------------------

    def _pack(self, *, is_zip: bool) -> None:
        chosen = [one.id for one in self._chosen()]
        folder = self._choose()
        if folder is not None:
            name = self._context.words("take_home.name")
            self._model.pack(folder, chosen, name, is_zip=is_zip)

    def _open(self) -> None:
        if self._model.end is not None:
            show_folder(self._model.end.path)


def show_folder(pack: Path) -> None:
    """Have the desktop show where a pack lies: its page, or the folder of a zip."""
    place = pack.parent if pack.suffix == _ZIP else pack / "index.html"
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))


def _under(context: UiContext, end: HomeEnd) -> str:
    """Say where it lies, and what is not in it."""
    words = context.words
    told = [words("take_home.where", path=str(end.path))]
    if end.not_taken:
        named = [
            words("program.left_out_file", name=one.name, why=words(f"rejected.{one.why}"))
            for one in end.not_taken[:_NAMED]
        ]
        files = words("program.list").join(named)
        told.append(words.plural("program.left_out", len(end.not_taken), files=files))
    return words("program.sentences").join(told)
