"""Words for errors that belong to no area, and for lengths of time."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "error.cancelled": "Stopped, as you asked.",
    "error.not_in_this_version": "This version of Tongke cannot do “{what}” yet.",
    "hint.not_in_this_version": "It comes with a later version.",
    "error.usage": "The command was not understood: {detail}",
    "hint.usage": "Add --help to see how it is written.",
    "error.internal": "Something went wrong inside Tongke.",
    "hint.internal": "What was recorded is safe. Please start Tongke again.",
    "length.minutes_seconds": "{minutes} min {seconds} s",
    "length.minutes": ("{n} min", "{n} min"),
    "length.seconds": ("{n} s", "{n} s"),
}
