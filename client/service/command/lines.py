"""Answers as lines for people, made from the same documents that programs read."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from client.domain.record.labels import Label
from client.service.text import Words

_HIDDEN: Final = frozenset({"digest", "trust", "renditions", "at", "at_quality", "path"})
"""Columns that only programs need; they stand in the JSON."""

_SPOKEN: Final = frozenset(
    {"availability", "state", "status", "role", "mode", "weeks", "kind", "trouble"}
)
"""Columns whose values are names of this program; people read them in words."""

_WIDEST: Final = 40


def lines(value: object, words: Words) -> Iterator[str]:
    """Write a document as lines: tables for rows, `name  value` for the rest."""
    if isinstance(value, dict):
        if set(value) == {"help"}:
            yield str(value["help"]).rstrip()
            return
        tables = {name: rows for name, item in value.items() if (rows := _rows(item)) is not None}
        yield from _pairs({k: v for k, v in value.items() if k not in tables}, words)
        for rows in tables.values():
            if rows or len(tables) == 1:
                yield from _table(rows, words)
    elif (rows := _rows(value)) is not None:
        yield from _table(rows, words)
    else:
        yield _cell(value)


def _rows(value: object) -> list[dict[str, object]] | None:
    """Give a list of rows as such, None for anything else."""
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    return None


def _pairs(values: dict[str, object], words: Words) -> Iterator[str]:
    named = [(_heading(name, words), _said(name, item, words)) for name, item in values.items()]
    width = max((_width(name) for name, _ in named), default=0)
    for name, cell in named:
        yield f"{_padded(name, width)}  {cell}".rstrip()


def _table(rows: Sequence[dict[str, object]], words: Words) -> Iterator[str]:
    if not rows:
        yield words("cli.nothing")
        return
    names = [name for name in rows[0] if name not in _HIDDEN]
    cells = [[_heading(name, words) for name in names]]
    cells += [[_shortened(_said(name, row.get(name), words)) for name in names] for row in rows]
    widths = [max(_width(line[at]) for line in cells) for at in range(len(names))]
    for line in cells:
        yield _joined(line, widths)


def _joined(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = (_padded(cell, width) for cell, width in zip(line, widths, strict=True))
    return "  ".join(padded).rstrip()


def _heading(name: str, words: Words) -> str:
    key = f"cli.key.{name}"
    return words(key) if words.has(key) else name


def _said(column: str, value: object, words: Words) -> str:
    if column == "when" and isinstance(value, dict):
        return words.date(Label(code=value["code"], values=value))
    key = f"cli.value.{value}"
    return words(key) if column in _SPOKEN and words.has(key) else _cell(value)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={_cell(item)}" for name, item in value.items())
    return str(value)


def _shortened(text: str) -> str:
    if _width(text) <= _WIDEST:
        return text
    while _width(text) >= _WIDEST:
        text = text[:-1]
    return f"{text}…"


def _width(text: str) -> int:
    """Columns a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
