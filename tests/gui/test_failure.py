"""What keeps the program from opening is said in a window (ui.base.failure)."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

import main
from client.domain.errors import StorageError
from client.service.command.parse import parse
from client.service.text import Words


@pytest.mark.parametrize("language", [None, "en"])
def test_a_profile_that_cannot_be_opened_is_told(qtbot, tmp_path, language):
    (tmp_path / "file").write_text("no folder")
    arguments = ["--profile", str(tmp_path / "file" / "profile")]
    seen: list[tuple[str, str]] = []

    def read() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            seen.append((box.text(), box.informativeText()))
            qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton)

    timer = QTimer()
    timer.timeout.connect(read)
    timer.start(50)
    words = Words(language) if language else Words()
    call = parse([*arguments, *(["--lang", language] if language else [])], words)
    with pytest.raises(StorageError) as failed:
        main._app(call)
    timer.stop()
    assert seen == [(words.error(failed.value), words.hint(failed.value))]
    assert all(seen[0])
