"""Asking for figures only while somebody sees them."""

from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QHideEvent, QShowEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget as _Shown
else:
    _Shown = object


class Watch(Protocol):
    """Told whether somebody looks; a view model's `watch` is one."""

    def __call__(self, *, is_watched: bool) -> None:
        """Note it."""
        ...


class WhileSeen(_Shown):
    """Part of a widget: tells its model when it is shown and hidden.

    Stands before Qt's class; whoever uses it sets `_watch` as it is made.
    """

    _watch: Watch

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Ask while it is seen."""
        super().showEvent(event)
        self._watch(is_watched=True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for nothing while nobody looks."""
        super().hideEvent(event)
        self._watch(is_watched=False)
