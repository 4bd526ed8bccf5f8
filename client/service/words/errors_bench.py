"""Words of what keeps a measurement from running."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.bench_unknown": "There is no measurement named {name}",
    "hint.bench_unknown": "These can be run: {names}",
    "error.bench_lacks": "This measurement cannot run here: {what} is missing",
    "hint.bench_lacks": "Install it, or run the measurement on a screen",
    "error.bench_app_died": "The program did not come as far as this: {what}",
    "hint.bench_app_died": "Start it by hand on the same screen and look what it says",
}
