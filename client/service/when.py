"""How a time of the record is written on a page: `11月3日 10:05`, `约 11月3日 上午`.

Invariants:
  W1  Nothing is written more exactly than it is known; what nobody knows has no date at all.
"""

from datetime import UTC, date, datetime, tzinfo
from typing import TypeAlias

from client.domain.record.dates import Dated, Quality
from client.domain.record.facts import Fact
from client.domain.record.labels import label_of
from client.service.text import Words

When: TypeAlias = Dated
"""A time of the record. Only this module knows what is inside."""


def when_of(fact: Fact) -> When:
    """Take the time out of a fact."""
    return fact.when


def is_about(when: When) -> bool:
    """Tell whether a time is known, but not its day for sure."""
    return when.quality is Quality.ABOUT


def local_moment(when: When, zone: tzinfo | None = None) -> datetime | None:
    """Give a time in `zone` (None: that of this machine), None where nobody knows it."""
    if when.quality is Quality.UNKNOWN:
        return None
    return datetime.fromtimestamp(round(when.middle_ms / 1000), UTC).astimezone(zone)


def time_label(
    words: Words, when: When, today: date, *, is_short: bool = False, zone: tzinfo | None = None
) -> str:
    """Write a time; `is_short` leaves out the date, for places that stand under it.

    Args:
        words: The language.
        when: The time.
        today: Tells which year goes without saying.
        is_short: Write `10:05`, `约 上午`; nothing where only the day, or nothing, is known.
        zone: Local time, None for that of this machine.
    """
    label = label_of(when, zone)
    if not is_short:
        return words.date(label, today.year)
    if label.code == "half_day":
        return words("when.about_short", part=words(f"date.{label.values['part']}"))
    return str(label.values.get("time", ""))


def day_label(words: Words, day: date | None, today: date, *, is_about: bool = False) -> str:
    """Write the heading of a day with its weekday; None is a time that nobody knows."""
    if day is None:
        return words("date.unknown")
    key = "date.short" if day.year == today.year else "date.long"
    name = words(key, year=day.year, month=day.month, day=day.day)
    if is_about:
        return words("date.about", date=name)
    return words("when.weekday", date=name, weekday=words(f"frame.day{day.isoweekday()}"))
