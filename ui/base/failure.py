"""A window for what keeps the program from opening: behind an icon nobody reads stderr."""

from PySide6.QtWidgets import QMessageBox

from client.domain.errors import ClassroomError
from client.service.text import Words


def show_failure(error: ClassroomError, words: Words) -> None:
    """Say what happened and what to do next; returns when it was read."""
    box = QMessageBox(QMessageBox.Icon.Critical, words("frame.title"), words.error(error))
    box.setInformativeText(words.hint(error))
    box.addButton(words("frame.close"), QMessageBox.ButtonRole.AcceptRole)
    box.exec()
