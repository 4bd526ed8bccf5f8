"""Documents say what is there."""

import re
from pathlib import Path

import pytest

from client.service.command.table import COMMANDS
from tests.quality.sources import ROOT, modules, name_of

DOCS = ROOT / "docs"
PAGES = tuple(sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md"))))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ADRS = tuple(sorted((DOCS / "adr").glob("[0-9]*.md")))
READMES = tuple(ROOT / name for name in ("README.md", "README.zh-CN.md"))


def dead_links(path: Path) -> list[str]:
    targets = [t for t in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in t]
    return [f"{name_of(path)}: {t}" for t in targets if not (path.parent / t).exists()]


def test_links_lead_somewhere() -> None:
    assert [link for path in PAGES for link in dead_links(path)] == []


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_readme_is_short_and_its_commands_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", text))
    assert named
    assert named <= targets
    spoken = re.findall(r"main\.py ((?:[a-z]+ ?){1,3})", text)
    known = {command.name for command in COMMANDS}
    assert [s for s in spoken if not any(s.strip().startswith(name) for name in known)] == []


def test_the_makefile_has_the_promised_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("setup", "run", "test", "screenshots", "demo", "bench", "torture"):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


def test_every_command_is_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"`{command.name}" in text, command.name
        for argument in command.arguments:
            if argument.flag.startswith("--"):
                assert argument.flag in text, f"{command.name} {argument.flag}"


def glossary_names() -> list[str]:
    """Identifiers of the glossary that this version must have."""
    names = []
    for line in (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) >= 3 and "later" not in cells[2]:
            names += re.findall(r"`([A-Za-z_.]+)`", cells[1])
    return names


def test_the_words_of_the_glossary_are_the_words_of_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in modules())
    names = [name.rsplit(".", maxsplit=1)[-1] for name in glossary_names()]
    assert names
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", code)] == []


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in ADRS]
    assert numbers == list(range(1, len(ADRS) + 1))
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in ADRS if f"({path.name})" not in index] == []


def test_every_decision_says_what_gets_worse() -> None:
    asked = ["Context", "Options", "Decision", "What gets worse"]
    for path in ADRS:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        begun = [name for heading in headings for name in asked if heading.startswith(name)]
        assert begun == asked, path.name


def test_every_setting_is_documented() -> None:
    """A setting is a key that the program reads with `setting.<key>` words or a default."""
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert [key for key in setting_keys() if f"`{key}`" not in text] == []


def setting_keys() -> list[str]:
    found: set[str] = set()
    pattern = re.compile(r"^class \w*Settings\b.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
    for path in modules():
        for body in pattern.findall(path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"^    ([a-z_]+): ", body, re.MULTILINE))
    return sorted(found)


def test_every_public_module_of_the_house_is_on_the_map() -> None:
    """docs/architecture.md names every package of two levels."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    packages = {p.parent.relative_to(ROOT).as_posix() for p in ROOT.glob("*/*/__init__.py")}
    ours = {p for p in packages if p.split("/")[0] in {"client", "sync", "ui"}}
    assert sorted(p for p in ours if f"`{p}`" not in text) == []
