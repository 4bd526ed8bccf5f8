"""What somebody reads on a window that a test has opened."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QWidget

from ui.base.text import ElidedLabel


def visible_text(widget: QWidget) -> str:
    """Give the texts of all labels that are shown, one a line."""
    # A widget that a layout took in is shown by an event of its own.
    QCoreApplication.sendPostedEvents()
    labels = (*widget.findChildren(QLabel), *widget.findChildren(ElidedLabel))
    return "\n".join(one.text() for one in dict.fromkeys(labels) if one.isVisible())
