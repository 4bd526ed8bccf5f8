"""Sentences of the plan: when something is here, and why not sooner."""

from datetime import UTC, datetime
from typing import Final

from client.service.api import Promise
from client.service.text import Words

_NIGHT: Final = 18
_MORNING: Final = 6
_WEEK: Final = 7


def sentence(words: Words, promise: Promise) -> str:
    """Say in one sentence what becomes of a lesson."""
    values = dict(promise.reason.values)
    size = words.size(float(values.pop("size_bytes", 0)))
    when, key = arrival(words, promise), f"reason.{promise.reason.code}"
    if when and words.has(f"{key}_when"):
        key = f"{key}_when"
    return words(key, size=size, when=when, **values)


def arrival(words: Words, promise: Promise) -> str:
    """Say when a lesson is promised, empty while nobody can say."""
    if promise.arrives_ms is None or promise.now_ms is None:
        return ""
    return moment(words, promise.arrives_ms[1], promise.now_ms)


def moment(words: Words, at_ms: int, now_ms: int) -> str:
    """Say a time to come as people do: 今晚 02:40, 明天 08:10. Local milliseconds."""
    at, now = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (at_ms, now_ms))
    days = (at.date() - now.date()).days
    clock = f"{at.hour:02}:{at.minute:02}"
    is_tonight = (days == 0 and at.hour >= _NIGHT) or (days == 1 and at.hour < _MORNING <= now.hour)
    if is_tonight:
        return words("plan.tonight", clock=clock)
    if days <= 1:
        return words(("plan.today", "plan.tomorrow")[max(0, days)], clock=clock)
    if days < _WEEK:
        day = words(f"frame.day{at.isoweekday()}")
        return words("plan.weekday", day=day, clock=clock)
    return words("plan.date", month=at.month, day=at.day, clock=clock)
