"""Tells the moments of starting, for `bench start` and `bench resume`.

With `TONGKE_TIMING` in the environment lines `NAME SECONDS` go to stderr, the seconds being
those of the monotonic clock, which every process of the machine shares.

Invariants:
  TI1  A moment is told after its picture was handed to the screen, not when it was asked for.
  TI2  Each moment is told once. Without the variable nothing is watched.
"""

import os
import sys
import time
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, SignalInstance

VARIABLE: Final = "TONGKE_TIMING"
FIRST_PAINT: Final = "first_paint"
USABLE: Final = "usable"
PICTURE: Final = "picture"

is_timed: Final = bool(os.environ.get(VARIABLE))


class _NextPaint(QObject):
    """Waits for one paint of anything, tells it, and goes."""

    def __init__(self, name: str, app: QCoreApplication) -> None:
        super().__init__(app)
        self._name = name
        app.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """See Qt."""
        if event.type() is QEvent.Type.Paint:
            app = QCoreApplication.instance()
            if app is not None:
                app.removeEventFilter(self)
            # All widgets of this round are painted and flushed before a timer comes.
            QTimer.singleShot(0, self, self._tell)
        return False

    def _tell(self) -> None:
        sys.stderr.write(f"{self._name} {time.monotonic():.6f}\n")
        sys.stderr.flush()
        self.deleteLater()


class Moments:
    """The moments of one start. GUI thread."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def reached(self, name: str) -> None:
        """Tell this moment with the next picture, if somebody asked for times."""
        app = QCoreApplication.instance()
        if is_timed and app is not None and name not in self._told:
            self._told.add(name)
            _NextPaint(name, app)

    def watch(self, signal: SignalInstance, name: str) -> None:
        """Tell this moment when the signal first comes."""
        if is_timed:
            signal.connect(lambda: self.reached(name))
