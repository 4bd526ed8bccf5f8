"""Words of times in the record, as sure as they are known."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "when.about_short": "in the {part}",
    "when.weekday": "{date} {weekday}",
}
