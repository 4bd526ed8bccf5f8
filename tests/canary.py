"""Names that stand nowhere else, and a search that finds them in whatever a program writes.

`SPELLINGS` says how a text may be spelt in bytes, `VIEWS` what a file may hold inside: a new way to
pack bytes (a compressor, a container) is a new row. `find` looks at every view of every file.
"""

import io
import re
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from client.domain.canon import Wire, decode_array
from client.domain.errors import ProtocolError
from client.domain.record.segment import MAX_SEGMENT_BYTES, unseal
from sync.protocol.exchange import MAX_MESSAGE_BYTES

NAMES = ("欧阳鹦鹉", "金丝雀儿", "白头翁·画眉", "Canary Featherstone", "قاناري گۈل")
MARKS = ("评语：像金翅雀一样爱唱", "蓝喉蜂虎八十七分")

_DEEPEST = 5
_MOST_BYTES = 64 << 20
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_GZIP = re.compile(rb"\x1f\x8b\x08")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", re.IGNORECASE)

SPELLINGS: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("utf-8", lambda text: text.encode("utf-8")),
    ("utf-16-le", lambda text: text.encode("utf-16-le")),
    ("utf-16-be", lambda text: text.encode("utf-16-be")),
    ("gb18030", lambda text: text.encode("gb18030")),
    ("json", lambda text: text.encode("ascii", "backslashreplace")),
    ("url", lambda text: quote(text).encode()),
    ("html", lambda text: text.encode("ascii", "xmlcharrefreplace")),
)
"""How a text may stand in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A text that was found, and where."""

    path: Path
    text: str
    how: str
    """Views and spelling, from the outside: `file/zlib/utf-8`."""


# --- what files hold inside --------------------------------------------------------------


def _zip(data: bytes) -> Iterator[bytes]:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            yield member.filename.encode()
            yield member.comment
            with archive.open(member) as file:
                yield file.read(_MOST_BYTES)


def _inflated(data: bytes, mark: re.Pattern[bytes], bits: int) -> Iterator[bytes]:
    for found in mark.finditer(data):
        stream = zlib.decompressobj(bits)
        try:
            yield stream.decompress(data[found.start() :], _MOST_BYTES)
        except zlib.error:
            continue


def _zlib(data: bytes) -> Iterator[bytes]:
    return _inflated(data, _ZLIB, zlib.MAX_WBITS)


def _gzip(data: bytes) -> Iterator[bytes]:
    return _inflated(data, _GZIP, zlib.MAX_WBITS | 16)


def _pdf(data: bytes) -> Iterator[bytes]:
    if not data.startswith(b"%PDF"):
        return
    try:
        for page in PdfReader(io.BytesIO(data)).pages:
            yield page.extract_text().encode()
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError):
        return


def _sqlite(data: bytes) -> Iterator[bytes]:
    """Rows as text: a long value stands in several pages."""
    if not data.startswith(b"SQLite format 3\0"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.db"
        path.write_bytes(data)
        connection = sqlite3.connect(path)
        try:
            yield "\n".join(connection.iterdump()).encode("utf-8", "surrogateescape")
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for (table,) in tables.fetchall():
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield from (cell for cell in row if isinstance(cell, bytes))
        except sqlite3.Error:
            return
        finally:
            connection.close()


def _http(data: bytes) -> Iterator[bytes]:
    """Bodies of what went over a connection, one way."""
    for found in _LENGTH.finditer(data):
        yield data[found.end() :][: int(found[1])]


def _leaves(value: Wire) -> Iterator[bytes]:
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value.encode()
    elif isinstance(value, bytes):
        yield value


def _message(data: bytes) -> Iterator[bytes]:
    """Texts and byte strings of an envelope, of its body, of any other array."""
    try:
        yield from _leaves(decode_array(data, max_bytes=MAX_MESSAGE_BYTES))
    except ProtocolError:
        return


def _segment(data: bytes) -> Iterator[bytes]:
    """Bodies of the events, whoever signed them."""
    if len(data) > MAX_SEGMENT_BYTES:
        return
    try:
        events = unseal(data, lambda _: bytes(32), lambda *_: True).events
    except ProtocolError:
        return
    yield from (event.body for event in events)


VIEWS: tuple[tuple[str, Callable[[bytes], Iterator[bytes]]], ...] = (
    ("zip", _zip),
    ("zlib", _zlib),
    ("gzip", _gzip),
    ("pdf", _pdf),
    ("sqlite", _sqlite),
    ("http", _http),
    ("message", _message),
    ("segment", _segment),
)
"""What bytes may hold inside. Each gives what it finds, nothing for bytes that are none of its."""


def views(data: bytes, name: str = "file") -> Iterator[tuple[str, bytes]]:
    """Give bytes and all that is packed in them, named from the outside."""
    yield name, data
    if name.count("/") < _DEEPEST:
        for kind, look in VIEWS:
            for inner in look(data):
                yield from views(inner, f"{name}/{kind}")


# --- the search --------------------------------------------------------------------------


def spelt(texts: Iterable[str]) -> Mapping[bytes, tuple[str, str]]:
    """Give all spellings of texts, each with its text and the name of the spelling."""
    return {spell(text): (text, how) for text in texts for how, spell in SPELLINGS}


def find(folder: Path, texts: Iterable[str]) -> list[Hit]:
    """Search every file below a folder, its name too, for any of the texts."""
    needles = spelt(texts)
    hits = []
    for path in sorted(folder.rglob("*")):
        held = [("name", str(path.relative_to(folder)).encode("utf-8", "surrogateescape"))]
        if path.is_file() and not path.is_symlink():
            held += views(path.read_bytes())
        for where, data in held:
            hits += [
                Hit(path=path, text=text, how=f"{where}/{how}")
                for needle, (text, how) in needles.items()
                if needle in data
            ]
    return hits
