"""All commands as data: the stable command line of Tongke (docs/commands.md).

The words of a command stand under `cli.<name>` with `_` for blanks, those of an argument under
`cli.arg.<name>`. Whether a command can be run is not said here: it can if it has a handler.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Value(Enum):
    """What an argument holds."""

    TEXT = "text"
    NUMBER = "number"
    """A whole number, zero or more."""
    SECONDS = "seconds"
    """A number of seconds, zero or more, with decimals."""
    PATH = "path"
    FLAG = "flag"
    ITEMS = "items"
    """Several values, separated by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument: `--name` is an option, `name` stands in its place."""

    flag: str
    value: Value = Value.TEXT
    is_needed: bool = False
    """For options: must be given. Places are needed unless `is_rest_optional`."""
    is_rest_optional: bool = False
    default: str | int | float | None = None
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name under which `Invocation` gives its value."""
        return self.flag.lstrip("-").replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. `name` holds one to three words; the empty name is the app itself."""

    name: str
    arguments: tuple[Argument, ...] = ()

    @property
    def key(self) -> str:
        """Message key of its help."""
        return f"cli.{self.name.replace(' ', '_') or 'app'}"


def _place(
    flag: str,
    value: Value = Value.TEXT,
    *,
    optional: bool = False,
    choices: tuple[str, ...] = (),
) -> Argument:
    return Argument(flag=flag, value=value, is_rest_optional=optional, choices=choices)


def _option(flag: str, value: Value = Value.TEXT, *, needed: bool = False) -> Argument:
    return Argument(flag=flag, value=value, is_needed=needed)


def _choice(flag: str, *choices: str, needed: bool = False) -> Argument:
    return Argument(flag=flag, choices=choices, is_needed=needed)


_ID: Final = _place("id")
_ONE_ID: Final = _place("id", optional=True)
_CLASS: Final = _option("--class")
_HUB_DATA: Final = _option("--data", Value.PATH, needed=True)
_OUT: Final = _place("out", Value.PATH)
_DIR: Final = _place("dir", Value.PATH)
_BASIC: Final = (_option("--one-core", Value.FLAG), _option("--cold", Value.FLAG))

APP_ARGUMENTS: Final = (
    _option("--demo", Value.FLAG),
    _option("--screenshots", Value.PATH),
)

COMMANDS: Final = (
    Command(name="demo", arguments=(_option("--report", Value.PATH, needed=True),)),
    Command(
        name="room set",
        arguments=(_option("--school", needed=True), _option("--room", needed=True)),
    ),
    Command(name="room join", arguments=(_place("url"), _option("--code", needed=True))),
    Command(name="room lead", arguments=(_place("lesson"),)),
    Command(
        name="class add",
        arguments=(_place("name"), _option("--grade", Value.NUMBER, needed=True)),
    ),
    Command(name="class list"),
    Command(name="book choose", arguments=(_place("ids", Value.ITEMS),)),
    Command(name="book list", arguments=(_option("--chosen", Value.FLAG),)),
    Command(
        name="timetable set",
        arguments=(
            _place("class"),
            _place("day", Value.NUMBER),
            _place("period", Value.NUMBER),
            _place("subject"),
            _option("--lesson"),
        ),
    ),
    Command(name="timetable list"),
    Command(name="timetable paste", arguments=(_place("file", Value.PATH),)),
    Command(
        name="source add platform",
        arguments=(
            _place("base", optional=True),
            _option("--token-file", Value.PATH),
            _option("--pace", Value.SECONDS),
        ),
    ),
    Command(name="source add folder", arguments=(_DIR, _option("--watch", Value.FLAG))),
    Command(name="source add hub", arguments=(_place("url"), _option("--code", needed=True))),
    Command(name="source list"),
    Command(
        name="catalogue sync",
        arguments=(
            _option("--source"),
            _option("--books", Value.ITEMS),
            _option("--details", Value.FLAG),
        ),
    ),
    Command(
        name="catalogue search",
        arguments=(
            _place("text"),
            Argument(flag="--limit", value=Value.NUMBER, default=50),
        ),
    ),
    Command(name="catalogue show", arguments=(_ID,)),
    Command(
        name="lesson fetch",
        arguments=(_ID, _option("--rendition"), _option("--parts", Value.ITEMS)),
    ),
    Command(name="lesson list"),
    Command(name="lesson verify", arguments=(_ONE_ID,)),
    Command(name="lesson drop", arguments=(_ID,)),
    Command(name="plan show"),
    Command(
        name="link set",
        arguments=(
            _option("--budget-mb", Value.NUMBER),
            _option("--month-mb", Value.NUMBER),
            _option("--hours"),
            _choice("--kind", "broadband", "satellite", "phone", "school"),
            _option("--cap-kbps", Value.NUMBER),
        ),
    ),
    Command(name="link show"),
    Command(
        name="lan set",
        arguments=(_choice("--share", "on", "off"), _option("--peer")),
    ),
    Command(name="lan check"),
    Command(
        name="play",
        arguments=(
            _ID,
            _option("--seconds", Value.SECONDS),
            _option("--stage-screenshot", Value.PATH),
        ),
    ),
    Command(
        name="print",
        arguments=(
            _ID,
            _choice("--what", "task", "steps", "slides", needed=True),
            _option("--pdf", Value.PATH),
            Argument(flag="--copies", value=Value.NUMBER, default=1),
        ),
    ),
    Command(
        name="record add",
        arguments=(
            _place("kind", choices=("headcount", "note", "answer", "opened", "played")),
            _option("--class", needed=True),
            _option("--value", needed=True),
            _option("--lesson"),
        ),
    ),
    Command(name="record list", arguments=(_CLASS, _option("--since"))),
    Command(
        name="roster import",
        arguments=(_place("file", Value.PATH), _option("--class", needed=True)),
    ),
    Command(name="roster list", arguments=(_option("--class", needed=True),)),
    Command(name="roster code", arguments=(_option("--pdf", Value.PATH),)),
    Command(name="roster backup", arguments=(_DIR,)),
    Command(
        name="roster restore",
        arguments=(_place("file", Value.PATH), _option("--code", needed=True)),
    ),
    Command(name="roster drop", arguments=(_option("--class", needed=True),)),
    Command(name="sync now", arguments=(_option("--folder", Value.PATH),)),
    Command(
        name="courier pack",
        arguments=(
            _DIR,
            _option("--for"),
            _option("--lessons", Value.ITEMS),
            _option("--data", Value.PATH),
        ),
    ),
    Command(name="courier unpack", arguments=(_DIR,)),
    Command(name="courier inspect", arguments=(_DIR,)),
    Command(
        name="hub",
        arguments=(
            _option("--data", Value.PATH),
            _option("--host"),
            _option("--port", Value.NUMBER),
            _option("--admin-code-file", Value.PATH),
        ),
    ),
    Command(
        name="hub publish",
        arguments=(
            _HUB_DATA,
            _place("dir", Value.PATH, optional=True),
            _option("--from-platform", Value.FLAG),
        ),
    ),
    Command(
        name="hub withdraw",
        arguments=(
            _HUB_DATA,
            _ID,
            _option("--reason"),
            _option("--grace", Value.NUMBER),
            _option("--replacement"),
            _option("--undo", Value.FLAG),
        ),
    ),
    Command(name="hub answer", arguments=(_HUB_DATA, _DIR)),
    Command(name="hub backup", arguments=(_HUB_DATA, _DIR)),
    Command(name="hub restore", arguments=(_HUB_DATA, _DIR)),
    Command(name="hub fsck", arguments=(_HUB_DATA,)),
    Command(name="hub revoke", arguments=(_HUB_DATA, _place("node"))),
    Command(name="hub nodes", arguments=(_HUB_DATA,)),
    Command(
        name="hub code",
        arguments=(
            _HUB_DATA,
            _option("--school"),
            _option("--site"),
            _option("--namesake", Value.FLAG),
            _option("--for-hub", Value.FLAG),
            _option("--close", Value.FLAG),
        ),
    ),
    Command(
        name="hub upstream add",
        arguments=(
            _HUB_DATA,
            _place("url"),
            _option("--code", needed=True),
            _option("--school"),
        ),
    ),
    Command(name="hub upstream list", arguments=(_HUB_DATA,)),
    Command(name="hub upstream remove", arguments=(_HUB_DATA, _place("url"))),
    Command(name="hub sync", arguments=(_HUB_DATA,)),
    Command(
        name="export",
        arguments=(_place("format"), _OUT, _option("--lessons", Value.ITEMS)),
    ),
    Command(name="seal-image", arguments=(_option("--yes", Value.FLAG),)),
    Command(name="doctor", arguments=(_option("--bundle", Value.PATH),)),
    Command(
        name="bench",
        arguments=(
            _place("name"),
            *_BASIC,
            _option("--quick", Value.FLAG),
            _option("--boots", Value.NUMBER),
        ),
    ),
)
"""Every command of the command line, in the order in which help shows them."""
