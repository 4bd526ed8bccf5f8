"""Odds and ends that views share: lights with words, places in a book, reasons, weekdays."""

from datetime import datetime

from PySide6.QtWidgets import QWidget

from client.domain.availability import Light
from client.domain.catalogue import Placement
from client.service.api import Reason
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


def place_line(place: Placement, unit: str = "") -> str:
    """Say where a lesson stands: edition, grade and volume by their first characters, unit."""
    if place.grade and place.volume:
        short = place.grade[:1] + place.volume[:1]
    else:
        short = place.grade or place.volume
    return " ".join(part for part in (place.edition, short, unit) if part)


def reason_text(context: UiContext, reason: Reason) -> str:
    """Put a reason into words; `x_bytes` and `x_s` become sizes and lengths named `x`."""
    words = context.words
    values: dict[str, object] = dict(reason.values)
    for name, value in reason.values:
        if name.endswith("_bytes"):
            values[name.removesuffix("_bytes")] = words.size(float(value))
        elif name.endswith("_s"):
            values[name.removesuffix("_s")] = words.length(float(value))
    for key in (f"reason.{reason.code}", f"error.{reason.code}"):
        if words.has(key):
            return words(key, **values)
    return words(f"reason.{reason.code}", **values)


def day_name(context: UiContext, day: int) -> str:
    """Name a weekday, 1 (Monday) to 7."""
    return context.words(f"frame.day{day}")


def bell_text(minutes: int) -> str:
    """Write minutes after midnight as `08:30`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def when_text(context: UiContext, at_ms: int | None) -> str:
    """Say when something was, by the wall clock (`at_ms` since 1970), empty when never."""
    if at_ms is None:
        return ""
    now = context.now()
    then = datetime.fromtimestamp(at_ms / 1000, tz=now.tzinfo)
    clock = f"{then:%H:%M}"
    days = (now.date() - then.date()).days
    if days == 0:
        return context.words("frame.when_today", clock=clock)
    if days == 1:
        return context.words("frame.when_yesterday", clock=clock)
    return context.words("frame.when_date", month=then.month, day=then.day, clock=clock)
