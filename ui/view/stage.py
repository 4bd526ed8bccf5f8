"""The stage: what pupils see, painted; and the same, small, on the teacher's console.

Invariants:
  ST1  The stage shows lesson, question, timer and figures: no cursor, menu, notice or name.
  ST2  Video keeps its proportions and is drawn from the one picture all stages share.
  ST3  Frozen, the stage shows exactly what it showed when freeze was pressed.
  ST4  Black is black: nothing else is painted.
"""

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from client.domain.sitting import Overlay, Phase, Showing, Track
from client.service.sitting import SittingView
from ui.base.context import UiContext
from ui.view.clock_text import countdown, signed
from ui.view.slides import Pages
from ui.view.stage_paint import BoardText, QuestionText, StageBrush
from ui.viewmodel.classroom import ClassroomModel

PAGE_GROUND = "#26292F"


class Stage(QWidget):
    """Paints the class. `is_thumbnail` adds the word for black and freeze (console only)."""

    painted = Signal(float)
    """A new picture was painted: its media time."""

    def __init__(
        self,
        context: UiContext,
        model: ClassroomModel,
        pages: Pages,
        *,
        is_thumbnail: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._model = model
        self._pages = pages
        self._is_thumbnail = is_thumbnail
        self._held: QPixmap | None = None
        self._looks: object = None
        self.painted_at_s = -1.0
        """Media time of the picture painted last; -1.0 before the first."""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if not is_thumbnail:
            self.setCursor(Qt.CursorShape.BlankCursor)
        model.changed.connect(self._on_changed)
        model.pictured.connect(self._on_picture)
        pages.ready.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the proportions of a projector."""
        return QSize(640, 360)

    # --- hearing ------------------------------------------------------------------------

    def _on_picture(self) -> None:
        state = self._model.view.state
        shows = state.track.showing in (Showing.VIDEO, Showing.BESIDE)
        if shows and state.question is None and state.overlay is Overlay.NONE:
            self.update(self._video_area(state.track).toAlignedRect())

    def _on_changed(self) -> None:
        view = self._model.view
        if view.state.overlay is Overlay.FROZEN and self._held is None:
            self._held = self._hold()
        elif view.state.overlay is not Overlay.FROZEN:
            self._held = None
        looks = _looks_of(view)
        if looks != self._looks:
            self._looks = looks
            self.update()

    def _hold(self) -> QPixmap:
        """Keep what is shown now (ST3)."""
        ratio = self.devicePixelRatioF()
        held = QPixmap(self.size() * ratio)
        held.setDevicePixelRatio(ratio)
        painter = QPainter(held)
        self._paint_content(painter)
        painter.end()
        return held

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Scale a frozen picture to a new size: its content must not change."""
        if self._held is not None:
            self._held = self._held.scaled(
                self.size() * self.devicePixelRatioF(),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the window know of the click; moving shows nothing."""
        event.ignore()

    # --- painting -----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint black, the frozen picture, or the lesson."""
        painter = QPainter(self)
        painter.setClipRegion(event.region())
        overlay = self._model.view.state.overlay
        if overlay is Overlay.BLACK:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
        elif overlay is Overlay.FROZEN and self._held is not None:
            painter.drawPixmap(0, 0, self._held)
        else:
            self._paint_content(painter)
        if self._is_thumbnail and overlay is not Overlay.NONE:
            brush = StageBrush(painter, self._context.theme, QRectF(self.rect()))
            brush.state_word(self._context.words(f"classroom.{overlay.value}"))
        painter.end()

    def _paint_content(self, painter: QPainter) -> None:
        view = self._model.view
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        brush = StageBrush(painter, self._context.theme, QRectF(self.rect()))
        if view.state.question is not None:
            brush.question(view.state.question, self._question_text())
        else:
            self._paint_lesson(painter, brush, view)
        self._paint_figures(brush, view)

    def _paint_lesson(self, painter: QPainter, brush: StageBrush, view: SittingView) -> None:
        track = view.track
        has_picture = self._model.image is not None and track.has_video
        if track.showing is Showing.PAGES:
            self._paint_page(painter, QRectF(self.rect()), view)
        elif track.showing is Showing.BESIDE and has_picture:
            painter.fillRect(self.rect(), QColor(PAGE_GROUND))
            self._paint_page(painter, self._page_area(), view)
            self._paint_video(painter, self._video_area(track))
        elif track.showing is Showing.VIDEO and has_picture:
            self._paint_video(painter, QRectF(self.rect()))
        elif track.showing is Showing.VIDEO and view.is_opening:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
        else:
            brush.board(self._board_text(view))

    def _paint_video(self, painter: QPainter, area: QRectF) -> None:
        image = self._model.image
        if image is None:
            painter.fillRect(area, Qt.GlobalColor.black)
            return
        size = QSize(image.size()).scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(0, 0, size.width(), size.height())
        target.moveCenter(area.toAlignedRect().center())
        if target != area.toAlignedRect():
            painter.fillRect(area, Qt.GlobalColor.black)
        if not self._context.theme.is_low_power:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, image)
        if self.painted_at_s != self._model.at_s:
            self.painted_at_s = self._model.at_s
            self.painted.emit(self.painted_at_s)

    def _paint_page(self, painter: QPainter, area: QRectF, view: SittingView) -> None:
        painter.fillRect(area, QColor(PAGE_GROUND))
        documents = view.track_plan.documents
        track = view.track
        if track.document >= len(documents):
            return
        path = documents[track.document].path
        if path is None:
            return
        ratio = self.devicePixelRatioF()
        margin = 12 * min(area.width() / 1600, area.height() / 900)
        inner = area.adjusted(margin, margin, -margin, -margin)
        box = (inner.size() * ratio).toSize()
        pixmap = self._pages.pixmap(path, track.page, box)
        if pixmap is None:
            return
        target = QRectF(0, 0, pixmap.width() / ratio, pixmap.height() / ratio)
        target.moveCenter(inner.center())
        painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))

    def _paint_figures(self, brush: StageBrush, view: SittingView) -> None:
        timer = view.track.timer
        if timer is not None:
            brush.timer(countdown(timer.left_s), is_over=timer.left_s <= 0)
        if view.state.seek_shown_s and view.state.overlay is Overlay.NONE:
            brush.figure(signed(view.state.seek_shown_s))

    # --- where and what -----------------------------------------------------------------

    def _video_area(self, track: Track) -> QRectF:
        whole = QRectF(self.rect())
        if track.showing is not Showing.BESIDE:
            return whole
        return QRectF(whole.left(), whole.top(), whole.width() * 0.56, whole.height())

    def _page_area(self) -> QRectF:
        whole = QRectF(self.rect())
        left = whole.left() + whole.width() * 0.56
        return QRectF(left, whole.top(), whole.right() - left, whole.height())

    def _board_text(self, view: SittingView) -> BoardText:
        words = self._context.words
        plan = view.track_plan
        if view.state.phase is Phase.ENDED:
            return BoardText(
                lesson=plan.lesson.row.title,
                step=words("classroom.over"),
                prompt=words("classroom.over.prompt"),
            )
        cue = view.track.now
        return BoardText(
            lesson=plan.lesson.row.title, step=words(cue.title), prompt=words(cue.prompt)
        )

    def _question_text(self) -> QuestionText:
        words = self._context.words
        return QuestionText(
            question=words("classroom.which"),
            people=words("classroom.people"),
            naming=words("classroom.naming"),
        )


def _looks_of(view: SittingView) -> object:
    """Name what a stage shows besides the picture, so that it repaints only when that changes."""
    state = view.state
    track = state.track
    timer = None if track.timer is None else round(track.timer.left_s)
    return (
        state.overlay,
        state.question,
        state.on_stage,
        state.seek_shown_s,
        state.phase is Phase.ENDED,
        (track.showing, track.document, track.page, track.cue, track.has_video, timer),
        view.is_opening,
    )
