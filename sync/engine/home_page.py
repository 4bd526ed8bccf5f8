"""The page of a pack to take home: plain HTML that any phone or television opens from a folder.

Invariants:
  HP1  It asks nothing of a network and runs no script; every text in it is escaped.
  HP2  Beside a film that phones may not play stands what plays it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from client.service.text import Words

MARK: Final = b'<meta name="generator" content="tongke-home">'
"""Tells a folder that was packed here from anybody else's."""
_STYLE: Final = (
    "body{font-family:sans-serif;line-height:1.6;margin:1em auto;max-width:44em;padding:0 1em}"
    "h2{margin:1.5em 0 0}a{display:inline-block;padding:.4em 0;font-size:1.15em}"
    "small{color:#555}ul{padding-left:1.2em}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFile:
    """One file of a pack; `path` is below the page, with `/`."""

    name: str
    path: str
    size_bytes: int
    is_stream: bool = False
    """It is wrapped in a way that phones do not play."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeLesson:
    """One lesson of a pack."""

    title: str
    place: str
    files: tuple[HomeFile, ...]


def page(lessons: Sequence[HomeLesson], words: Words) -> bytes:
    """Write the page (HP1)."""
    title = escape(words("home.title"))
    parts = [
        f'<!DOCTYPE html>\n<html lang="{escape(words.language.replace("_", "-"))}">',
        f'<head><meta charset="utf-8">{MARK.decode()}',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head>",
        f"<body><h1>{title}</h1><p>{escape(words('home.how'))}</p>",
    ]
    for lesson in lessons:
        parts += [f"<h2>{escape(lesson.title)}</h2><small>{escape(lesson.place)}</small><ul>"]
        parts += [_row(file, words) for file in lesson.files]
        parts += ["</ul>"]
    parts += [f"<p><small>{escape(words('home.rights'))}</small></p></body></html>\n"]
    return "\n".join(parts).encode()


def _row(file: HomeFile, words: Words) -> str:
    note = f"<br><small>{escape(words('home.stream'))}</small>" if file.is_stream else ""
    size = escape(words.size(file.size_bytes))
    link = f'<a href="{escape(quote(file.path))}">{escape(file.name)}</a>'
    return f"<li>{link} <small>{size}</small>{note}</li>"
