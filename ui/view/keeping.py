"""The banner above pages with records: what threatens them, and what to do next.

Invariants:
  KW1  It has the words of 体检, takes no focus, and no room while nothing threatens.
"""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from client.service.checks import CheckState, Fix
from client.service.doctor_report import values_of
from ui.base.context import UiContext
from ui.base.layout import clear, rows
from ui.base.notice import Notice
from ui.viewmodel.keeping import KeepingModel

_TONES: Final = {CheckState.BAD: "red", CheckState.ADVICE: "amber"}


class KeepingBanner(QWidget):
    """See the module. `is_wanted` tells whether the page below it shows records."""

    acted = Signal(object)
    """The `Fix` whose button was pressed."""

    def __init__(self, context: UiContext, model: KeepingModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._is_wanted = False
        gap = context.theme.gap
        self._list = rows(self, gap=gap(8))
        self._list.setContentsMargins(gap(24), gap(12), gap(24), 0)
        model.changed.connect(self._rebuild)
        self._rebuild()

    def show_over(self, *, is_wanted: bool) -> None:
        """Stand, or step back, as the page below shows records or not."""
        self._is_wanted = is_wanted
        self.setVisible(is_wanted and bool(self._model.checks))

    def _rebuild(self) -> None:
        clear(self._list)
        words = self._context.words
        for check in self._model.checks:
            key, values = f"doctor.{check.code}_{check.variant}", values_of(check, words)
            notice = Notice(
                self._context,
                words(key, **values),
                hint=words(f"{key}_hint", **values),
                tone=_TONES[check.state],
                action="" if check.fix is Fix.NONE else words(f"doctor.fix_{check.fix.value}"),
            )
            notice.acted.connect(lambda fix=check.fix: self.acted.emit(fix))
            self._list.addWidget(notice)
        self.show_over(is_wanted=self._is_wanted)
