"""The table of readings is what pypinyin says (assets/pinyin.txt)."""

import importlib.util
from pathlib import Path

from client.store.pinyin import PINYIN_FILE, load_readings


def test_table_is_what_its_maker_makes(project_root: Path) -> None:
    path = project_root / "packaging" / "make_pinyin.py"
    spec = importlib.util.spec_from_file_location("make_pinyin", path)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)

    assert PINYIN_FILE.read_text(encoding="utf-8") == maker.text()


def test_syllables_with_u_umlaut_may_be_typed_with_u() -> None:
    readings = load_readings()

    assert {"nv", "nu"} <= set(readings["女"])
    assert {"lve", "lue"} <= set(readings["略"])
    assert readings["行"] == ("hang", "heng", "xing")
    assert len(readings) > 20_000
