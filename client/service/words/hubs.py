"""What is said of the hubs of a room, and of adding one."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "hubs.met": "met {when}",
    "hubs.never": "not met yet",
    "hubs.waiting": ("{n} entry to hand in", "{n} entries to hand in"),
    "hubs.sent": "all handed in",
    "hubs.none": "This PC knows no hub yet: records stay here",
    "hubs.none_hint": (
        "Ask the one who looks after the hub for its address and a code, and add it in Settings."
    ),
    "hubs.none_hint_here": "Teaching needs none.",
    "hubs.to_settings": "Open settings",
    "hubs.add_title": "Add a hub",
    "hubs.add_hint": "The one who looks after the hub gives you its address and a code.",
    "hubs.url": "Address, such as https://192.168.1.9:8443",
    "hubs.code": "Code",
    "hubs.add": "Add",
    "hubs.both": "Address and code are both needed.",
    "hubs.adding": "Calling the hub …",
    "hubs.added": "{name} was added; records are on their way.",
}
