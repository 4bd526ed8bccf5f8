"""课程库: facets and tree, what was found, one lesson.

Invariants:
  LV1  Rows appear as one types; while a newer answer is on its way the old one stays.
  LV2  Where the window is too narrow for three columns, facets and lesson share one place.
"""

from typing import Final

from PySide6.QtCore import QItemSelection, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget

from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import divider, row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import day_name
from ui.view.library_detail import DetailColumn
from ui.view.library_facets import FacetColumn
from ui.view.library_place import NoPlacePopover, PlacePopover
from ui.view.library_rows import ROW, LessonList, RowModel
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.library import FACETS, LibraryModel, Placed

FACETS_PX: Final = 264
DETAIL_PX: Final = 408
_LEAST_ROWS_PX: Final = 480
_HINT_PX: Final = 800
_PAGE: Final = 50


class LibraryView(QWidget):
    """The page. The frame's search box drives it through `search` and `focus_results`."""

    home_wanted = Signal(QWidget, object)
    """带回家 was pressed: the button, and the lessons one looks at."""

    def __init__(
        self, context: UiContext, model: LibraryModel, *, can_take_home: bool = False
    ) -> None:
        super().__init__()
        self._can_take_home = can_take_home
        self._context = context
        self._model = model
        self._is_narrow = False
        self._shows_facets = False
        theme = context.theme
        line = row(self)
        self._facets = FacetColumn(context, model)
        self._left = _scrolling(self._facets)
        self._left.setFixedWidth(theme.size(FACETS_PX))
        line.addWidget(self._left)
        self._left_line = divider(is_vertical=True)
        line.addWidget(self._left_line)
        line.addWidget(self._make_middle(), 1)
        self._right_line = divider(is_vertical=True)
        line.addWidget(self._right_line)
        self.detail = DetailColumn(context, model)
        self.detail.setFixedWidth(theme.size(DETAIL_PX))
        self.detail.place_asked.connect(self._on_place_asked)
        line.addWidget(self.detail)
        model.rows_changed.connect(self._on_rows)
        model.facets_changed.connect(self._on_counts)
        model.detail_changed.connect(self._arrange)
        model.failed.connect(context.say_error)
        model.placed.connect(self._on_placed)
        model.taken_back.connect(lambda: context.say("library.taken_back", tone="good"))
        self._on_rows()
        self._arrange()

    # --- what the frame asks ---------------------------------------------------------------

    def search(self, text: str) -> None:
        """Show what matches `text`."""
        self._model.search(text)

    def focus_results(self) -> None:
        """Let the keys go to the results."""
        self.list.setFocus()
        if not self.list.currentIndex().isValid() and self._rows.rowCount():
            self.list.setCurrentIndex(self._rows.index(0))

    def follow(self, hubs: HubsModel) -> None:
        """Say above the lessons which catalogues stand still: what they withdraw is not known."""
        self._hubs = hubs
        hubs.changed.connect(self._on_hubs)
        self._on_hubs()

    def _on_hubs(self) -> None:
        words = self._context.words
        found = [one for one in (self._hubs.rows or ()) if one.silent_days]
        lines = [f"{one.name}: {words.plural('hubs.silent', one.silent_days)}" for one in found]
        self._silent.setText("\n".join(lines))
        self._silent.setVisible(bool(lines))

    # --- building --------------------------------------------------------------------------

    def _make_middle(self) -> QWidget:
        context, theme = self._context, self._context.theme
        middle = QWidget()
        column = rows(middle, gap=theme.gap(12))
        column.setContentsMargins(theme.gap(20), theme.gap(16), theme.gap(8), 0)
        head = row(gap=theme.gap(12))
        self._count = label("", Type.TITLE, is_bold=True)
        head.addWidget(self._count)
        self._hint = ElidedLabel(theme, "", Type.CAPTION, tone="muted")
        head.addWidget(self._hint, 1)
        self._back = Button(
            context, Face(text=context.words("library.whole_book"), icon="search", kind="link")
        )
        self._back.setObjectName("leave-section")
        self._back.clicked.connect(lambda: self._model.open_section(None))
        head.addWidget(self._back)
        self._narrow = Button(
            context, Face(text=context.words("library.narrow"), icon="list", kind="secondary")
        )
        self._narrow.setObjectName("narrow")
        self._narrow.clicked.connect(self._on_narrow)
        head.addWidget(self._narrow)
        if self._can_take_home:
            self.home = Button(
                context, Face(text=context.words("take_home.button"), icon="package")
            )
            self.home.setObjectName("take-home-button")
            self.home.clicked.connect(self._on_home)
            head.addWidget(self.home)
        column.addLayout(head)
        self._silent = label("", Type.CAPTION, tone="amber_text", is_wrapped=True)
        self._silent.setObjectName("silent")
        self._silent.hide()
        column.addWidget(self._silent)
        self._stack = QStackedWidget()
        self._rows = RowModel(self)
        self.list = LessonList(context)
        self.list.setModel(self._rows)
        self.list.selectionModel().selectionChanged.connect(self._on_selected)
        self.list.opened.connect(self._on_opened)
        self.list.doubleClicked.connect(self._on_opened)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._make_empty())
        column.addWidget(self._stack, 1)
        self._more = label("", Type.CAPTION, tone="muted", is_wrapped=True)
        self._more.setContentsMargins(0, 0, 0, theme.gap(8))
        column.addWidget(self._more)
        return middle

    def _make_empty(self) -> QWidget:
        context, theme = self._context, self._context.theme
        empty = QWidget()
        column = rows(empty, gap=theme.gap(12))
        column.addStretch(2)
        self._empty_title = label("", Type.TITLE, is_bold=True, is_wrapped=True)
        self._empty_hint = label("", Type.BODY, tone="muted", is_wrapped=True)
        self._empty_go = Button(
            context, Face(text=context.words("library.empty_go"), kind="primary")
        )
        self._empty_go.setObjectName("add-source")
        self._empty_go.clicked.connect(lambda: self._model.actions.open_station("settings"))
        for one in (self._empty_title, self._empty_hint):
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(one)
        column.addWidget(self._empty_go, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        return empty

    # --- answers ---------------------------------------------------------------------------

    def _on_rows(self) -> None:
        model = self._model
        self._rows.set_rows(model.rows)
        self._keep_selection()
        self._stack.setCurrentIndex(0 if model.rows or not model.is_answered else 1)
        self._say_why_empty()
        self._on_counts()

    def _keep_selection(self) -> None:
        """Stay on the open lesson while it is found; else open the first one."""
        model = self._model
        at = self._rows.row_of(model.selected) if model.selected is not None else -1
        if at >= 0:
            self.list.setCurrentIndex(self._rows.index(at))
        elif model.rows:
            self.list.setCurrentIndex(self._rows.index(0))
            self.list.scrollToTop()
        elif model.is_answered:
            model.select(None)

    def _on_counts(self) -> None:
        model, words = self._model, self._context.words
        is_section = model.section is not None
        self._count.setVisible(model.is_answered and bool(model.rows))
        self._count.setText(self._count_text())
        is_hinting = bool(model.text) and not is_section and bool(model.rows)
        self._hint.set_text(words("library.room_first") if is_hinting else "")
        self._back.setVisible(is_section)
        is_cut = not is_section and len(model.rows) >= _PAGE and model.total != len(model.rows)
        self._more.setVisible(is_cut)
        self._more.setText(words("library.first_rows", n=len(model.rows)) if is_cut else "")

    def _count_text(self) -> str:
        model, words = self._model, self._context.words
        if model.section is not None:
            return words.plural("library.in_section", len(model.rows))
        if model.total < 0:
            return words("library.found_many", n=len(model.rows))
        is_asked = bool(model.text) or any(getattr(model.filters, name) for name in FACETS)
        return words.plural("library.found" if is_asked else "library.all", model.total)

    def _say_why_empty(self) -> None:
        model, words = self._model, self._context.words
        is_filtered = any(getattr(model.filters, name) for name in FACETS)
        has_none = not model.text and not is_filtered and model.section is None
        if has_none:
            title, hint = words("library.empty"), words("library.empty_hint")
        elif model.text:
            title = words("library.nothing", text=model.text)
            hint = words("library.nothing_hint")
        else:
            title, hint = words("library.nothing_here"), words("library.nothing_hint")
        self._empty_title.setText(title)
        self._empty_hint.setText(hint)
        self._empty_go.setVisible(has_none)

    # --- choosing --------------------------------------------------------------------------

    def _on_selected(self, selected: QItemSelection, _gone: QItemSelection) -> None:
        indexes = selected.indexes()
        if indexes:
            self._shows_facets = False
            self._model.select(indexes[0].data(ROW).id)

    def _on_opened(self) -> None:
        self._shows_facets = False
        self._arrange()
        self.detail.focus_action()

    def _on_home(self) -> None:
        """Offer the lessons of the open section first, else the open lesson."""
        model = self._model
        rows = [one.id for one in model.rows] if model.section is not None else []
        selected = [model.selected] if model.selected is not None else []
        self.home_wanted.emit(self.home, tuple(rows or selected))

    def _on_narrow(self) -> None:
        self._shows_facets = not self._shows_facets
        self._arrange()

    def _on_place_asked(self) -> None:
        model, anchor = self._model, self.detail.to_timetable
        if model.detail is None or anchor is None:
            return
        offers = model.offers()
        popover: PlacePopover | NoPlacePopover
        if offers:
            popover = PlacePopover(self._context, self, offers, model.put)
        else:
            subject = model.detail.row.place.subject
            popover = NoPlacePopover(
                self._context, self, subject, lambda: model.actions.open_station("timetable")
            )
        popover.open_at(anchor)

    def _on_placed(self, placed: Placed) -> None:
        words, key = self._context.words, placed.offer.slot.key
        text = words(
            "library.placed",
            title=placed.title,
            day=day_name(self._context, key.day),
            period=key.period,
        )
        say = Say(
            text=text,
            tone="good",
            action=words("frame.undo"),
            act=lambda: self._model.take_back(placed.event),
        )
        self._context.said.emit(say)

    # --- fitting ---------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fold the columns where they do not fit (LV2)."""
        super().resizeEvent(event)
        theme = self._context.theme
        needed = theme.size(FACETS_PX) + theme.size(DETAIL_PX) + theme.size(_LEAST_ROWS_PX)
        self._is_narrow = self.width() < needed
        self._arrange()

    def _arrange(self) -> None:
        has_detail = not self._is_narrow or not self._shows_facets
        has_facets = not self._is_narrow or self._shows_facets
        self._left.setVisible(has_facets)
        self._left_line.setVisible(has_facets)
        self.detail.setVisible(has_detail)
        self._right_line.setVisible(has_detail)
        self._narrow.setVisible(self._is_narrow)
        self._hint.setVisible(self.width() >= self._context.theme.size(_HINT_PX))
        width = DETAIL_PX if self.width() >= self._context.theme.size(960) else 340
        self.detail.setFixedWidth(self._context.theme.size(width))


def _scrolling(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    widget.setProperty("scrolled", "true")
    area.setWidget(widget)
    return area
