"""The readings of Chinese characters, from assets/pinyin.txt (made by packaging/make_pinyin.py)."""

from functools import cache
from pathlib import Path
from typing import Final

from client.domain.spelling import Readings

PINYIN_FILE: Final = Path(__file__).resolve().parents[2] / "assets" / "pinyin.txt"


@cache
def load_readings() -> Readings:
    """Read the table (some 10 ms, once). Any thread.

    Syllables with ü stand twice, as `lv` and as `lu`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in PINYIN_FILE.read_text(encoding="utf-8").splitlines():
        syllable, chars = line.split(" ")
        ways = (syllable, syllable.replace("v", "u")) if "v" in syllable else (syllable,)
        for char in chars:
            known = found.get(char, ())
            found[char] = (*known, *(way for way in ways if way not in known))
    return found
