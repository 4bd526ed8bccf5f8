"""What can go wrong around the library."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.lesson_unknown": "This lesson is not in the catalogue",
    "hint.lesson_unknown": "Look for it in the library; its id may have changed.",
    "error.bench_needs_checkout": "This measurement runs from the source checkout only",
    "hint.bench_needs_checkout": "Get the source with git and run it there.",
}
