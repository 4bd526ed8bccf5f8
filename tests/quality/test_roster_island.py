"""Who may know the roster: its own modules, and what the composition root hands it to."""

import tomllib

import grimp

from tests.quality.sources import PACKAGES, ROOT, modules, name_of

ISLAND = {
    name_of(path).removesuffix(".py").replace("/", ".")
    for path in modules("client")
    if "roster" in path.stem and path.parent.name != "words"
}
"""By name: a module of the roster is called so."""
NEEDED = {"sync cannot reach the roster", "the record cannot reach the roster"}


def test_the_contracts_name_every_module_of_the_roster() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = {
        one["name"]: one for one in tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    }
    assert contracts.keys() >= NEEDED
    for name in NEEDED:
        assert set(contracts[name]["forbidden_modules"]) == ISLAND
        assert not contracts[name].get("allow_indirect_imports")
    assert contracts["sync cannot reach the roster"]["source_modules"] == ["sync"]


def test_inside_client_only_the_roster_knows_the_roster() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    known = {one for name in ISLAND for one in graph.find_modules_that_directly_import(name)}
    assert {one for one in known if not one.startswith("ui.")} <= ISLAND
