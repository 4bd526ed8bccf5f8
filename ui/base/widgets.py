"""Odds and ends that views share."""

from PySide6.QtWidgets import QWidget

from client.domain.availability import Light
from ui.base.context import UiContext
from ui.base.layout import row
from ui.base.light import TONES, WORD_KEYS, ReadinessLight
from ui.base.text import label
from ui.base.theme import Type


def repolish(widget: QWidget) -> None:
    """Let the sheet look at the widget's properties again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def light_with_word(
    context: UiContext, light: Light, word: str = "", *, pixels: int = 18
) -> QWidget:
    """Make the light followed by its word (or by another one)."""
    holder = QWidget()
    line = row(holder, gap=context.theme.gap(6))
    line.addWidget(ReadinessLight(context.theme, light, pixels))
    text = word or context.words(WORD_KEYS[light])
    tone = {"accent_text": "accent", "amber_text": "amber"}.get(TONES[light], TONES[light])
    line.addWidget(label(text, Type.CAPTION, tone=tone, is_bold=True))
    return holder
