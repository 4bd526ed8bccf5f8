"""What every view is given: words, look, icons, time, and the way back to the GUI thread."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from client.domain.clock import Clock
from client.domain.errors import ClassroomError
from client.service.text import Words
from ui.base.dispatch import UiDispatcher
from ui.base.icons import Icons
from ui.base.subjects import SubjectLook
from ui.base.theme import Theme, make_theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """The teacher's choices of look. `theme` is light, dark or auto; `scale` 100, 125, 150."""

    language: str = "zh_CN"
    theme: str = "light"
    scale: int = 100
    is_low_power: bool = False


class UiContext(QObject):
    """Shared by all views. GUI thread only.

    Views read `theme`, `words` and `icons` when they are built; after `changed` the frame
    builds its pages anew, so a view never restyles itself.
    """

    changed = Signal()
    """Look or language changed: `theme` and `words` are new values."""
    said = Signal(object)
    """A `Say` for the frame to show as a notice."""

    def __init__(
        self,
        words: Words,
        clock: Clock,
        appearance: Appearance | None = None,
        *,
        is_mirrored: bool | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Build the context.

        Args:
            words: Sentences of the language in `appearance`.
            clock: The program's clock.
            appearance: Look to start with.
            is_mirrored: Forces the answer of the property of that name; None asks the screens.
            parent: Owner in Qt's sense.
        """
        super().__init__(parent)
        self.words = words
        self.clock = clock
        self.appearance = appearance or Appearance()
        self.icons = Icons()
        self.subjects = SubjectLook(words.language)
        self.dispatcher = UiDispatcher(self)
        self.theme = _theme_of(self.appearance)
        self._is_mirrored = is_mirrored

    @property
    def is_mirrored(self) -> bool:
        """Tell whether pupils see this screen: true unless a second one is connected."""
        if self._is_mirrored is not None:
            return self._is_mirrored
        return len(QGuiApplication.screens()) <= 1

    def apply(self) -> None:
        """Give the application this look: font, style sheet, reading direction."""
        app = cast("QApplication", QApplication.instance())
        app.setFont(self.theme.font())
        app.setStyleSheet(self.theme.sheet())

    def change(self, **choices: object) -> None:
        """Change fields of `appearance`, then tell everybody."""
        appearance = replace(self.appearance, **choices)  # type: ignore[arg-type]
        if appearance == self.appearance:
            return
        if appearance.language != self.words.language:
            self.words = Words(appearance.language)
            self.subjects = SubjectLook(self.words.language)
        self.appearance = appearance
        self.theme = _theme_of(appearance)
        self.apply()
        self.changed.emit()

    def take_setting(self, name: str, value: str) -> None:
        """Follow a setting of the room that changes the look; others are none of its business."""
        if name == "language":
            self.change(language=value)
        elif name == "theme":
            self.change(theme=value)
        elif name == "type_scale":
            self.change(scale=int(value))
        elif name == "low_power":
            self.change(is_low_power=value == "on")

    def now(self) -> datetime:
        """Tell the local wall clock, for showing only."""
        return self.clock.wall().astimezone()

    def say(self, key: str, *, tone: str = "info", **values: object) -> None:
        """Show `words(key)` as a passing notice in the frame."""
        self.said.emit(Say(text=self.words(key, **values), tone=tone))

    def say_error(self, error: ClassroomError) -> None:
        """Show what went wrong and what to do next."""
        self.said.emit(Say(text=self.words.error(error), hint=self.words.hint(error), tone="red"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One passing notice: a bold line, a next step, and at most one button."""

    text: str
    hint: str = ""
    tone: str = "info"
    action: str = ""
    act: Callable[[], None] | None = None


def _theme_of(appearance: Appearance) -> Theme:
    is_dark = appearance.theme == "dark"
    if appearance.theme == "auto":
        hints = QGuiApplication.styleHints()
        is_dark = hints.colorScheme() == Qt.ColorScheme.Dark
    return make_theme(is_dark=is_dark, scale=appearance.scale, is_low_power=appearance.is_low_power)
