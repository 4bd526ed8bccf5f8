"""Words of times, written as well as they are known (`client.domain.record.labels`)."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "date.short": "{month}/{day}",
    "date.long": "{year}/{month}/{day}",
    "date.moment": "{date} {time}",
    "date.half_day": "about {date}, {part}",
    "date.day": "{date}",
    "date.days": "{date} to {to_day}",
    "date.months": "{date} to {to_month}/{to_day}",
    "date.about": "about {date}",
    "date.unknown": "time unknown",
    "date.morning": "morning",
    "date.afternoon": "afternoon",
    "date.evening": "evening",
}
