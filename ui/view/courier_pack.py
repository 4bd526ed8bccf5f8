"""打包: which lessons, for whom, and whether they fit on this stick.

Invariants:
  PK1  What does not fit cannot be begun; the sum says how much is too much before anything is
       written.
"""

from PySide6.QtWidgets import QLineEdit, QWidget

from client.service.sticks import PackOffer
from ui.base.button import Button, Face
from ui.base.choice import Tick
from ui.base.context import UiContext
from ui.base.layout import clear, rows
from ui.base.popover import Popover
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import repolish
from ui.viewmodel.courier import CourierModel


class PackPopover(Popover):
    """See the module."""

    def __init__(self, context: UiContext, window: QWidget, model: CourierModel) -> None:
        super().__init__(context, window, width=520)
        self.setObjectName("pack")
        self._model = model
        words = context.words
        self.body.addWidget(label(words("courier.pack_title"), Type.TITLE, is_bold=True))
        self.site = QLineEdit()
        self.site.setPlaceholderText(words("courier.pack_for"))
        self.site.setAccessibleName(words("courier.pack_for"))
        self.body.addWidget(self.site)
        self._list = rows(gap=0)
        self.body.addLayout(self._list)
        self._sum = label("", Type.BODY, is_bold=True, is_wrapped=True)
        self.body.addWidget(self._sum)
        face = Face(text=words("courier.pack_begin"), icon="archive", kind="primary")
        self.begin = Button(context, face)
        self.begin.clicked.connect(self._begin)
        self.body.addWidget(self.begin)
        self.ticks: list[Tick] = []
        self._is_listed = False
        model.changed.connect(self._refresh)
        model.ask_offers()
        self._refresh()

    def _refresh(self) -> None:
        """List the lessons once they are known; a stick that is gone closes this."""
        if self._model.volume is None:
            self.close()
            return
        offers = self._model.offers
        if offers is not None and not self._is_listed:
            self._is_listed = True
            clear(self._list)
            words = self._context.words
            has_soon = any(one.is_soon for one in offers)
            for one in offers:
                text = words("courier.pack_line", title=one.title, size=words.size(one.size_bytes))
                tick = Tick(self._context, text)
                tick.setChecked(one.is_soon or not has_soon)
                tick.toggled.connect(lambda _: self._count())
                self.ticks.append(tick)
                self._list.addWidget(tick)
            self.refit()
        self._count()

    def _count(self) -> None:
        """Say whether the chosen lessons fit (PK1)."""
        words, volume = self._context.words, self._model.volume
        if volume is None:
            return
        chosen = self._chosen()
        size = sum(one.size_bytes for one in chosen)
        fits = size <= volume.free_bytes
        if self._model.offers is None:
            text = words("courier.pack_wait")
        elif not self._model.offers:
            text = words("courier.pack_none")
        else:
            key = "courier.pack_fits" if fits else "courier.pack_too_much"
            free, needed = words.size(volume.free_bytes), words.size(size)
            text = words(key, n=len(chosen), size=needed, free=free)
        self._sum.setText(text)
        self._sum.setProperty("tone", "accent" if fits else "red")
        repolish(self._sum)
        self.begin.setEnabled(bool(chosen) and fits)

    def _chosen(self) -> list[PackOffer]:
        offers = self._model.offers or ()
        ticked = zip(offers, self.ticks, strict=False)
        return [one for one, tick in ticked if tick.isChecked()]

    def _begin(self) -> None:
        self._model.pack([one.id for one in self._chosen()], self.site.text().strip())
        self.close()
