"""The right column of 课程库: one lesson, what belongs to it, and what to do with it.

Invariants:
  LD1  What can never be had here is told and has no box to tick; what is here costs nothing.
  LD3  A withdrawn lesson says why, how long it may still be used, and opens what replaces it with
       one press; it cannot be put into the timetable.
  LD2  The choice of parts survives a new answer about the same lesson.
"""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from client.domain.availability import Light, PartState
from client.domain.catalogue import LessonKind, Role
from client.domain.withdrawal import Standing
from client.service.api import LessonDetail, PartView, RenditionView, TextbookPages
from client.service.stopped_words import other, until, why
from ui.base.button import Button, Face
from ui.base.choice import Tick
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.light import ReadinessLight
from ui.base.notice import Notice
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word, place_line, reason_text
from ui.view.library_rows import light_of
from ui.viewmodel.library import (
    LibraryModel,
    Wish,
    companions,
    films,
    missing_bytes,
    preferred,
)

_ROLES: Final = (
    Role.SLIDES,
    Role.TASK,
    Role.EXERCISE,
    Role.PLAN,
    Role.AUDIO,
    Role.TEXTBOOK,
    Role.EXPERIMENT,
)
_SHARP_PX: Final = 720
_LOCKED: Final = frozenset({PartState.PROTECTED, PartState.WITHDRAWN})


class DetailColumn(QWidget):
    """Shows the model's open lesson."""

    place_asked = Signal()
    """加入课表 was pressed."""

    def __init__(self, context: UiContext, model: LibraryModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._lesson = ""
        self._wish = Wish()
        self._touched = False
        theme = context.theme
        column = rows(self)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground = QWidget()
        ground.setProperty("scrolled", "true")
        self._body = rows(ground, gap=theme.gap(8))
        margin = theme.gap(24)
        self._body.setContentsMargins(margin, theme.gap(16), margin, theme.gap(16))
        area.setWidget(ground)
        column.addWidget(area, 1)
        self._foot = QWidget()
        self._foot_body = rows(self._foot, gap=theme.gap(8))
        self._foot_body.setContentsMargins(margin, theme.gap(8), margin, theme.gap(16))
        column.addWidget(self._foot)
        self.download: Button | None = None
        self.to_timetable: Button | None = None
        self.preview: Button | None = None
        self.replacement: Button | None = None
        """Opens what takes the place of a withdrawn lesson."""
        self.print_task: Button | None = None
        model.detail_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the open lesson anew."""
        detail = self._model.detail
        clear(self._body)
        clear(self._foot_body)
        self._foot.setVisible(detail is not None)
        if detail is None:
            self.download = self.to_timetable = self.preview = self.print_task = None
            self.replacement = None
            if self._model.selected is None:
                self._show_nothing()
            return
        if detail.row.id != self._lesson:
            self._lesson, self._touched = detail.row.id, False
        if not self._touched:
            self._wish = first_wish(detail)
        self._show_head(detail)
        self._show_stopped(detail)
        self._show_films(detail)
        self._show_companions(detail)
        self._show_textbook(detail)
        self._show_locked(detail)
        if not detail.parts:
            self._body.addWidget(divider())
            text = self._context.words("library.unread")
            self._body.addWidget(label(text, Type.BODY, tone="muted", is_wrapped=True))
        self._body.addStretch(1)
        self._show_foot(detail)

    def focus_action(self) -> None:
        """Give the keys to the first thing one can do."""
        for button in (self.download, self.to_timetable):
            if button is not None and button.isEnabled():
                button.setFocus()
                return

    # --- what it is ------------------------------------------------------------------------

    def _show_nothing(self) -> None:
        self._body.addStretch(1)
        made = label(
            self._context.words("library.choose"), Type.BODY, tone="muted", is_wrapped=True
        )
        made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._body.addWidget(made)
        self._body.addStretch(1)

    def _show_head(self, detail: LessonDetail) -> None:
        context, theme, found = self._context, self._context.theme, detail.row
        line = row(gap=theme.gap(8))
        tone = context.subjects.tone(found.place.subject)
        subject = context.subjects.short(found.place.subject)
        line.addWidget(label(subject, Type.CAPTION, tone=tone, is_bold=True))
        if found.duration_s:
            length = context.words.length(found.duration_s)
            line.addWidget(label(length, Type.CAPTION, tone="muted"))
        line.addStretch(1)
        light, key = light_of(found)
        line.addWidget(light_with_word(context, light, context.words(key)))
        self._body.addLayout(line)
        self._body.addWidget(ElidedLabel(theme, found.title, Type.TITLE, is_bold=True, lines=3))
        for text in (
            " ".join((place_line(found.place), *detail.sections)),
            found.provider,
        ):
            if text.strip():
                self._body.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone="muted", lines=2))

    def _show_stopped(self, detail: LessonDetail) -> None:
        """Say why a lesson is withdrawn, for how long it is here, and what replaces it (LD3)."""
        self.replacement = None
        stopped = detail.stopped
        if stopped is None:
            return
        words = self._context.words
        lines = (until(words, stopped), other(words, stopped))
        box = Notice(
            self._context,
            why(words, stopped),
            hint="\n".join(line for line in lines if line),
            tone="amber" if stopped.standing is not Standing.OVER else "red",
        )
        box.setObjectName("stopped")
        self._body.addWidget(box)
        if stopped.replacement_title:
            self.replacement = self._button(
                Face(text=words("stopped.open"), icon="arrow-left-right", kind="outline", gap=8),
                lambda: self._model.select(stopped.replacement),
            )
            self.replacement.setObjectName("replacement")
            self._body.addWidget(self.replacement)

    # --- what belongs to it ----------------------------------------------------------------

    def _heading(self, key: str) -> None:
        self._body.addWidget(divider())
        self._body.addWidget(
            label(self._context.words(key), Type.CAPTION, tone="muted", is_bold=True)
        )

    def _show_films(self, detail: LessonDetail) -> None:
        found = films(detail)
        if not found or detail.stopped is not None:
            return
        self._heading("library.film")
        holder = QWidget()
        column = rows(holder)
        words = self._context.words
        best = preferred(found)
        for one in found:
            hint = ""
            if one.name == best:
                hint = words("library.recommended")
            elif one.height >= _SHARP_PX:
                hint = words("library.big_screen")
            side = words("library.here") if one.state is PartState.PRESENT else ""
            self._add_choice(
                column, self._film_name(one), hint, side or words.size(one.size_bytes), one.name
            )
        self._add_choice(column, words("library.no_film"), words("library.no_film_hint"), "", "")
        self._body.addWidget(holder)

    def _film_name(self, one: RenditionView) -> str:
        words = self._context.words
        if not one.height:
            return words("library.file")
        if one.height < _SHARP_PX:
            return words("library.smooth")
        return words("library.sharp" if one.height == _SHARP_PX else "library.sharpest")

    def _add_choice(self, column: QVBoxLayout, text: str, hint: str, side: str, name: str) -> None:
        tick = Tick(self._context, text, is_radio=True)
        tick.setObjectName(f"film:{name}")
        tick.setChecked(name == self._wish.rendition)
        tick.clicked.connect(lambda: self._choose_film(name))
        _add_line(self._context, column, tick, hint, side)

    def _show_companions(self, detail: LessonDetail) -> None:
        found = companions(detail)
        if not found:
            return
        self._heading("library.with")
        holder = QWidget()
        column = rows(holder)
        for role in _ROLES:
            parts = [part for part in found if part.role is role]
            if parts:
                self._add_role(column, role, parts)
        self._body.addWidget(holder)

    def _add_role(self, column: QVBoxLayout, role: Role, parts: list[PartView]) -> None:
        context, words = self._context, self._context.words
        text = words(f"role.{role.value}")
        pages = sum(part.pages for part in parts)
        hint = words.plural("library.pages", pages) if pages else ""
        if all(part.state is PartState.PRESENT for part in parts):
            _add_line(context, column, _Here(context, text), hint, words("library.here"))
            return
        side = words.size(sum(part.size_bytes for part in parts))
        if any(part.state is PartState.FETCHING for part in parts):
            side = words("library.coming")
        failed = next((part for part in parts if part.state is PartState.FAILED), None)
        if failed is not None:
            hint = words("library.failed")
            if failed.reason is not None:
                hint = reason_text(context, failed.reason)
        tick = Tick(context, text)
        tick.setObjectName(f"role:{role.value}")
        tick.setChecked(role in self._wish.roles)
        tick.clicked.connect(lambda: self._choose_role(role))
        _add_line(context, column, tick, hint, side)

    def _show_textbook(self, detail: LessonDetail) -> None:
        """Tell where the lesson stands in the textbook, or list the chapters of one."""
        words = self._context.words
        if detail.textbook is not None:
            self._heading("library.textbook")
            name = pages_text(self._context, detail.textbook) or words("role.textbook")
            self._add_pages(name, "", detail.textbook)
        if detail.chapters:
            self._heading("library.chapters")
        for one in detail.chapters:
            indent = self._context.theme.gap(16) * one.depth
            self._add_pages(one.title, pages_text(self._context, one.pages), one.pages, indent)

    def _add_pages(self, name: str, under: str, pages: TextbookPages, indent: int = 0) -> None:
        theme, words = self._context.theme, self._context.words
        line = row(gap=theme.gap(8))
        line.setContentsMargins(indent, 0, 0, 0)
        texts = rows(gap=0)
        texts.addWidget(ElidedLabel(theme, name, Type.BODY))
        if under:
            texts.addWidget(label(under, Type.CAPTION, tone="muted"))
        line.addLayout(texts, 1)
        text = words("library.open_chapter" if under else "library.open_textbook")
        button = self._button(
            Face(text=text, icon="book-open", gap=8), lambda: self._model.open_textbook(pages)
        )
        button.setObjectName("open-textbook")
        button.setAccessibleName(f"{text} {name}")
        line.addWidget(button)
        self._body.addLayout(line)

    def _show_locked(self, detail: LessonDetail) -> None:
        """Tell what can never be had here (LD1)."""
        theme, words = self._context.theme, self._context.words
        for part in detail.parts:
            if part.state not in _LOCKED:
                continue
            box = Paper("inset")
            line = row(box, gap=theme.gap(12))
            line.setContentsMargins(theme.gap(12), theme.gap(10), theme.gap(12), theme.gap(10))
            line.addWidget(_Icon(self._context, "lock"), 0, Qt.AlignmentFlag.AlignTop)
            texts = rows(gap=theme.gap(2))
            name = part.title or words(f"role.{part.role.value}")
            texts.addWidget(ElidedLabel(theme, name, Type.CAPTION, is_bold=True))
            is_protected = part.state is PartState.PROTECTED
            line_key = "library.protected_line" if is_protected else "library.withdrawn"
            texts.addWidget(label(words(line_key), Type.CAPTION, is_wrapped=True))
            line.addLayout(texts, 1)
            self._body.addWidget(box)

    # --- what to do ------------------------------------------------------------------------

    def _show_foot(self, detail: LessonDetail) -> None:
        theme, words = self._context.theme, self._context.words
        has_more = wants_more(detail)
        self.download = None
        line = row(gap=theme.gap(8))
        if has_more:
            self.download = self._button(self._download_face(detail), self._on_download)
            self.download.setObjectName("download")
            self.download.setEnabled(not detail.parts or self._wish != Wish())
            line.addWidget(self.download, 1)
        elif detail.row.light is Light.READY:
            self._foot_body.addWidget(
                light_with_word(self._context, Light.READY, words("library.all_here"))
            )
        kind = "secondary" if has_more else "primary"
        self.to_timetable = self._button(
            Face(text=words("library.to_timetable"), icon="calendar-plus", kind=kind, gap=8),
            self.place_asked.emit,
        )
        self.to_timetable.setObjectName("to-timetable")
        self.to_timetable.setEnabled(detail.stopped is None)
        line.addWidget(self.to_timetable, 1)
        self._foot_body.addLayout(line)
        second = row(gap=theme.gap(8))
        here = [part for part in detail.parts if part.state is PartState.PRESENT]
        is_questions = detail.row.kind is LessonKind.QUESTIONS
        has_sheet = any(is_questions or part.role is Role.TASK for part in here)
        key = "library.print_questions" if is_questions else "library.print_task"
        self.preview = self._button(
            Face(text=words("library.preview"), icon="eye", gap=8), self._model.preview
        )
        self.preview.setObjectName("preview")
        self.preview.setEnabled(bool(here))
        self.print_task = self._button(
            Face(text=words(key), icon="printer", gap=8), self._model.print_task
        )
        self.print_task.setObjectName("print-task")
        self.print_task.setEnabled(has_sheet)
        second.addWidget(self.preview, 1)
        second.addWidget(self.print_task, 1)
        self._foot_body.addLayout(second)
        key = "" if has_sheet else "library.no_sheet"
        key = key if here else "library.nothing_to_preview"
        if key:
            # A button that cannot be pressed says why.
            self._foot_body.addWidget(
                label(words(key), Type.CAPTION, tone="muted", is_wrapped=True)
            )

    def _button(self, face: Face, press: Callable[[], object]) -> Button:
        button = Button(self._context, face)
        button.clicked.connect(lambda _checked=False: press())
        return button

    def _download_face(self, detail: LessonDetail) -> Face:
        words = self._context.words
        cost = missing_bytes(detail, self._wish)
        text = words("library.download")
        return Face(
            text=f"{text} {words.size(cost)}" if cost else text,
            icon="download",
            kind="primary",
            gap=8,
        )

    def _choose_film(self, name: str) -> None:
        self._choose(Wish(rendition=name, roles=self._wish.roles))

    def _choose_role(self, role: Role) -> None:
        self._choose(Wish(rendition=self._wish.rendition, roles=self._wish.roles ^ {role}))

    def _choose(self, wish: Wish) -> None:
        self._wish, self._touched = wish, True
        detail = self._model.detail
        if detail is not None and self.download is not None:
            self.download.set_face(self._download_face(detail))
            self.download.setEnabled(wish != Wish())

    def _on_download(self) -> None:
        self._model.fetch(self._wish)


def pages_text(context: UiContext, pages: TextbookPages) -> str:
    """Name the pages, empty where they are not known."""
    if pages.last > pages.first:
        return context.words("library.textbook_pages", first=pages.first, last=pages.last)
    is_known = pages.last or pages.first > 1
    return context.words("library.textbook_page", n=pages.first) if is_known else ""


def first_wish(detail: LessonDetail) -> Wish:
    """Wish for the film that will do and everything beside it that is not here yet."""
    found = films(detail)
    here = next((one.name for one in found if one.state is PartState.PRESENT), "")
    return Wish(
        rendition=here or preferred(found),
        roles=frozenset(
            part.role for part in companions(detail) if part.state is not PartState.PRESENT
        ),
    )


def wants_more(detail: LessonDetail) -> bool:
    """Tell whether there is anything left to bring here."""
    return not detail.parts or any(
        part.state in {PartState.ABSENT, PartState.FAILED} for part in detail.parts
    )


def _add_line(
    context: UiContext, column: QVBoxLayout, first: QWidget, hint: str, side: str
) -> None:
    line = row(gap=context.theme.gap(8))
    line.addWidget(first)
    if hint:
        line.addWidget(ElidedLabel(context.theme, hint, Type.CAPTION, tone="muted"), 1)
    else:
        line.addStretch(1)
    if side:
        line.addWidget(label(side, Type.BODY))
    column.addLayout(line)


class _Here(QWidget):
    """A part that is on this PC: a light where others have a box."""

    def __init__(self, context: UiContext, text: str) -> None:
        super().__init__()
        line = row(self, gap=context.theme.size(10))
        line.setContentsMargins(2, 0, 0, 0)
        line.addWidget(ReadinessLight(context.theme, Light.READY, 20))
        line.addWidget(label(text, Type.BODY))
        self.setFixedHeight(context.theme.size(40))


class _Icon(QWidget):
    def __init__(self, context: UiContext, name: str) -> None:
        super().__init__()
        self._context = context
        self._name = name
        self.setFixedSize(QSize(context.theme.size(18), context.theme.size(18)))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        box = QRectF(self.rect())
        pixmap = self._context.icons.pixmap(
            self._name, self._context.theme.hex("muted"), int(box.width())
        )
        painter.drawPixmap(0, 0, pixmap)
        painter.end()
