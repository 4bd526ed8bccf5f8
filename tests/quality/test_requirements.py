"""Dependencies: pinned, locked, explained, and nothing that is imported is missing."""

import ast
import re
import sys
from functools import cache
from importlib import metadata

import pytest

from tests.quality.sources import PACKAGES, ROOT, modules, tree_of

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(\s*;.*)?$")
NAMES = ("requirements.txt", "requirements-dev.txt", "requirements.lock", "requirements-dev.lock")


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith(("#", "-r ")):
            continue
        match = PIN.match(text)
        assert match, f"{name}: {text} is not pinned exactly"
        found[normal(match[1])] = match[2]
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_pinned_and_names_no_host(name: str) -> None:
    assert pins(name)
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--(extra-)?index|--find-links|@ ", text)


def test_the_locks_hold_the_pins() -> None:
    run, build = pins("requirements.txt"), pins("requirements-dev.txt")
    assert run.items() <= pins("requirements.lock").items()
    assert {**run, **build}.items() <= pins("requirements-dev.lock").items()
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_lock_names_everything_that_is_needed() -> None:
    locked = pins("requirements.lock")
    for name in locked:
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in needed:
            if ";" not in line:
                other = re.match(r"[A-Za-z0-9._-]+", line)
                assert other is not None
                assert normal(other[0]) in {*locked, "pip"}, f"{name} needs {line}"


def test_pyside_stays_where_it_is_safe() -> None:
    """docs/adr/0011-pyside6-pin.md"""
    locked = pins("requirements.lock")
    assert {locked[f"pyside6-{part}"] for part in ("essentials", "addons")} == {"6.8.3"}


def test_every_dependency_has_a_reason() -> None:
    direct = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    assert [name for name in direct if not has_a_reason(name)] == []


@cache
def reasons() -> str:
    return (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()


def has_a_reason(name: str) -> bool:
    return f"| {name} |" in reasons()


def test_every_import_is_a_requirement() -> None:
    """A bundle or an environment without the build tools holds all that is imported."""
    owners = metadata.packages_distributions()
    allowed = {name for name in pins("requirements.lock") if has_a_reason(name)}
    known = set(sys.stdlib_module_names) | {*PACKAGES, "main"}
    missing = set()
    for path in modules():
        for name in imported(tree_of(path)) - known:
            if not allowed & {normal(owner) for owner in owners.get(name, [])}:
                missing.add((path.name, name))
    assert missing == set()


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
