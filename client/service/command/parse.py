"""Reading a command line.

Invariants:
  K1  Every command of the table can be read; what is not understood is a `UsageError`, exit 2.
  K2  `--profile`, `--lang` and `--json` may stand before or after the command.
"""

import argparse
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never

from client.domain.errors import UsageError
from client.service.command.table import APP_ARGUMENTS, COMMANDS, Argument, Command, Value
from client.service.text import Words

Scalar = str | int | float | bool | Path | tuple[str, ...] | None

_COMPLAINTS: Final = (
    (r"the following arguments are required: (?P<what>.*)", "missing"),
    (r"unrecognized arguments: (?P<what>.*)", "unknown"),
    (r"argument (?P<name>.*?): invalid choice: '?(?P<what>.*?)'? \(", "choice"),
    (r"argument (?P<name>.*?): invalid \w+ value: '(?P<what>.*)'", "value"),
    (r"argument (?P<name>.*?): expected (?:one|at least one) argument", "empty"),
)
"""What argparse says, and the key of our words for it."""

_HEADINGS: Final = {"positional arguments": "cli.heading.places"}

_GLOBAL: Final = frozenset({"command", "profile", "lang", "json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One command as it was given."""

    command: str
    """`room set`, `catalogue search`, …; empty for the app itself."""
    profile: Path | None = None
    language: str | None = None
    is_json: bool = False
    values: tuple[tuple[str, Scalar], ...] = ()
    help: str = ""
    """What to print instead of doing anything, when help was asked for."""

    def text(self, name: str, default: str = "") -> str:
        """Give a text argument, `default` when it was not given."""
        value = self._value(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """Give a whole number."""
        value = self._value(name)
        return value if isinstance(value, int) else default

    def seconds(self, name: str) -> float | None:
        """Give a number of seconds, None when it was not given."""
        value = self._value(name)
        return float(value) if isinstance(value, int | float) else None

    def flag(self, name: str) -> bool:
        """Tell whether a flag was given."""
        return self._value(name) is True

    def path(self, name: str) -> Path | None:
        """Give a path, None when it was not given."""
        value = self._value(name)
        return value if isinstance(value, Path) else None

    def needed_path(self, name: str) -> Path:
        """Give a path that the command cannot be without."""
        value = self.path(name)
        if value is None:
            raise UsageError("usage", {"detail": f"--{name}"})
        return value

    def items(self, name: str) -> tuple[str, ...]:
        """Give the values of a list, empty when it was not given."""
        value = self._value(name)
        return value if isinstance(value, tuple) else ()

    def has(self, name: str) -> bool:
        """Tell whether an argument was given."""
        return self._value(name) is not None

    def _value(self, name: str) -> Scalar:
        return dict(self.values).get(name)


class _HelpAsked(Exception):  # noqa: N818 - control flow: the text that was asked for
    """Ends the reading of a command line that asks for help."""


class _Misread(Exception):  # noqa: N818 - becomes a UsageError in the room's language
    """Carries what argparse says of a command line it does not understand."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing and leaving."""

    def error(self, message: str) -> Never:
        """See `ArgumentParser`."""
        raise _Misread(message)

    def print_help(self, file: object = None) -> Never:  # noqa: ARG002 - argparse's signature
        """See `ArgumentParser`."""
        raise _HelpAsked(self.format_help())


def parse(argv: Sequence[str], words: Words, built: Collection[str] | None = None) -> Invocation:
    """Read a command line.

    Args:
        argv: Without the program's name.
        words: For help.
        built: Commands that can be run, None for all; help marks the others.

    Raises:
        UsageError: It is not understood.
    """
    parser = _build(words, built)
    try:
        given = vars(parser.parse_args(list(argv)))
    except _HelpAsked as asked:
        return Invocation(
            command="help", is_json="--json" in argv, help=_in_words(str(asked), words)
        )
    except _Misread as misread:
        raise UsageError("usage", {"detail": _explain(str(misread), words)}) from misread
    if given.pop("version", False):
        return Invocation(command="version", is_json=given.get("json", False))
    return Invocation(
        command=given.get("command", ""),
        profile=given.get("profile"),
        language=given.get("lang"),
        is_json=given.get("json", False),
        values=tuple((name, given[name]) for name in sorted(given.keys() - _GLOBAL)),
    )


def language_of(argv: Sequence[str]) -> str | None:
    """Find the language asked for, before the command line can be read."""
    for at, word in enumerate(argv):
        if word == "--lang" and at + 1 < len(argv):
            return argv[at + 1]
        if word.startswith("--lang="):
            return word.partition("=")[2]
    return None


def _in_words(help_text: str, words: Words) -> str:
    return help_text.replace("usage: ", words("cli.usage"), 1)


def _explain(message: str, words: Words) -> str:
    """Say argparse's complaint in the room's language; unknown ones stay as they are."""
    for pattern, key in _COMPLAINTS:
        if match := re.match(pattern, message):
            return words(f"cli.problem.{key}", **match.groupdict())
    return message


def _build(words: Words, built: Collection[str] | None) -> _Parser:
    root = _Parser(prog="tongke", description=words("cli.app"), add_help=False)
    _add_common(root, words)
    root.add_argument("--version", action="store_true", help=words("cli.arg.version"))
    _say_headings(root, words)
    for argument in APP_ARGUMENTS:
        _add(root, argument, words)
    groups = {"": root.add_subparsers(metavar=words("cli.command"), parser_class=_Parser)}
    for command in COMMANDS:
        parser = _add_command(groups, command, words)
        if built is not None and command.name not in built:
            parser.epilog = words("cli.not_in_this_version")
        parser.set_defaults(command=command.name)
        for argument in command.arguments:
            _add(parser, argument, words)
    return root


def _add_command(
    groups: "dict[str, argparse._SubParsersAction[_Parser]]", command: Command, words: Words
) -> _Parser:
    """Add a command under its group, making the group when it is the first of it."""
    *above, last = command.name.split()
    parent = ""
    for depth in range(1, len(above) + 1):
        name = " ".join(above[:depth])
        if name not in groups:
            group = _add_parser(
                groups[parent], above[depth - 1], f"cli.group.{name.replace(' ', '_')}", words
            )
            groups[name] = group.add_subparsers(required=True, metavar=words("cli.command"))
        parent = name
    parser = _add_parser(groups[parent], last, command.key, words)
    if any(other.name.startswith(f"{command.name} ") for other in COMMANDS):
        groups[command.name] = parser.add_subparsers(metavar=words("cli.command"))
    return parser


def _add_parser(
    group: "argparse._SubParsersAction[_Parser]", name: str, key: str, words: Words
) -> _Parser:
    parser = group.add_parser(name, help=words(key), description=words(key), add_help=False)
    _add_common(parser, words)
    _say_headings(parser, words)
    return parser


def _say_headings(parser: argparse.ArgumentParser, words: Words) -> None:
    for group in parser._action_groups:  # noqa: SLF001 - argparse has no other way
        group.title = words(_HEADINGS.get(group.title or "", "cli.heading.options"))


def _add_common(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add what may stand before and after a command; absent ones leave no trace."""
    absent = argparse.SUPPRESS
    parser.add_argument("-h", "--help", action="help", help=words("cli.arg.help"), default=absent)
    parser.add_argument("--profile", type=Path, default=absent, help=words("cli.arg.profile"))
    parser.add_argument("--lang", default=absent, help=words("cli.arg.lang"))
    parser.add_argument("--json", action="store_true", default=absent, help=words("cli.arg.json"))


def _add(parser: argparse.ArgumentParser, argument: Argument, words: Words) -> None:
    text = words(f"cli.arg.{argument.name}")
    if argument.value is Value.FLAG:
        parser.add_argument(argument.flag, action="store_true", default=None, help=text)
        return
    kind = _KINDS[argument.value]
    choices = argument.choices or None
    if argument.flag.startswith("--"):
        parser.add_argument(
            argument.flag,
            dest=argument.name,
            type=kind,
            default=argument.default,
            choices=choices,
            required=argument.is_needed,
            help=text,
            metavar=None if choices else argument.name.upper(),
        )
        return
    parser.add_argument(
        argument.name,
        type=kind,
        choices=choices,
        nargs="?" if argument.is_rest_optional else None,
        help=text,
        metavar=None if choices else argument.name.upper(),
    )


def _number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.replace("，", ",").split(",") if item.strip())


_KINDS: Final[dict[Value, Callable[[str], object]]] = {
    Value.TEXT: str,
    Value.NUMBER: _number,
    Value.SECONDS: _seconds,
    Value.PATH: Path,
    Value.ITEMS: _items,
}
