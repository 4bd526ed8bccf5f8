"""Pages of documents as pictures: PDF and image files, drawn by one helper thread.

Invariants:
  PG1  The GUI thread never reads a file or draws a page; a page that is not there yet is None
       and `ready` tells when it came.
  PG2  The page after the one asked for is drawn ahead.
  PG3  A document that cannot be drawn has 0 pages and hurts nobody.
"""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPixmap

from ui.base.dispatch import UiDispatcher

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfDocument

KEPT: Final = 8
_Wanted = tuple[Path, int, int, int]


class Pages(QObject):
    """Gives pages as pixmaps, by path, number and box in pixels. GUI thread."""

    ready = Signal()
    """A page or a length became known."""

    def __init__(self, dispatcher: UiDispatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dispatcher = dispatcher
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages")
        self._drawer = _Drawer()
        self._kept: OrderedDict[_Wanted, QPixmap] = OrderedDict()
        self._waiting: set[_Wanted] = set()
        self._lengths: dict[Path, int] = {}
        self._is_closed = False

    def length(self, path: Path) -> int | None:
        """Count the pages; None while it is not known, 0 when it cannot be drawn (PG3)."""
        if path not in self._lengths and not self._is_closed:
            self._lengths[path] = -1
            future = self._thread.submit(self._drawer.length, path)
            self._dispatcher.watch(future, done=lambda n: self._on_length(path, n), owner=self)
        known = self._lengths.get(path, -1)
        return known if known >= 0 else None

    def pixmap(self, path: Path, page: int, box: QSize) -> QPixmap | None:
        """Give a page scaled into `box` (device pixels), None while it is being drawn (PG1)."""
        found = self._want(path, page, box)
        length = self.length(path)
        if length is not None and page + 1 < length:
            self._want(path, page + 1, box)
        return found

    def close(self) -> None:
        """Let go of files and thread."""
        if self._is_closed:
            return
        self._is_closed = True
        self._kept.clear()
        self._thread.submit(self._drawer.close)
        self._thread.shutdown(wait=True, cancel_futures=False)

    def _want(self, path: Path, page: int, box: QSize) -> QPixmap | None:
        wanted = (path, page, box.width(), box.height())
        found = self._kept.get(wanted)
        if found is not None:
            self._kept.move_to_end(wanted)
            return found
        if wanted not in self._waiting and not self._is_closed and not box.isEmpty():
            self._waiting.add(wanted)
            future: Future[QImage] = self._thread.submit(self._drawer.draw, path, page, box)
            self._dispatcher.watch(
                future, done=lambda image: self._on_page(wanted, image), owner=self
            )
        return None

    def _on_length(self, path: Path, length: int) -> None:
        self._lengths[path] = length
        self.ready.emit()

    def _on_page(self, wanted: _Wanted, image: QImage) -> None:
        self._waiting.discard(wanted)
        if image.isNull() or self._is_closed:
            return
        self._kept[wanted] = QPixmap.fromImage(image)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.ready.emit()


class _Drawer:
    """Lives on the helper thread."""

    def __init__(self) -> None:
        self._documents: dict[Path, QPdfDocument] = {}

    def length(self, path: Path) -> int:
        if path.suffix.lower() != ".pdf":
            return 1 if QImageReader(str(path)).canRead() else 0
        return max(0, self._document(path).pageCount())

    def draw(self, path: Path, page: int, box: QSize) -> QImage:
        if path.suffix.lower() != ".pdf":
            return _picture(path, box)
        document = self._document(path)
        if not 0 <= page < document.pageCount():
            return QImage()
        size = _fitted(document.pagePointSize(page), box)
        drawn = document.render(page, size)
        if drawn.isNull():
            return QImage()
        # What pdfium gives is transparent where the paper is.
        paper = QImage(drawn.size(), QImage.Format.Format_RGB32)
        paper.fill(Qt.GlobalColor.white)
        painter = QPainter(paper)
        painter.drawImage(0, 0, drawn)
        painter.end()
        return paper

    def close(self) -> None:
        for document in self._documents.values():
            document.close()
        self._documents.clear()

    def _document(self, path: Path) -> "QPdfDocument":
        from PySide6.QtPdf import QPdfDocument  # noqa: PLC0415 - heavy: only when pages show

        found = self._documents.get(path)
        if found is None:
            found = self._documents[path] = QPdfDocument()
            found.load(str(path))
        return found


def _picture(path: Path, box: QSize) -> QImage:
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        reader.setScaledSize(_fitted(QSizeF(size), box))
    return reader.read()


def _fitted(size: QSizeF, box: QSize) -> QSize:
    if size.isEmpty():
        return box
    return size.scaled(QSizeF(box), Qt.AspectRatioMode.KeepAspectRatio).toSize()
