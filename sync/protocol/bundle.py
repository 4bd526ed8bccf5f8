"""What a stick says of the lessons on it.

    sheet  = [1, lesson, book, sections, files]        one lesson and its files, by digest
    index  = [[1, key, site, entries], signature]      what one packer put on this stick
    entry  = [lesson id, SHA-256 of the sheet, its length, key, number, signature, paths]

`lesson` is the JSON of `client.store.sidecar` without files. `book` is empty or what a cover says;
`sections` lead from unit to leaf. A file is [part, path, extension, manifest], and `paths` tells in
the same order where each lies on this stick, an empty line for one that does not. Whoever signed an
entry vouches for its sheet, and may be another than the packer: a school that passes a stick on
passes on the hub's word as well. `number` only grows: of two sheets of one lesson by one key the
one with the higher number holds.

Invariants:
  U1  Nothing of an index is given before its signature held, nothing of a sheet before its digest.
  U2  Reading is bounded; hostile bytes end in `ProtocolError` and nothing else.
  U3  What was read can be kept: numbers are finite and of the size of a database's, texts are
      Unicode, files are named by parts of the lesson.
"""

import hashlib
import math
import re
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.catalogue import Book, Lesson, Placement, Section
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.domain.signer import Signer, Verify
from client.store import sidecar
from client.store.sidecar import Sidecar
from sync.protocol.manifest import Manifest, pack_manifest, read_manifest

FORMAT: Final = 1
MAX_SHEET_BYTES: Final = 4 << 20
MAX_INDEX_BYTES: Final = 4 << 20
MAX_ENTRIES: Final = 4096
MAX_FILES: Final = 256
"""Files of one lesson."""
_HASH_BYTES: Final = 32
_MAX_NUMBER: Final = 1 << 53
_MAX_TEXT: Final = 4096
_MAX_SECTIONS: Final = 16
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_INDEX: Final = b"tongke/courier/index/1"
_SHEET: Final = b"tongke/courier/sheet/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFile:
    """One file of a lesson. `path` is the catalogue's name of it, `ext` begins with a dot."""

    part: PartId
    path: str
    ext: str
    manifest: Manifest

    @property
    def digest(self) -> Digest:
        """Name of the blob."""
        return Digest(self.manifest.sha256.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One lesson: its rows of the catalogue, where it stands, and its files."""

    lesson: Lesson
    book: Book | None
    sections: tuple[Section, ...]
    files: tuple[SheetFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sheet on a stick, who vouches for it, and where its files lie."""

    lesson: LessonId
    """As the index says; the sheet has the last word."""
    sheet: bytes
    """SHA-256 of the packed sheet."""
    size_bytes: int
    key: bytes
    number: int
    signature: bytes
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What one packer put on a stick, and for whom: a name for people, may be empty."""

    key: bytes
    site: str
    entries: tuple[Entry, ...]


# --- sheets ----------------------------------------------------------------------------------


def pack_sheet(sheet: Sheet) -> bytes:
    """Give the one byte form of a sheet.

    Raises:
        ProtocolError: `too_large`.
    """
    book: list[Wire] = []
    if sheet.book is not None:
        place = sheet.book.place
        covers: list[Wire] = [place.stage, place.grade, place.subject, place.edition, place.volume]
        book = [sheet.book.id, sheet.book.source, sheet.book.title, sheet.book.provider, *covers]
    sections: list[Wire] = [
        [one.id, one.parent or "", one.position, one.title] for one in sheet.sections
    ]
    files: list[Wire] = [
        [one.part, one.path, one.ext, pack_manifest(one.manifest)] for one in sheet.files
    ]
    lesson = sidecar.encode(Sidecar(lesson=sheet.lesson, held=()))
    data = encode([FORMAT, lesson, book, sections, files])
    if len(data) > MAX_SHEET_BYTES or len(sheet.files) > MAX_FILES:
        raise ProtocolError("too_large")
    return data


def read_sheet(data: bytes) -> Sheet:
    """Read a sheet whose digest was checked (U2, U3).

    Raises:
        ProtocolError: `not_canonical`, `too_large`, `version_unknown` or `sheet_damaged`.
    """
    match decode_array(data, max_bytes=MAX_SHEET_BYTES):
        case [int(number), *_] if number != FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), bytes(lesson), list(book), list(sections), list(files)]:
            sheet = Sheet(
                lesson=sidecar.decode(lesson).lesson,
                book=_book(book) if book else None,
                sections=_sections(book, sections),
                files=tuple(map(_file, files)),
            )
        case _:
            raise ProtocolError("sheet_damaged")
    parts = {part.id for part in sheet.lesson.parts}
    is_whole = all(part.lesson == sheet.lesson.id for part in sheet.lesson.parts)
    named = {(one.part, one.path) for one in sheet.files}
    is_named = len(named) == len(sheet.files) <= MAX_FILES
    is_of_it = all(one.part in parts for one in sheet.files) and _fits_book(sheet)
    if not (is_whole and is_named and is_of_it and _is_sound(sheet)):
        raise ProtocolError("sheet_damaged")
    return sheet


def sheet_digest(data: bytes) -> bytes:
    """Name a packed sheet."""
    return hashlib.sha256(data).digest()


def vouch(lesson: LessonId, data: bytes, number: int, signer: Signer) -> Entry:
    """Make the entry of a packed sheet, signed; its paths are not known yet."""
    digest = sheet_digest(data)
    return Entry(
        lesson=lesson,
        sheet=digest,
        size_bytes=len(data),
        key=signer.public_key,
        number=number,
        signature=signer.sign(_vouched(digest, number)),
    )


def is_vouched(entry: Entry, verify: Verify) -> bool:
    """Tell whether the key of an entry signed it."""
    return verify(entry.key, entry.signature, _vouched(entry.sheet, entry.number))


def _vouched(digest: bytes, number: int) -> bytes:
    return _SHEET + number.to_bytes(8, "big") + digest


def _fits_book(sheet: Sheet) -> bool:
    """Tell whether book and sections are those the lesson names, each after its parent."""
    if sheet.book is None:
        return not sheet.sections
    known: set[SectionId | None] = {None}
    for section in sheet.sections:
        if section.parent not in known:
            return False
        known.add(section.id)
    return sheet.book.id == sheet.lesson.book and len(sheet.sections) <= _MAX_SECTIONS


def _book(row: list[Wire]) -> Book:
    match row:
        case [str(id_), str(source), str(title), str(provider), *place]:
            words = [word for word in place if isinstance(word, str)]
        case _:
            raise ProtocolError("sheet_damaged")
    names = [field.name for field in fields(Placement)]
    if not len(words) == len(place) == len(names):
        raise ProtocolError("sheet_damaged")
    return Book(
        id=BookId(id_),
        source=SourceId(source),
        title=title,
        provider=provider,
        place=Placement(**dict(zip(names, words, strict=True))),
    )


def _sections(book: list[Wire], rows: list[Wire]) -> tuple[Section, ...]:
    found: list[Section] = []
    for row in rows:
        match row, book:
            case [str(id_), str(parent), int(position), str(title)], [str(of), *_]:
                section = Section(
                    id=SectionId(id_),
                    book=BookId(of),
                    parent=SectionId(parent) if parent else None,
                    position=position,
                    title=title,
                )
                found.append(section)
            case _:
                raise ProtocolError("sheet_damaged")
    return tuple(found)


def _file(row: Wire) -> SheetFile:
    match row:
        case [str(part), str(path), str(ext), bytes(manifest)]:
            return SheetFile(
                part=PartId(part), path=path, ext=ext, manifest=read_manifest(manifest)
            )
        case _:
            raise ProtocolError("sheet_damaged")


def _is_sound(value: object) -> bool:
    """Tell whether everything in a value can be kept and shown (U3)."""
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT and not _SURROGATES.search(value)
    if isinstance(value, int):
        return abs(value) < _MAX_NUMBER
    if isinstance(value, float):
        return math.isfinite(value) and abs(value) < _MAX_NUMBER
    if isinstance(value, tuple):
        return len(value) <= _MAX_TEXT and all(map(_is_sound, value))
    if is_dataclass(value) and not isinstance(value, Manifest):
        return all(_is_sound(getattr(value, field.name)) for field in fields(value))
    return True


# --- indexes ---------------------------------------------------------------------------------


def pack_index(index: Index, signer: Signer) -> bytes:
    """Write an index and sign it; its key is the signer's.

    Raises:
        ProtocolError: `too_large`.
    """
    rows: list[Wire] = [_row(entry) for entry in index.entries]
    body = encode([FORMAT, signer.public_key, index.site, rows])
    data = encode([body, signer.sign(_INDEX + body)])
    if len(data) > MAX_INDEX_BYTES or len(rows) > MAX_ENTRIES:
        raise ProtocolError("too_large")
    return data


def read_index(data: bytes, verify: Verify) -> Index:
    """Read an index from anybody (U1, U2). Who signed it proves nothing but that it is whole.

    Raises:
        ProtocolError: `not_canonical`, `too_large`, `version_unknown`, `signature_bad` or
            `index_damaged`.
    """
    match decode_array(data, max_bytes=MAX_INDEX_BYTES):
        case [bytes(body), bytes(signature)]:
            row = decode_array(body, max_bytes=MAX_INDEX_BYTES)
        case _:
            raise ProtocolError("index_damaged")
    match row:
        case [int(number), *_] if number != FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), bytes(key), str(site), list(rows)] if len(rows) <= MAX_ENTRIES:
            if not verify(key, signature, _INDEX + body):
                raise ProtocolError("signature_bad")
            return Index(key=key, site=site, entries=tuple(map(_entry, rows)))
        case _:
            raise ProtocolError("index_damaged")


def _row(entry: Entry) -> Wire:
    head: list[Wire] = [entry.lesson, entry.sheet, entry.size_bytes, entry.key, entry.number]
    return [*head, entry.signature, "\n".join(entry.paths)]


def _entry(row: Wire) -> Entry:
    match row:
        case [str(id_), bytes(sheet), int(size), bytes(key), int(number), bytes(sign), str(places)]:
            entry = Entry(
                lesson=LessonId(id_),
                sheet=sheet,
                size_bytes=size,
                key=key,
                number=number,
                signature=sign,
                paths=tuple(places.split("\n")),
            )
        case _:
            raise ProtocolError("index_damaged")
    is_bounded = 0 <= size <= MAX_SHEET_BYTES and 0 <= number < _MAX_NUMBER
    if not is_bounded or not len(sheet) == _HASH_BYTES == len(key):
        raise ProtocolError("index_damaged")
    return entry
