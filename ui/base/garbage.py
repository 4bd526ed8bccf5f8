"""Python's collector of cycles, on the GUI thread only.

Left to itself it runs on whichever thread happens to allocate. Widgets that are part of a cycle are
then deleted beside the GUI thread, which may be walking over them: a segmentation fault.

Invariants:
  GC1  From the first `Collector` on nothing is collected on any other thread than the GUI's.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

_LOOK_MS: Final = 1000


class Collector(QObject):
    """Collects now and then. Lives as long as the windows do."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        timer = QTimer(self)
        timer.setInterval(_LOOK_MS)
        timer.timeout.connect(collect)
        timer.start()


def collect() -> None:
    """Collect the oldest generation that is due, on this thread."""
    counts, limits = gc.get_count(), gc.get_threshold()
    due = [number for number in range(3) if counts[number] > limits[number]]
    if due:
        gc.collect(due[-1])
