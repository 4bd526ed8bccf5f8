"""Rules of the house that linters cannot say."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

from tests.quality.sources import (
    PACKAGES,
    ROOT,
    docstring_nodes,
    files_of_tests,
    modules,
    name_of,
    none_of,
    tree_of,
)

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
CHINESE = re.compile("[\u3400-\u9fff].*[\u3400-\u9fff]", re.DOTALL)
"""Two characters; a single one bounds a range of characters."""
LABEL = re.compile(r"^  ([A-Z]{1,2}\d{1,2})  \S", re.MULTILINE)
SOURCES = (*modules(), *modules("packaging"))


def long_ones(path: Path) -> Iterator[str]:
    if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE:
        yield name_of(path)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                yield f"{name_of(path)}: {node.name}"


def test_modules_and_functions_stay_short() -> None:
    none_of(long for path in SOURCES for long in long_ones(path))


def chinese_texts(path: Path) -> Iterator[str]:
    tree = tree_of(path)
    explaining = set(docstring_nodes(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if node not in explaining and CHINESE.search(node.value):
            yield f"{name_of(path)}:{node.lineno} {node.value}"


def test_sentences_live_in_the_catalogues_not_in_code() -> None:
    none_of(text for path in modules() for text in chinese_texts(path))


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pragma: no cover|NotImplementedError")
    found = [name_of(p) for p in modules() if words.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_every_module_says_what_it_is() -> None:
    assert [name_of(path) for path in modules() if not ast.get_docstring(tree_of(path))] == []


def labels_of(path: Path) -> list[str]:
    """Labels of the invariants that a module states."""
    return LABEL.findall(ast.get_docstring(tree_of(path), clean=True) or "")


@cache
def by_test_file() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """For each test file the names it uses, and the labels it cites (`O1`, `test_o1_…`)."""
    found = []
    for path in files_of_tests():
        names = frozenset(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        cited = frozenset(piece.upper() for name in names for piece in name.split("_"))
        found.append((names, cited))
    return tuple(found)


def uncited(path: Path) -> Iterator[str]:
    near = [cited for names, cited in by_test_file() if path.stem in names]
    for label in labels_of(path):
        if not any(label in cited for cited in near):
            yield f"{name_of(path)}: {label}"


def test_every_invariant_is_cited_by_a_test() -> None:
    """Among the tests that name the module, one cites the label."""
    none_of(label for path in modules() for label in uncited(path))


def test_there_are_no_import_knots() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    knots = [sorted(knot) for knot in strongly_connected(graph) if len(knot) > 1]
    assert knots == []


def strongly_connected(graph: grimp.ImportGraph) -> list[set[str]]:
    """Group modules that import each other, directly or through others."""
    below = {name: reachable(graph, name) for name in graph.modules}
    groups: dict[str, set[str]] = {}
    for name, reached in below.items():
        group = {other for other in reached if name in below[other]} | {name}
        groups[min(group)] = group
    return list(groups.values())


def reachable(graph: grimp.ImportGraph, start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = graph.find_modules_directly_imported_by(todo.pop()) - seen
        seen |= new
        todo += new
    return seen


def test_packaging_is_a_folder_and_no_package() -> None:
    """A package of this name would hide the one that installers need."""
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_package_files_hold_no_names() -> None:
    """Re-exports hide which way the arrows point."""
    full = [name_of(path) for path in modules() if path.name == "__init__.py" and has_code(path)]
    assert full == []


def has_code(path: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in tree_of(path).body)


def test_no_file_names_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    # Written in two pieces, or this file would find itself.
    banned = re.compile("/" + "work/(main|shared)|/" + "root/|file:/" + "//opt/")
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in {".png", ".svg", ".ttf", ".otf"} or not path.is_file():
            continue
        if banned.search(path.read_text(encoding="utf-8", errors="ignore")):
            found.append(name)
    assert found == []
