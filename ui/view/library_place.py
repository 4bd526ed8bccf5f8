"""加入课表: the popover that asks where in the week."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from client.service.placing import PlaceOffer
from ui.base.button import Button, Face
from ui.base.choice import ChoiceRow
from ui.base.context import UiContext
from ui.base.layout import rows
from ui.base.popover import Popover
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import day_name

_MOST = 8


class PlacePopover(Popover):
    """Lists the places; one press puts the lesson there."""

    def __init__(
        self,
        context: UiContext,
        window: QWidget,
        offers: tuple[PlaceOffer, ...],
        put: Callable[[PlaceOffer], None],
    ) -> None:
        super().__init__(context, window)
        self._put = put
        words = context.words
        self.body.addWidget(label(words("library.place_title"), Type.TITLE, is_bold=True))
        holder = QWidget()
        column = rows(holder)
        for offer in offers[:_MOST]:
            key = offer.slot.key
            text = words(
                "library.place_slot",
                day=day_name(context, key.day),
                period=key.period,
                name=offer.class_name,
            )
            hint = words("library.place_free" if offer.is_free else "library.place_taken")
            choice = ChoiceRow(context, text, hint)
            choice.clicked.connect(lambda _=False, one=offer: self._on_chosen(one))
            column.addWidget(choice)
        self.body.addWidget(holder)

    def _on_chosen(self, offer: PlaceOffer) -> None:
        self.close()
        self._put(offer)


class NoPlacePopover(Popover):
    """Says that the week has no such lesson, and leads to the timetable."""

    def __init__(
        self, context: UiContext, window: QWidget, subject: str, leave: Callable[[], None]
    ) -> None:
        super().__init__(context, window)
        words = context.words
        text = words("library.place_none", subject=context.subjects.full(subject))
        self.body.addWidget(label(text, Type.BODY, is_wrapped=True))
        button = Button(context, Face(text=words("library.place_open"), kind="outline"))
        button.clicked.connect(self.close)
        button.clicked.connect(lambda _checked=False: leave())
        self.body.addWidget(button)
