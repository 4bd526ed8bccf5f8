"""Which screen is whose: the teacher's and the projector's, remembered by what the monitor says.

Invariants:
  SC1  A screen is told apart by what it says of itself (EDID) and its name, never by its number.
  SC2  When the projector is unplugged, `lost` is emitted before anything can appear elsewhere;
       when it is back (or another one comes), `found`.
"""

from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QScreen


def identity(screen: QScreen) -> str:
    """Name a monitor so that it is known again (SC1)."""
    parts = (screen.manufacturer(), screen.model(), screen.serialNumber(), screen.name())
    return "|".join(part.strip() for part in parts)


def shown_name(screen: QScreen) -> str:
    """Name a monitor for people."""
    return " ".join(part for part in (screen.manufacturer(), screen.model()) if part).strip() or (
        screen.name()
    )


class Screens(QObject):
    """Chooses the projector among the screens. GUI thread.

    Args:
        remembered: Identity of the monitor that was the projector last time, empty if none.
    """

    lost = Signal()
    found = Signal(object)
    """The screen that can be the projector now."""

    def __init__(self, remembered: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._remembered = remembered
        self._projector: QScreen | None = self._choose()
        app = cast("QGuiApplication", QGuiApplication.instance())
        app.screenRemoved.connect(self._on_removed)
        app.screenAdded.connect(self._on_added)

    @property
    def projector(self) -> QScreen | None:
        """The projector's screen, None while there is none."""
        return self._projector

    @property
    def teacher(self) -> QScreen:
        """The screen the teacher looks at."""
        others = [one for one in QGuiApplication.screens() if one is not self._projector]
        primary = QGuiApplication.primaryScreen()
        return primary if primary in others or not others else others[0]

    @property
    def remembered(self) -> str:
        """What to remember for next time."""
        return self._remembered

    def swap(self) -> None:
        """Let teacher and projector change places."""
        if self._projector is not None:
            self._take(self.teacher)

    def take(self, screen: QScreen) -> None:
        """Make `screen` the projector."""
        self._take(screen)

    def _take(self, screen: QScreen) -> None:
        self._projector = screen
        self._remembered = identity(screen)

    def _choose(self) -> QScreen | None:
        screens = QGuiApplication.screens()
        if len(screens) < 2:  # noqa: PLR2004 - one screen is mirrored
            return None
        for screen in screens:
            if self._remembered and identity(screen) == self._remembered:
                return screen
        primary = QGuiApplication.primaryScreen()
        return next((screen for screen in screens if screen is not primary), None)

    def _on_removed(self, screen: QScreen) -> None:
        if screen is self._projector:
            self._projector = None
            self.lost.emit()

    def _on_added(self, screen: QScreen) -> None:
        if self._projector is None and len(QGuiApplication.screens()) > 1:
            chosen = self._choose() or screen
            self._projector = chosen
            self.found.emit(chosen)
