"""How sure a time of the record is, and how it is written: `11月3日 10:05`, `约 11月3日 上午`.

Invariants:
  W1  Nothing is written more exactly than it is known; what nobody knows has no date at all.
"""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from types import MappingProxyType
from typing import Final

from client.domain.record.facts import Fact
from client.service.text import Words

_EXACT, _DAY, _ABOUT = "exact", "day", "about"
_SURE: Final = MappingProxyType({"clock": _EXACT, "exact": _EXACT, "day": _DAY, "about": _ABOUT})
"""What each `at_quality` of a fact allows to be written; any other word allows nothing."""
_NOON, _EVENING = 12, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A time of the record. Only this module knows what is inside."""

    at: str = ""
    quality: str = "unknown"


def when_of(fact: Fact) -> When:
    """Take the time out of a fact."""
    return When(at=fact.at, quality=fact.at_quality)


def is_about(when: When) -> bool:
    """Tell whether a time is known, but not its day for sure."""
    return _sureness(when) == _ABOUT and local_moment(when) is not None


def local_moment(when: When, zone: tzinfo | None = None) -> datetime | None:
    """Give a time in `zone` (None: that of this machine), None where nobody knows it."""
    if not _sureness(when):
        return None
    try:
        return datetime.fromisoformat(when.at).astimezone(zone)
    except (ValueError, OverflowError):
        return None


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
    moment = local_moment(when, zone)
    if moment is None:
        return "" if is_short else words("when.unknown")
    sure, values = _sureness(when), {"clock": f"{moment:%H:%M}", "part": _part(words, moment.hour)}
    if is_short:
        return "" if sure == _DAY else words(f"when.{sure}_short", **values)
    return words(f"when.{sure}", date=_date(words, moment.date(), today), **values)


def day_label(words: Words, day: date | None, today: date, *, is_about: bool = False) -> str:
    """Write the heading of a day with its weekday; None is a time that nobody knows."""
    if day is None:
        return words("when.unknown")
    if is_about:
        return words("when.about_day", date=_date(words, day, today))
    weekday = words(f"frame.day{day.isoweekday()}")
    return words("when.weekday", date=_date(words, day, today), weekday=weekday)


def _date(words: Words, day: date, today: date) -> str:
    key = "when.date" if day.year == today.year else "when.date_year"
    return words(key, year=day.year, month=day.month, day_of_month=day.day)


def _part(words: Words, hour: int) -> str:
    if hour < _NOON:
        return words("when.morning")
    return words("when.afternoon" if hour < _EVENING else "when.evening")


def _sureness(when: When) -> str:
    """Tell what may be written of a time: exact, day, about, or empty for nothing."""
    return _SURE.get(when.quality, "") if when.at else ""
