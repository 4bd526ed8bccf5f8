"""Every message code and key that the code names has words."""

import ast
from collections.abc import Iterator
from pathlib import Path

from client.domain import errors
from client.service.command.table import APP_ARGUMENTS, COMMANDS
from client.service.text import english
from tests.quality.sources import modules, name_of, none_of, tree_of

FAMILY = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.ClassroomError)
}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file with the last part of the name that is called."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Name | ast.Attribute):
                yield (target.id if isinstance(target, ast.Name) else target.attr), node


def first_text(call: ast.Call) -> str | None:
    if call.args and isinstance(call.args[0], ast.Constant):
        value = call.args[0].value
        return value if isinstance(value, str) else None
    return None


def codes() -> set[str]:
    return {
        code
        for path in modules()
        for name, call in calls(path)
        if name in FAMILY and (code := first_text(call)) is not None
    }


def test_every_error_says_what_happened_and_what_to_do() -> None:
    wanted = {f"{family}.{code}" for family in ("error", "hint") for code in codes()}
    none_of(sorted(wanted - english().keys()))


def keys_of(path: Path) -> set[str]:
    """Keys that a file hands to `words(…)` or `….plural(…)` as they stand."""
    found = set()
    for name, call in calls(path):
        text = first_text(call)
        if name in {"words", "_words", "plural"} and text is not None and "." in text:
            found.add(text)
    return found


def test_every_key_in_code_has_words() -> None:
    unknown = {
        f"{name_of(path)}: {key}" for path in modules() for key in keys_of(path) - english().keys()
    }
    none_of(sorted(unknown))


def test_every_command_and_argument_has_words() -> None:
    wanted = {command.key for command in COMMANDS}
    wanted |= {f"cli.arg.{a.name}" for c in COMMANDS for a in c.arguments}
    wanted |= {f"cli.arg.{a.name}" for a in APP_ARGUMENTS}
    assert wanted - english().keys() == set()
