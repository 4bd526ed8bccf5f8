"""What sticks say of lessons (sync.protocol.bundle)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.catalogue import Book, Role
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, LessonId, SectionId
from client.store import sidecar
from client.store.keyfile import verify
from client.store.sidecar import Sidecar
from sync.protocol import bundle
from sync.protocol.bundle import (
    Index,
    Sheet,
    SheetFile,
    is_vouched,
    pack_index,
    pack_sheet,
    read_index,
    read_sheet,
    sheet_digest,
    vouch,
)
from sync.protocol.manifest import ManifestMaker
from tests.courier_world import BOOK, LEAF, UNIT, a_lesson
from tests.lesson_values import LESSONS
from tests.log_world import Key


def manifest(data: bytes):
    maker = ManifestMaker()
    maker.update(data)
    return maker.manifest()


def a_sheet(**more) -> Sheet:
    lesson = a_lesson("l1", (Role.VIDEO, "mp4"), (Role.SLIDES, "pdf"))
    files = tuple(
        SheetFile(part=p.id, path=p.files[0].path, ext=".pdf", manifest=manifest(p.id.encode()))
        for p in lesson.parts
    )
    sheet = Sheet(lesson=lesson, book=BOOK, sections=(UNIT, LEAF), files=files)
    return replace(sheet, **more)


def test_a_sheet_comes_back_as_it_was():
    """U1: its digest names it."""
    sheet = a_sheet()
    data = pack_sheet(sheet)
    assert read_sheet(data) == sheet
    assert pack_sheet(read_sheet(data)) == data
    assert len(sheet_digest(data)) == 32
    bare = a_sheet(book=None, sections=(), files=())
    assert read_sheet(pack_sheet(bare)) == bare


@given(LESSONS)
def test_any_lesson_of_a_catalogue_is_read_or_refused(lesson):
    """U2 U3"""
    data = pack_sheet(Sheet(lesson=lesson, book=None, sections=(), files=()))
    try:
        assert read_sheet(data).lesson == lesson
    except ProtocolError as error:
        assert error.code == "sheet_damaged"


def broken_sheets():
    sheet = a_sheet()
    lesson, part, file = sheet.lesson, sheet.lesson.parts[0], sheet.files[0]
    strange = replace(part, lesson=LessonId("l2"))
    endless = replace(part, duration_s=float("inf"))
    huge = replace(part, position=1 << 60)
    half = replace(lesson, title="\ud800")
    yield "another's part", replace(sheet, lesson=replace(lesson, parts=(strange,)), files=())
    yield "infinite", replace(sheet, lesson=replace(lesson, parts=(endless,)), files=())
    yield "huge", replace(sheet, lesson=replace(lesson, parts=(huge,)), files=())
    yield "no Unicode", replace(sheet, lesson=half)
    yield "long", replace(sheet, lesson=replace(lesson, title="a" * 5000))
    yield "long list", replace(sheet, lesson=replace(lesson, section_titles=("",) * 5000))
    yield "a file twice", replace(sheet, files=(file, file))
    yield "no part", replace(sheet, files=(replace(file, part="p9"),))
    yield "another book", replace(sheet, book=replace(BOOK, id=BookId("b2")))
    yield "no book", replace(sheet, book=None)
    yield "no parent", replace(sheet, sections=(LEAF,))
    deep = [replace(UNIT, id=SectionId(str(number))) for number in range(20)]
    yield "many sections", replace(sheet, sections=tuple(deep))


@pytest.mark.parametrize("sheet", [pytest.param(one, id=name) for name, one in broken_sheets()])
def test_a_sheet_that_cannot_be_kept_is_refused(sheet):
    """U3"""
    if sheet.lesson.title == "\ud800":
        row = decode_array(pack_sheet(a_sheet()))
        row[1] = row[1].replace(b'"title": "l1"', b'"title": "\\ud800"')
        data = encode(row)
    else:
        data = pack_sheet(sheet)
    with pytest.raises(ProtocolError, match="sheet_damaged"):
        read_sheet(data)


def broken_rows():
    good = decode_array(pack_sheet(a_sheet()))
    yield "newer", [2, *good[1:]], "version_unknown"
    yield "short", good[:4], "sheet_damaged"
    yield "no lesson", [1, b"{}", *good[2:]], "sidecar_damaged"
    yield "short book", [*good[:2], ["b1", "s"], *good[3:]], "sheet_damaged"
    yield "book of numbers", [*good[:2], [*good[2][:4], 1, 2, 3, 4, 5], *good[3:]], "sheet_damaged"
    yield "book of less", [*good[:2], good[2][:-1], *good[3:]], "sheet_damaged"
    yield "section", [*good[:3], [["u", 1, 2, "t"]], good[4]], "sheet_damaged"
    yield "file", [*good[:4], [["p", "x", ".pdf"]]], "sheet_damaged"
    yield "manifest", [*good[:4], [["p", "x", ".pdf", b"\x80"]]], "message_invalid"


@pytest.mark.parametrize(
    ("row", "code"), [pytest.param(row, code, id=name) for name, row, code in broken_rows()]
)
def test_rows_of_another_shape_are_refused(row, code):
    """U2"""
    with pytest.raises(ProtocolError, match=code):
        read_sheet(encode(row))


def test_a_sheet_is_bounded(monkeypatch):
    """U2"""
    data = pack_sheet(a_sheet())
    monkeypatch.setattr(bundle, "MAX_SHEET_BYTES", len(data) - 1)
    with pytest.raises(ProtocolError, match="too_large"):
        read_sheet(data)
    with pytest.raises(ProtocolError, match="too_large"):
        pack_sheet(a_sheet())


def an_index(*keys: Key, site="石门教学点") -> Index:
    data = pack_sheet(a_sheet())
    entries = [
        replace(vouch(LessonId("l1"), data, 7, key), paths=("三年级/a.mp4", "")) for key in keys
    ]
    return Index(key=keys[0].public_key, site=site, entries=tuple(entries))


def test_an_index_comes_back_as_it_was():
    """U1"""
    key, other = Key(), Key()
    index = an_index(key, other)
    assert read_index(pack_index(index, key), verify) == index
    assert all(is_vouched(entry, verify) for entry in index.entries)
    assert not is_vouched(replace(index.entries[0], number=8), verify)
    assert not is_vouched(replace(index.entries[0], key=other.public_key), verify)


@given(st.data())
def test_an_index_with_any_byte_changed_is_refused(data):
    """U1 U2"""
    key = Key()
    packed = bytearray(pack_index(an_index(key), key))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProtocolError):
        read_index(bytes(packed), verify)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    """U2"""
    for read in (read_sheet, lambda one: read_index(one, verify)):
        with pytest.raises(ProtocolError):
            read(data)


def signed(key: Key, row) -> bytes:
    body = encode(row)
    return encode([body, key.sign(bundle._INDEX + body)])


def broken_entries():
    entry = ["l1", b"s" * 32, 10, b"k" * 32, 1, b"", ""]
    for at, value in ((0, 1), (1, b"s"), (2, -1), (2, 5 << 20), (3, b"k"), (4, -1), (4, 1 << 60)):
        yield [*entry[:at], value, *entry[at + 1 :]]


@pytest.mark.parametrize("entry", [*broken_entries()])
def test_entries_of_another_shape_are_refused(entry):
    """U2"""
    key = Key()
    with pytest.raises(ProtocolError, match="index_damaged"):
        read_index(signed(key, [1, key.public_key, "", [entry]]), verify)


def test_indexes_of_another_shape_are_refused(monkeypatch):
    """U2"""
    key = Key()
    for row, code in (([2, b""], "version_unknown"), ([1, key.public_key, ""], "index_damaged")):
        with pytest.raises(ProtocolError, match=code):
            read_index(signed(key, row), verify)
    with pytest.raises(ProtocolError, match="index_damaged"):
        read_index(encode([b"body"]), verify)
    monkeypatch.setattr(bundle, "MAX_ENTRIES", 0)
    with pytest.raises(ProtocolError, match="too_large"):
        pack_index(an_index(key), key)


def test_a_sheet_of_a_lesson_says_nothing_of_this_machine():
    """The sidecar's own fields of files stay here."""
    data = decode_array(pack_sheet(a_sheet()))
    assert sidecar.decode(data[1]) == Sidecar(lesson=a_sheet().lesson, held=())
    assert isinstance(read_sheet(pack_sheet(a_sheet())).book, Book)
