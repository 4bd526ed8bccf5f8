"""Pages of documents: PG1, PG2, PG3."""

import threading

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage

from tests.classroom_kit import make_pdf
from ui.base.dispatch import UiDispatcher
from ui.view.slides import KEPT, Pages

BOX = QSize(400, 300)


@pytest.fixture
def pages(qtbot):
    made = Pages(UiDispatcher())
    yield made
    made.close()


def test_pg1_a_page_comes_later_on_white_paper(pages, qtbot, tmp_path):
    path = make_pdf(tmp_path / "a.pdf", 3)
    assert pages.pixmap(path, 0, BOX) is None
    qtbot.waitUntil(lambda: pages.pixmap(path, 0, BOX) is not None)
    image = pages.pixmap(path, 0, BOX).toImage()
    assert image.height() == 300
    assert image.pixelColor(2, 2) == QColor("white")
    assert pages.length(path) == 3


def test_pg1_files_are_read_on_the_helper_thread_only(pages, qtbot, tmp_path, monkeypatch):
    path = make_pdf(tmp_path / "a.pdf", 2)
    names = []
    draw = pages._drawer.draw
    monkeypatch.setattr(
        pages._drawer,
        "draw",
        lambda *what: (names.append(threading.current_thread().name), draw(*what))[1],
    )
    qtbot.waitUntil(lambda: pages.pixmap(path, 0, BOX) is not None)
    assert all(name.startswith("pages") for name in names)


def test_pg2_the_next_page_is_drawn_ahead(pages, qtbot, tmp_path):
    path = make_pdf(tmp_path / "a.pdf", 3)
    qtbot.waitUntil(lambda: pages.length(path) == 3)
    pages.pixmap(path, 0, BOX)
    key = (path, 1, 400, 300)
    qtbot.waitUntil(lambda: key in pages._kept)
    assert pages.pixmap(path, 1, BOX) is not None


def test_pg3_what_is_no_document_has_no_pages(pages, qtbot, tmp_path):
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"<html>not a pdf</html>")
    gone = tmp_path / "gone.png"
    for path in (bad, gone):
        pages.length(path)
        qtbot.waitUntil(lambda path=path: pages.length(path) is not None)
        assert pages.length(path) == 0
        assert pages.pixmap(path, 0, BOX) is None


def test_a_picture_is_one_page(pages, qtbot, tmp_path):
    path = tmp_path / "map.png"
    image = QImage(800, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#1F7A5A"))
    image.save(str(path))
    qtbot.waitUntil(lambda: pages.pixmap(path, 0, BOX) is not None)
    assert pages.pixmap(path, 0, BOX).size() == QSize(400, 100)
    assert pages.length(path) == 1


def test_few_pages_are_kept(pages, qtbot, tmp_path):
    path = make_pdf(tmp_path / "long.pdf", 14)
    for number in range(14):
        qtbot.waitUntil(lambda number=number: pages.pixmap(path, number, BOX) is not None)
    assert len(pages._kept) <= KEPT


def test_after_close_nothing_is_asked(qtbot, tmp_path):
    pages = Pages(UiDispatcher())
    path = make_pdf(tmp_path / "a.pdf", 1)
    pages.close()
    pages.close()
    assert pages.pixmap(path, 0, BOX) is None
    assert pages.length(path) is None
