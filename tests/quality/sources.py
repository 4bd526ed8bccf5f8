"""The files that the quality tests read."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("client", "sync", "ui")


def modules(*folders: str) -> tuple[Path, ...]:
    """List the Python files of the packages, and main.py once it stands."""
    found = [path for name in folders or PACKAGES for path in (ROOT / name).rglob("*.py")]
    main = ROOT / "main.py"
    return tuple(sorted(found + ([main] if main.exists() and not folders else [])))


def name_of(path: Path) -> str:
    """Name a file from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def docstring_nodes(tree: ast.AST) -> Iterator[ast.Constant]:
    """Find texts that only explain: docstrings, also those below a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def files_of_tests() -> tuple[Path, ...]:
    """List the test files."""
    return tuple(sorted((ROOT / "tests").rglob("*.py")))


def none_of(found: Iterable[str]) -> None:
    """Fail with a line for everything that was found."""
    lines = list(found)
    assert not lines, "\n".join(["", *lines])
