"""Papers that first run and settings share: look, grades, covers, sources."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from client.domain.timetable import ClassGroup
from client.service.school import grade_name
from client.service.secrets import SecretPlace
from client.service.text import Words
from ui.base.button import Button, Face
from ui.base.choice import Segments, Select, Stepper, Tick, Tile
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, divider, row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.viewmodel.setup import SetupModel

THEMES: Final = ("light", "dark", "auto")
SCALES: Final = ("100", "125", "150")
LANGUAGES: Final = ("zh_CN", "en")
RENDITIONS: Final = ("360p", "480p", "720p")
_GRADES: Final = 6
_COLUMNS: Final = 3
_GRADES_LONG: Final = 9


def paper(context: UiContext, title: str = "", hint: str = "") -> tuple[QFrame, QVBoxLayout]:
    """Make a card with an inner column and perhaps a title."""
    made = Paper()
    body = rows(made, gap=context.theme.gap(12))
    body.setContentsMargins(*(context.theme.gap(20),) * 4)
    if title:
        body.addWidget(label(title, Type.TITLE, is_bold=True))
    if hint:
        body.addWidget(label(hint, Type.CAPTION, tone="muted", is_wrapped=True))
    return made, body


def own_name(language: str) -> str:
    """Name a language as its speakers do."""
    return Words(language)(f"settings.language_{language}")


class _SetupPaper(Paper):
    """A card of the set-up pages."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__()
        self._context = context
        self._model = model


class LookPaper(_SetupPaper):
    """Language, colours, size of letters, old-PC mode."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__(context, model)
        theme, words = context.theme, context.words
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(*(theme.gap(20),) * 4)
        self._grid.setVerticalSpacing(theme.gap(12))
        self._grid.setHorizontalSpacing(theme.gap(24))
        self._grid.setColumnStretch(1, 1)
        settings = model.room.settings
        self._choice("language", LANGUAGES, settings.language)
        self._choice("theme", THEMES, settings.theme.value)
        self._choice("type_scale", SCALES, str(settings.type_scale))
        self._choice("rendition", RENDITIONS, settings.rendition)
        tick = Tick(context, words("settings.low_power_on"))
        tick.setChecked(settings.low_power)
        tick.toggled.connect(lambda on: model.set_setting("low_power", "on" if on else "off"))
        self._line("low_power", tick)

    def _choice(self, name: str, values: tuple[str, ...], current: str) -> None:
        words = self._context.words
        texts = [words(f"settings.{name}_{value}") for value in values]
        if name == "language":
            texts = [own_name(value) for value in values]
        at = values.index(current) if current in values else -1
        segments = Segments(self._context, texts, at)
        segments.setAccessibleName(words(f"settings.{name}"))
        segments.setObjectName(f"setting-{name}")
        segments.chosen.connect(lambda chosen: self._model.set_setting(name, values[chosen]))
        self._line(name, segments)

    def _line(self, name: str, widget: QWidget) -> None:
        words, at = self._context.words, self._grid.rowCount()
        texts = rows()
        texts.addWidget(label(words(f"settings.{name}"), Type.BODY, is_bold=True))
        texts.addWidget(label(words(f"settings.{name}_hint"), Type.CAPTION, tone="muted"))
        self._grid.addLayout(texts, at, 0)
        trailing = Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter
        self._grid.addWidget(widget, at, 1, trailing)


class GradesPaper(_SetupPaper):
    """Name of school and room, grades taught here, and how many pupils each has."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__(context, model)
        theme, words = context.theme, context.words
        body = rows(self, gap=theme.gap(12))
        body.setContentsMargins(*(theme.gap(20),) * 4)
        body.addWidget(label(words("first_run.names"), Type.BODY, is_bold=True))
        names = row(gap=theme.gap(8))
        self._school = self._field("school")
        self._room = self._field("room")
        names.addWidget(self._school, 3)
        names.addWidget(self._room, 2)
        body.addLayout(names)
        body.addWidget(label(words("first_run.grades"), Type.BODY, is_bold=True))
        tiles = QGridLayout()
        tiles.setSpacing(theme.gap(8))
        self._tiles: dict[int, Tile] = {}
        known = [group.grade for group in model.room.classes]
        count = _GRADES_LONG if max(known, default=0) > _GRADES else _GRADES
        for number in range(1, count + 1):
            tile = Tile(context, grade_name(number), height=52)
            tile.setChecked(model.has_grade(number))
            tile.clicked.connect(lambda _=False, one=number: model.toggle_grade(one))
            tiles.addWidget(tile, (number - 1) // 3, (number - 1) % 3)
            self._tiles[number] = tile
        body.addLayout(tiles)
        self._counts_title = label(words("first_run.headcounts"), Type.BODY, is_bold=True)
        body.addWidget(self._counts_title)
        self._counts = rows(gap=theme.gap(8))
        body.addLayout(self._counts)
        self._counts_hint = label(words("first_run.headcounts_hint"), Type.CAPTION, tone="muted")
        body.addWidget(self._counts_hint)
        body.addStretch(1)
        self._shown: tuple[str, ...] = ("?",)
        model.changed.connect(self._refresh)
        self._refresh()

    def _field(self, name: str) -> QLineEdit:
        words, room = self._context.words, self._model.room.room
        made = QLineEdit()
        made.setObjectName(f"room-{name}")
        made.setPlaceholderText(words(f"first_run.{name}_name"))
        made.setAccessibleName(words(f"first_run.{name}_name"))
        if room is not None:
            made.setText(room.school if name == "school" else room.room)
        made.editingFinished.connect(self.save_names)
        return made

    def save_names(self) -> None:
        """Keep what was typed."""
        self._model.name_room(self._school.text().strip(), self._room.text().strip())

    def _refresh(self) -> None:
        for number, tile in self._tiles.items():
            tile.setChecked(self._model.has_grade(number))
        groups = self._model.room.classes
        shown = tuple(group.id for group in groups)
        self._counts_title.setVisible(bool(groups))
        self._counts_hint.setVisible(bool(groups))
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._counts)
        for group in groups:
            line = row()
            line.addWidget(label(group.name), 1)
            stepper = Stepper(self._context, group.headcount, height=44)
            stepper.setAccessibleName(group.name)
            stepper.changed.connect(
                lambda count, one=group.id: self._model.set_headcount(one, count)
            )
            line.addWidget(stepper)
            self._counts.addLayout(line)


class CoversPaper(_SetupPaper):
    """Which edition each class has in each subject, by the words on the cover."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__(context, model)
        theme = context.theme
        self._body = rows(self, gap=theme.gap(8))
        self._body.setContentsMargins(*(theme.gap(20),) * 4)
        self._shown: tuple[str, ...] = ("?",)
        model.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        groups = self._model.room.classes
        shown = tuple(group.id for group in groups)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._body)
        words, theme = self._context.words, self._context.theme
        if not groups:
            self._body.addStretch(1)
            hint = label(words("first_run.covers_none"), tone="muted", is_wrapped=True)
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._body.addWidget(hint)
            self._body.addStretch(1)
            return
        self._body.addLayout(self._volume_row())
        names = row(gap=theme.gap(12))
        names.addSpacing(theme.size(72) + theme.gap(12))
        for group in groups[:_COLUMNS]:
            names.addWidget(label(group.name, is_bold=True), 1)
        self._body.addLayout(names)
        for subject, editions in self._model.offers.editions:
            self._body.addWidget(divider())
            line = row(gap=theme.gap(12))
            tone = self._context.subjects.tone(subject)
            name = label(self._context.subjects.short(subject), tone=tone, is_bold=True)
            name.setFixedWidth(theme.size(72))
            line.addWidget(name)
            for group in groups[:_COLUMNS]:
                line.addWidget(self._select(group, subject, editions), 1)
            self._body.addLayout(line)
        self._body.addWidget(divider())
        text = words("first_run.covers_hint")
        self._body.addWidget(label(text, Type.CAPTION, tone="muted", is_wrapped=True))
        self._body.addStretch(1)

    def _volume_row(self) -> QHBoxLayout:
        words, offers = self._context.words, self._model.offers
        line = row()
        line.addWidget(label(words("first_run.covers"), Type.BODY, is_bold=True), 1)
        segments = Segments(self._context, offers.volumes, offers.volumes.index(self._model.volume))
        segments.setAccessibleName(words("first_run.volume"))
        segments.chosen.connect(lambda one: self._model.choose_volume(offers.volumes[one]))
        line.addWidget(segments)
        return line

    def _select(self, group: ClassGroup, subject: str, editions: tuple[str, ...]) -> Select:
        owner = group.id
        choice = Select(self._context)
        choice.setAccessibleName(f"{group.name} {subject}")
        choice.addItems(list(editions))
        current = self._model.edition(owner, subject)
        if current not in editions:
            choice.addItem(current)
        choice.setCurrentText(current)
        choice.textActivated.connect(lambda text: self._model.choose_edition(owner, subject, text))
        return choice


class SourcesPaper(_SetupPaper):
    """Where lessons come from: what is there, and what can be added."""

    def __init__(self, context: UiContext, model: SetupModel) -> None:
        super().__init__(context, model)
        self._token: Path | None = None
        theme = context.theme
        body = rows(self, gap=theme.gap(12))
        body.setContentsMargins(*(theme.gap(20),) * 4)
        self._list = rows(gap=theme.gap(6))
        body.addLayout(self._list)
        body.addLayout(self._offer("folder", "folder", model.actions.import_folder))
        body.addWidget(divider())
        body.addLayout(self._offer("demo", "package", model.actions.import_demo))
        body.addWidget(divider())
        body.addLayout(self._platform())
        model.sources_changed.connect(self._refresh)
        model.platform_added.connect(self._on_added)
        self._refresh()

    def _words_of(self, name: str) -> QVBoxLayout:
        words = self._context.words
        texts = rows(gap=2)
        texts.addWidget(label(words(f"first_run.source_{name}"), Type.BODY, is_bold=True))
        hint = label(
            words(f"first_run.source_{name}_hint"), Type.CAPTION, tone="muted", is_wrapped=True
        )
        texts.addWidget(hint)
        return texts

    def _offer(self, name: str, icon: str, act: Callable[[], None]) -> QHBoxLayout:
        def pressed() -> None:
            act()

        line = row(gap=self._context.theme.gap(16))
        line.addLayout(self._words_of(name), 1)
        face = Face(text=self._context.words(f"first_run.add_{name}"), icon=icon, kind="outline")
        button = Button(self._context, face)
        button.clicked.connect(pressed)
        line.addWidget(button)
        return line

    def _platform(self) -> QVBoxLayout:
        words, theme = self._context.words, self._context.theme
        body = rows(gap=theme.gap(8))
        body.addLayout(self._words_of("platform"))
        line = row(gap=theme.gap(8))
        self._base = QLineEdit()
        self._base.setObjectName("platform-base")
        self._base.setPlaceholderText(words("first_run.platform_base"))
        self._base.setAccessibleName(words("first_run.platform_base"))
        line.addWidget(self._base, 1)
        self._token_button = Button(
            self._context, Face(text=words("first_run.token_file"), icon="key-round")
        )
        self._token_button.clicked.connect(self._on_token)
        line.addWidget(self._token_button)
        face = Face(text=words("first_run.add_platform"), icon="globe", kind="outline")
        add = Button(self._context, face)
        add.clicked.connect(self._on_add)
        line.addWidget(add)
        body.addLayout(line)
        return body

    def _on_token(self) -> None:
        self._token = self._model.actions.choose_token_file()
        text = self._context.words("first_run.token_file")
        if self._token is not None:
            text = self._token.name
        self._token_button.set_face(Face(text=text, icon="key-round"))

    def _on_add(self) -> None:
        self._model.add_platform(self._base.text(), self._token)

    def _on_added(self, place: SecretPlace | None) -> None:
        if place is SecretPlace.FILE:
            self._context.say("first_run.token_in_file", tone="amber")
        else:
            self._context.say("first_run.platform_added", tone="good")

    def _refresh(self) -> None:
        clear(self._list)
        words, theme = self._context.words, self._context.theme
        for source in self._model.sources:
            line = row(gap=theme.gap(8))
            mark = label()
            mark.setPixmap(
                self._context.icons.pixmap("circle-check", theme.hex("accent"), theme.size(18))
            )
            line.addWidget(mark)
            key = f"first_run.kind_{source.kind}"
            name = words(key) if words.has(key) else source.kind
            line.addWidget(label(name, Type.BODY, is_bold=True))
            line.addWidget(ElidedLabel(theme, source.address, Type.CAPTION, tone="muted"), 1)
            self._list.addLayout(line)
