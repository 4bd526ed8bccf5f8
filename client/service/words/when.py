"""Words of times in the record, as sure as they are known."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "when.unknown": "Time unknown",
    "when.exact": "{date} {clock}",
    "when.day": "{date}",
    "when.about": "about {date}, {part}",
    "when.exact_short": "{clock}",
    "when.about_short": "in the {part}",
    "when.weekday": "{date} {weekday}",
    "when.about_day": "about {date}",
    "when.date": "{month}/{day_of_month}",
    "when.date_year": "{year}/{month}/{day_of_month}",
    "when.morning": "morning",
    "when.afternoon": "afternoon",
    "when.evening": "evening",
}
