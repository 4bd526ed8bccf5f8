"""Write assets/pinyin.txt: every reading of every common Chinese character, without tones.

One line per syllable: the syllable, a blank, the characters that can be read so. Run again when
pypinyin changes; a test compares the file with what this makes.
"""

import unicodedata
from pathlib import Path

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict


def plain(reading: str) -> str:
    """Drop the tone and write ü as v."""
    decomposed = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(c for c in decomposed if "a" <= c <= "z")


def table() -> dict[str, str]:
    """Syllable to its characters, both in order."""
    pairs = {
        (plain(reading), chr(code))
        for code, readings in pinyin_dict.items()
        for reading in readings.split(",")
    }
    for phrase, rows in phrases_dict.items():
        if len(phrase) == len(rows):
            pairs.update(
                (plain(reading), char)
                for char, readings in zip(phrase, rows, strict=True)
                for reading in readings
            )
    syllables: dict[str, str] = {}
    for syllable, char in sorted(pairs):
        if syllable and ("\u4e00" <= char <= "\u9fff" or char == "\u3007"):
            syllables[syllable] = syllables.get(syllable, "") + char
    return syllables


def text() -> str:
    """Give the whole file."""
    return "".join(f"{syllable} {chars}\n" for syllable, chars in table().items())


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "assets" / "pinyin.txt"
    target.write_text(text(), encoding="utf-8")
    print(target)
