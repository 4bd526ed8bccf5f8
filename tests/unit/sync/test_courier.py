"""Packing and taking in (sync.engine.courier_pack, courier_unpack, courier_stick, vouchers)."""

import hashlib
from dataclasses import replace

import pytest

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.errors import DigestMismatchError, StorageError, StorageFullError
from client.domain.ids import LessonId, PartId
from client.store.keyfile import verify
from sync.engine import courier_pack, courier_stick, courier_unpack
from sync.engine.courier_stick import PART, index_path, look, sheet_of, sheet_path
from sync.engine.vouchers import Vouchers
from sync.protocol.bundle import Index, pack_index, pack_sheet, vouch
from sync.protocol.manifest import BLOCK_BYTES
from sync.transport.stick import Stick, StickFile
from tests.courier_world import (
    BOOK,
    SIZE,
    a_lesson,
    content,
    film,
    keep,
    know,
    pack,
    room,
    shown_files,
    unpack,
    yes,
)
from tests.log_world import Key

ONE = a_lesson("l1", (Role.VIDEO, "mp4"), (Role.SLIDES, "pdf"), title="分数的初步认识")
TWO = a_lesson("l2", (Role.SLIDES, "pdf"), title="比大小")
UNIT = "三年级/数学/第六单元"


@pytest.fixture
def county(tmp_path):
    station = room(tmp_path / "county")
    keep(station, ONE, film(1), content(2))
    keep(station, TWO, content(3))
    yield station
    station.close()


@pytest.fixture
def school(tmp_path):
    station = room(tmp_path / "school")
    yield station
    station.close()


@pytest.fixture
def stick(tmp_path):
    return tmp_path / "stick"


def held(station, lesson: str) -> dict[str, Trust]:
    rows = station.holdings.of_lesson(LessonId(lesson))
    return {row.part: row.blob.trust for row in rows if row.blob is not None}


def reasons(report) -> list[str]:
    return sorted(one.why for one in report.rejected)


# --- packing ---------------------------------------------------------------------------------


def test_a_stick_is_readable_by_people(county, stick):
    """CP1"""
    packed = pack(county, stick)
    assert len(packed.lessons) == 2
    assert packed.copied_bytes == packed.size_bytes == 3 * SIZE
    assert shown_files(stick) == [
        f"{UNIT}/01 分数的初步认识/slides.pdf",
        f"{UNIT}/01 分数的初步认识/video.mp4",
        f"{UNIT}/02 比大小/slides.pdf",
    ]
    assert (stick / UNIT / "01 分数的初步认识" / "video.mp4").read_bytes() == film(1)


def test_packing_again_copies_nothing(county, stick):
    """CP1 CP2: and what is there stays as it is."""
    pack(county, stick, "l1")
    before = (stick / index_path(county.journal.signer.public_key)).read_bytes()
    again = pack(county, stick, "l1")
    assert (again.lessons, again.copied_bytes) == (("l1",), 0)
    assert (stick / index_path(county.journal.signer.public_key)).read_bytes() == before
    pack(county, stick, "l2")
    index = look(Stick(stick), verify).indexes[0]
    assert [entry.lesson for entry in index.entries] == ["l1", "l2"]


def test_a_film_of_two_lessons_lies_once(county, stick):
    """CP1"""
    keep(county, a_lesson("l3", (Role.SLIDES, "pdf")), content(3))
    packed = pack(county, stick, "l2", "l3")
    assert packed.copied_bytes == SIZE
    assert len(shown_files(stick)) == 1


def test_what_another_packer_put_there_is_used_and_never_changed(county, school, stick):
    """CP1"""
    pack(county, stick, "l2")
    keep(school, TWO, content(3))
    before = shown_files(stick)
    assert pack(school, stick).copied_bytes == 0
    assert shown_files(stick) == before
    # A packer whose file is not what its index says is not relied on.
    path = stick / before[0]
    path.write_bytes(content(4))
    (stick / index_path(school.journal.signer.public_key)).unlink()
    assert pack(school, stick).copied_bytes == SIZE
    assert path.read_bytes() == content(4)
    assert shown_files(stick) == [f"{UNIT}/01 比大小/slides.pdf", before[0]]


def test_a_file_that_was_finished_and_not_told_is_taken_up(county, stick):
    """CP2: somebody's own file beside it is left alone."""
    folder = stick / UNIT / "02 比大小"
    folder.mkdir(parents=True)
    (folder / "slides.pdf").write_bytes(b"somebody's own")
    (folder / "slides (2).pdf").write_bytes(content(5))
    (folder / "slides (3).pdf").write_bytes(content(3))
    packed = pack(county, stick, "l2")
    assert packed.copied_bytes == 0
    assert unpack_again(county, stick) == {"slides (3).pdf"}
    assert (folder / "slides.pdf").read_bytes() == b"somebody's own"


def unpack_again(station, stick) -> set[str]:
    (index,) = look(Stick(stick), verify).indexes
    return {path.rpartition("/")[2] for entry in index.entries for path in entry.paths}


@pytest.mark.parametrize("left", [0, 7, SIZE, SIZE + 9])
def test_cs3_what_was_left_of_a_file_goes_before_anything_is_written(
    county, stick, left, monkeypatch
):
    """CS3 (sync.engine.courier_stick), CP2: parts of others stay, and so does what is named."""
    pack(county, stick, "l1")
    folder = stick / UNIT / "02 比大小"
    folder.mkdir(parents=True)
    part, torn = folder / f"slides.pdf{PART}", folder / "film.mp4"
    part.write_bytes((content(3) + b"123456789")[:left])
    for path in (torn, torn.with_name(torn.name + PART)):
        path.write_bytes(b"one renaming, two names")
    named = stick / shown_files(stick)[0]
    named.with_name(named.name + PART).write_bytes(b"x")
    theirs = folder / "download.mp4.part"
    theirs.write_bytes(b"somebody's own")
    first = []
    write = StickFile.write

    def look_and_write(file, data):
        first.append(sorted(stick.rglob(f"*{PART}")))
        write(file, data)

    monkeypatch.setattr(StickFile, "write", look_and_write)
    assert pack(county, stick, "l2").copied_bytes == SIZE
    assert first[0] == [part]
    assert (folder / "slides.pdf").read_bytes() == content(3)
    assert not torn.exists()
    assert named.exists()
    assert theirs.read_bytes() == b"somebody's own"
    assert not list(stick.rglob(f"*{PART}"))


def test_a_lesson_that_changed_leaves_nothing_behind(county, stick):
    """CP2"""
    pack(county, stick)
    keep(county, TWO, content(9))
    assert pack(county, stick, "l2").copied_bytes == SIZE
    files = shown_files(stick)
    assert len(files) == 3
    assert (stick / files[-1]).read_bytes() == content(9)


def test_what_cannot_be_packed_is_told(county, stick, monkeypatch):
    know(county, a_lesson("l4", (Role.SLIDES, "pdf")))
    keep(county, a_lesson("l5", (Role.SLIDES, "pdf")), content(5))
    county.catalogue.withdraw([LessonId("l5")])
    packed = pack(county, stick, "l4", "l5", "l6", "l2")
    assert packed.lessons == ("l2",)
    assert reasons(packed) == ["lesson_unknown", "nothing_here", "withdrawn"]
    monkeypatch.setattr(courier_pack, "MOST_BYTES", SIZE - 1)
    assert reasons(pack(county, stick, "l1")) == ["too_large_for_stick"]


def test_a_file_that_does_not_play_here_is_not_carried(county, stick):
    blob = next(h.blob for h in county.holdings.of_lesson(ONE.id) if h.part == "l1-0")
    county.holdings.keep(ONE, PartId("l1-0"), "l1/0.mp4", replace(blob, decodes=Decodes.NO))
    pack(county, stick, "l1")
    assert [path.rpartition("/")[2] for path in shown_files(stick)] == ["slides.pdf"]


def test_what_does_not_fit_is_told_and_a_smaller_one_may(county, stick, monkeypatch):
    monkeypatch.setattr(Stick, "free_bytes", lambda _: 5 * BLOCK_BYTES + (4 << 20) - BLOCK_BYTES)
    packed = pack(county, stick)
    assert packed.lessons == ("l2",)
    assert reasons(packed) == ["stick_full"]


def test_a_stick_that_is_full_all_of_a_sudden_keeps_what_it_has(county, stick, monkeypatch):
    """CP2"""
    pack(county, stick, "l2")

    def step(size):
        if size == BLOCK_BYTES:
            raise StorageFullError("stick_full")

    packed = pack(county, stick, "l1", step=step)
    assert (packed.lessons, reasons(packed)) == ((), ["stick_full"])
    assert len(shown_files(stick)) == 1

    def own_disk(size):
        if size == BLOCK_BYTES:
            raise StorageFullError("disk_full")

    with pytest.raises(StorageFullError, match="disk_full"):
        pack(county, stick, "l1", step=own_disk)


def test_what_stands_in_the_way_costs_only_its_lesson(county, stick, tmp_path):
    """CP1: nothing is written through a link, nor in the place of a file."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (stick / UNIT).mkdir(parents=True)
    (stick / UNIT / "01 分数的初步认识").symlink_to(outside)
    packed = pack(county, stick)
    assert (packed.lessons, reasons(packed)) == (("l2",), ["not_writable"])
    assert list(outside.iterdir()) == []
    (stick / UNIT / "01 分数的初步认识").unlink()
    (stick / UNIT / "01 分数的初步认识").write_bytes(b"somebody's own")
    packed = pack(county, stick)
    assert (packed.lessons, reasons(packed)) == (("l2",), ["not_writable"])


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_damaged_blob_is_not_packed(county, stick, is_gone):
    """CP4"""
    path = next(h.file for h in county.holdings.of_lesson(TWO.id))
    path.unlink() if is_gone else path.write_bytes(content(4))
    packed = pack(county, stick)
    assert (packed.lessons, reasons(packed)) == (("l1",), ["damaged"])
    assert held(county, "l2") == {}
    assert all("比大小" not in one for one in shown_files(stick))


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_stick_that_lies_is_caught(county, stick, monkeypatch, is_readable):
    """CP3"""
    real = courier_pack.Packer._read

    def read(self, path):
        if path.endswith("video.mp4"):
            if not is_readable:
                raise StorageError("stick_failed")
            (stick / path).write_bytes(b"\0" * SIZE)
        return real(self, path)

    monkeypatch.setattr(courier_pack.Packer, "_read", read)
    packed = pack(county, stick)
    assert (packed.lessons, reasons(packed)) == (("l2",), ["stick_bad"])
    (index,) = look(Stick(stick), verify).indexes
    assert [entry.lesson for entry in index.entries] == ["l2"]
    monkeypatch.setattr(Stick, "is_there", lambda _: is_readable)
    if not is_readable:
        with pytest.raises(StorageError):
            pack(county, stick)


def test_names_come_from_the_place_in_school(county, school, stick):
    """CP1: a lesson without a place has its folder too."""
    bare = replace(
        TWO,
        id=LessonId("f-1"),
        place=Placement(),
        book=None,
        section_titles=(),
        sections=(),
        parts=tuple(replace(one, lesson=LessonId("f-1")) for one in TWO.parts),
    )
    keep(county, bare, content(6))
    lost = replace(bare, id=LessonId("f-2"), book=BOOK.id, title="没有单元", parts=())
    lost = replace(
        lost, parts=tuple(replace(p, id=PartId("x"), lesson=LessonId("f-2")) for p in TWO.parts)
    )
    keep(county, lost, content(7))
    county.catalogue.withdraw([LessonId("l9")])
    pack(county, stick, "f-1", "f-2")
    assert shown_files(stick) == [
        "elsewhere/01 比大小/slides.pdf",
        "elsewhere/01 没有单元/slides.pdf",
    ]
    assert unpack(school, stick).lessons == ("f-1", "f-2")


# --- taking in -------------------------------------------------------------------------------


def test_lessons_come_in_by_digest_and_are_used_at_once(county, school, stick):
    """CU1 CU3"""
    pack(county, stick)
    seen = []

    def progress(done, _whole, title):
        seen.append((done, title, len(school.holdings.kept_lessons())))

    report = unpack(school, stick, progress=progress, soonest=[TWO.id])
    assert report.lessons == ("l2", "l1")
    assert report.copied_bytes == 3 * SIZE
    assert seen[0][0] == 0
    assert seen[-1] == (2, "", 2)
    assert held(school, "l1") == {"l1-0": Trust.OBSERVED, "l1-1": Trust.OBSERVED}
    for row in school.holdings.of_lesson(ONE.id):
        assert hashlib.sha256(row.file.read_bytes()).hexdigest() == row.blob.digest
    assert school.catalogue.lesson(ONE.id) == ONE
    assert [one.title for one in school.catalogue.sections(BOOK.id)] == ["第六单元", "分数"]
    again = unpack(school, stick)
    assert (again.lessons, again.copied_bytes, again.reused) == ((), 0, 3)


def test_trust_follows_who_signed(county, school, stick):
    """CU1: and a hub's word lifts what was observed, without copying."""
    hub = Key()
    pack(county, stick, "l1")
    pack(county, stick, "l2", signer=hub)
    assert unpack(school, stick).copied_bytes == 3 * SIZE
    assert set(held(school, "l2").values()) == {Trust.OBSERVED}
    report = unpack(school, stick, hubs=[hub.public_key])
    assert (report.lessons, report.copied_bytes) == (("l2",), 0)
    assert set(held(school, "l2").values()) == {Trust.ATTESTED}
    assert set(held(school, "l1").values()) == {Trust.OBSERVED}
    named = unpack(school, stick, attests=lambda lesson, _: lesson == "l1")
    assert named.copied_bytes == 0
    assert set(held(school, "l1").values()) == {Trust.ATTESTED}
    assert unpack(school, stick, hubs=[hub.public_key]).lessons == ()


def test_a_hubs_word_goes_on_with_the_lesson(county, school, stick, tmp_path):
    """CP5 VO1"""
    hub = Key()
    pack(county, stick, "l1", signer=hub)
    unpack(school, stick, hubs=[hub.public_key])
    other = tmp_path / "other"
    pack(school, other, hubs=[hub.public_key])
    (index,) = look(Stick(other), verify).indexes
    assert index.key == school.journal.signer.public_key
    assert index.entries[0].key == hub.public_key
    # Other files than the hub signed go under the room's own name.
    keep(school, ONE, film(1), content(8))
    pack(school, other, hubs=[hub.public_key])
    (index,) = look(Stick(other), verify).indexes
    assert index.entries[0].key == school.journal.signer.public_key
    # Nor does a hub that is none of this room's vouch.
    pack(school, tmp_path / "third", hubs=[])
    (index,) = look(Stick(tmp_path / "third"), verify).indexes
    assert index.entries[0].key == school.journal.signer.public_key


def test_an_older_word_of_a_hub_changes_nothing(county, school, stick, tmp_path):
    """CU2 VO1"""
    hub, old = Key(), tmp_path / "old"
    pack(county, old, "l2", signer=hub)
    keep(county, replace(TWO, title="比一比"), content(3))
    pack(county, stick, "l2", signer=hub)
    for _ in range(2):
        unpack(school, stick, hubs=[hub.public_key])
        unpack(school, old, hubs=[hub.public_key])
        assert school.catalogue.lesson(TWO.id).title == "比一比"
    vouched = Vouchers(school.profile.vouched)
    newest = vouched.find(TWO.id).entry.number
    older = replace(vouched.find(TWO.id).entry, number=newest - 1)
    vouched.keep(older, b"")
    assert vouched.find(TWO.id).entry.number == newest
    assert vouched.is_older(older)
    assert not vouched.is_older(replace(older, key=Key().public_key))


def test_vouchers_that_cannot_be_read_are_none(tmp_path):
    vouched = Vouchers(tmp_path / "vouched")
    assert vouched.find(TWO.id) is None
    (tmp_path / "vouched").mkdir()
    (tmp_path / "vouched" / "l2.les").write_bytes(b"\x81\x01")
    assert vouched.find(TWO.id) is None
    (tmp_path / "vouched" / "l2.les").write_bytes(b"\xff")
    assert vouched.find(TWO.id) is None


def test_a_strangers_rows_replace_none_that_are_known(county, school, stick):
    """CU2"""
    know(school, replace(TWO, title="我们的"))
    pack(county, stick, "l2")
    assert unpack(school, stick).lessons == ("l2",)
    assert school.catalogue.lesson(TWO.id).title == "我们的"
    keep(county, TWO, content(9))
    pack(county, stick, "l2")
    assert unpack(school, stick).lessons == ()
    assert [h.blob.digest for h in school.holdings.of_lesson(TWO.id)] == [
        hashlib.sha256(content(3)).hexdigest()
    ]


def test_a_lesson_of_a_list_gets_its_parts(county, school, stick):
    """CU2"""
    know(school, replace(TWO, title="我们的", parts=(), has_detail=False))
    pack(county, stick, "l2")
    unpack(school, stick)
    assert school.catalogue.lesson(TWO.id).title == "我们的"
    assert set(held(school, "l2")) == {"l2-0"}


@pytest.mark.parametrize("is_hub", [True, False])
def test_lessons_of_folders_are_joined(county, school, stick, is_hub):
    """CU2"""
    hub = Key()
    kind = LessonKind.FOLDER
    keep(county, replace(TWO, kind=kind, title="县里的"), content(3))
    own = replace(TWO.parts[0], id=PartId("own"), role=Role.TASK)
    keep(school, replace(TWO, kind=kind, title="我们的", parts=(own,)), content(4))
    pack(county, stick, "l2", signer=hub)
    unpack(school, stick, hubs=[hub.public_key] if is_hub else [])
    lesson = school.catalogue.lesson(TWO.id)
    assert {part.id for part in lesson.parts} == {"own", "l2-0"}
    assert lesson.title == ("县里的" if is_hub else "我们的")
    assert set(held(school, "l2")) == {"own", "l2-0"}


def test_what_is_withdrawn_stays_so(county, school, stick):
    """CU2"""
    know(school, TWO)
    school.catalogue.withdraw([TWO.id])
    pack(county, stick, "l2")
    report = unpack(school, stick)
    assert (report.lessons, reasons(report)) == ((), ["withdrawn"])


def test_a_file_that_lies_in_two_lessons_comes_once(county, school, stick):
    three = a_lesson("l3", (Role.SLIDES, "pdf"), (Role.TASK, "pdf"))
    keep(county, three, content(3), content(3))
    pack(county, stick, "l2", "l3")
    report = unpack(school, stick)
    assert report.copied_bytes == SIZE
    assert set(held(school, "l3")) == {"l3-0", "l3-1"}
    assert set(held(school, "l2")) == {"l2-0"}


def test_a_film_is_tried_before_it_counts(county, school, stick):
    """CU1"""
    pack(county, stick)
    unpack(school, stick, probe=lambda _: Decodes.NO)
    blobs = {row.part: row.blob.decodes for row in school.holdings.of_lesson(ONE.id)}
    assert blobs == {"l1-0": Decodes.NO, "l1-1": Decodes.UNKNOWN}


# --- hostile and broken ----------------------------------------------------------------------


def first_file(stick, ending: str):
    return stick / next(one for one in shown_files(stick) if one.endswith(ending))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda path: path.write_bytes(content(4)), "digest_mismatch"),
        (lambda path: path.write_bytes(b"<html>" + content(4)[6:]), "not_the_file"),
        (lambda path: path.write_bytes(b"short"), "file_absent"),
        (lambda path: path.unlink(), "file_absent"),
    ],
)
def test_a_bad_file_costs_only_itself(county, school, stick, harm, why):
    """CU5"""
    pack(county, stick)
    harm(first_file(stick, "01 分数的初步认识/slides.pdf"))
    report = unpack(school, stick)
    assert reasons(report) == [why]
    assert set(report.lessons) == {"l1", "l2"}
    assert set(held(school, "l1")) == {"l1-0"}
    assert list((school.blobs.folder / "arriving").iterdir()) == []


def test_a_bad_place_is_read_once_more_from_its_first_bad_block(county, school, stick, monkeypatch):
    """CU4"""
    pack(county, stick, "l2")
    path, wrong = first_file(stick, ".pdf"), bytearray(content(3))
    wrong[BLOCK_BYTES + 1] ^= 1
    path.write_bytes(wrong)
    real = courier_unpack.Arriving.check

    def check(self):
        try:
            real(self)
        except DigestMismatchError:
            path.write_bytes(content(3))
            raise

    monkeypatch.setattr(courier_unpack.Arriving, "check", check)
    report = unpack(school, stick)
    assert report.lessons == ("l2",)
    assert report.copied_bytes == SIZE + SIZE - BLOCK_BYTES


def test_a_place_that_cannot_be_read_costs_only_its_file(county, school, stick, monkeypatch):
    """CU5"""
    pack(county, stick)
    real = Stick.open

    def open_(self, path):
        if path.endswith("video.mp4"):
            raise StorageError("stick_failed")
        return real(self, path)

    monkeypatch.setattr(Stick, "open", open_)
    report = unpack(school, stick)
    assert reasons(report) == ["unreadable"]
    assert set(held(school, "l1")) == {"l1-1"}
    monkeypatch.setattr(Stick, "is_there", lambda _: False)
    with pytest.raises(StorageError, match="stick_failed"):
        unpack(room_again(school), stick)


def room_again(school):
    school.holdings.drop(ONE.id)
    return school


def test_a_full_disk_stops_and_keeps_what_came(county, school, stick, monkeypatch):
    pack(county, stick)
    left = [2]

    def require_room(self, _size):
        left[0] -= 1
        if left[0] < 0:
            raise StorageFullError("disk_full")

    monkeypatch.setattr(type(school.blobs), "require_room", require_room)
    with pytest.raises(StorageFullError):
        unpack(school, stick)
    assert set(held(school, "l1")) | set(held(school, "l2"))


def test_strangers_fill_at_most_half(county, school, stick, monkeypatch):
    """CU5"""
    pack(county, stick)
    monkeypatch.setattr(type(school.blobs), "free_bytes", lambda _: 2 * SIZE)
    report = unpack(school, stick)
    assert reasons(report) == ["no_room", "no_room"]
    hub = Key()
    pack(county, stick, signer=hub)
    assert unpack(school, stick, hubs=[hub.public_key]).copied_bytes == 2 * SIZE


def forge(stick, key: Key, *sheets, paths=("a.pdf",), lesson="l2", signer=None):
    """Write an index of one's own."""
    entries = []
    for sheet in sheets:
        data = sheet if isinstance(sheet, bytes) else pack_sheet(sheet)
        Stick(stick).write(sheet_path(hashlib.sha256(data).digest()), data)
        entry = vouch(LessonId(lesson), data, 1, signer or key)
        entries.append(replace(entry, paths=paths))
    index = Index(key=key.public_key, site="", entries=tuple(entries))
    Stick(stick).write(index_path(key.public_key), pack_index(index, key))
    return entries


def a_sheet_on(county, stick):
    pack(county, stick, "l2")
    (index,) = look(Stick(stick), verify).indexes
    return sheet_of(Stick(stick), index.entries[0])[0]


@pytest.mark.parametrize(
    "path", ["../../secret.pdf", "/etc/passwd", "link.pdf", "way/secret.pdf", "nul", "a:b", "C:/x"]
)
def test_no_path_leads_out_of_the_stick(county, school, stick, tmp_path, path):
    """CU1: not even where the bytes would be the right ones."""
    sheet = a_sheet_on(county, tmp_path / "good")
    stick.mkdir()
    (tmp_path / "secret.pdf").write_bytes(content(3))
    (stick / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (stick / "way").symlink_to(tmp_path)
    forge(stick, Key(), sheet, paths=(path,))
    report = unpack(school, stick)
    assert (report.lessons, report.copied_bytes) == ((), 0)
    assert reasons(report) == ["file_absent"]


def test_hostile_sheets_are_told_and_keep_no_other_out(county, school, stick, tmp_path):
    """CU5 CS2"""
    sheet = a_sheet_on(county, stick)
    file = sheet.files[0]
    forge(stick, Key(), b"\x80", b"nothing")
    forge(stick, Key(), sheet, lesson="l1")
    forge(stick, Key(), sheet, paths=("a.pdf", "b.pdf"))
    exe = replace(sheet, files=(replace(file, ext=".exe"),))
    forge(stick, Key(), exe)
    entry = forge(stick, Key(), sheet)[0]
    lying = Key()
    forged = Index(key=lying.public_key, site="", entries=(replace(entry, key=lying.public_key),))
    Stick(stick).write(index_path(lying.public_key), pack_index(forged, lying))
    (stick / "TONGKE" / "0123456789abcdef.idx").write_bytes(b"nothing")
    copy = (stick / index_path(county.journal.signer.public_key)).read_bytes()
    (stick / "TONGKE" / "0000000000000000.idx").write_bytes(copy)
    report = unpack(school, stick)
    assert report.lessons == ("l2",)
    told = set(reasons(report))
    assert {"not_canonical", "sheet_damaged", "signature_bad", "index_damaged"} <= told


def test_kinds_that_nobody_teaches_with_are_left(county, school, stick, tmp_path):
    """CU5"""
    sheet = a_sheet_on(county, tmp_path / "good")
    stick.mkdir()
    (stick / "a.exe").write_bytes(content(3))
    forge(
        stick, Key(), replace(sheet, files=(replace(sheet.files[0], ext=".exe"),)), paths=("a.exe",)
    )
    report = unpack(school, stick)
    assert (report.lessons, reasons(report)) == ((), ["kind_unknown"])


def test_the_bookmarks_of_a_textbook_travel_with_it(county, school, stick):
    """CU1: no folder brings such a file, and no page of words passes for one."""
    book = a_lesson("t", (Role.TEXTBOOK, "pdf"), (Role.BOOKMARKS, "marks"))
    keep(county, book, content(7), content(8, head=b"{"))
    other = a_lesson("u", (Role.BOOKMARKS, "marks"))
    keep(county, other, content(9, head=b"<html>"))
    pack(county, stick, "t", "u")
    report = unpack(school, stick)
    assert set(held(school, "t")) == {"t-0", "t-1"}
    assert held(school, "u") == {}
    assert reasons(report) == ["not_the_file"]


def test_empty_and_protected_files_are_left(county, school, stick):
    sheet = a_sheet_on(county, stick)
    lesson = sheet.lesson
    part = lesson.parts[0]
    locked = replace(part, files=(replace(part.files[0], is_protected=True),))
    forge(stick, Key(), replace(sheet, lesson=replace(lesson, parts=(locked,))))
    (stick / index_path(county.journal.signer.public_key)).unlink()
    assert unpack(school, stick) == replace(unpack(school, stick))
    assert held(school, "l2") == {}


def test_a_bounded_number_of_indexes_is_read(county, school, stick, monkeypatch):
    """CS1"""
    sheet = a_sheet_on(county, stick)
    for _ in range(3):
        forge(stick, Key(), sheet)
    monkeypatch.setattr(courier_stick, "MAX_INDEXES", 2)
    contents = look(Stick(stick), verify)
    assert len(contents.indexes) == 2
    assert [one.why for one in contents.rejected] == ["too_many", "too_many"]


@pytest.mark.parametrize(
    ("limit", "most"), [("MAX_INDEXED_BYTES", 300), ("MAX_SHEETS_BYTES", 2000)]
)
def test_what_is_read_of_a_stick_is_bounded(county, stick, monkeypatch, limit, most):
    """CS1"""
    pack(county, stick)
    monkeypatch.setattr(courier_stick, limit, most)
    contents = look(Stick(stick), verify)
    assert [one.why for one in contents.rejected] == ["too_many"]
    assert sum(len(index.entries) for index in contents.indexes) < 2


def test_a_hint_that_cannot_be_read_is_no_hint(county, school, stick, monkeypatch):
    """CP1"""
    pack(county, stick, "l2")
    keep(school, TWO, content(3))
    real, told = courier_pack.Packer._read, shown_files(stick)[0]

    def read(self, path):
        if path == told:
            raise StorageError("stick_failed")
        return real(self, path)

    monkeypatch.setattr(courier_pack.Packer, "_read", read)
    assert pack(school, stick).copied_bytes == SIZE
    (stick / index_path(school.journal.signer.public_key)).unlink()
    monkeypatch.setattr(Stick, "is_there", lambda _: False)
    with pytest.raises(StorageError):
        pack(school, stick)


def test_a_small_file_that_cannot_be_read_is_told_apart_from_a_stick_that_is_gone(
    county, stick, monkeypatch
):
    """CS2"""
    pack(county, stick, "l2")

    def read(self, _path, _most):
        raise StorageError("stick_failed")

    monkeypatch.setattr(Stick, "read", read)
    assert [one.why for one in look(Stick(stick), verify).rejected] == ["unreadable"]
    monkeypatch.setattr(Stick, "is_there", lambda _: False)
    with pytest.raises(StorageError):
        look(Stick(stick), verify)


def test_a_book_that_is_known_keeps_its_tree(county, school, stick):
    know(school, a_lesson("l8"))
    pack(county, stick, "l2")
    unpack(school, stick)
    assert len(school.catalogue.sections(BOOK.id)) == 2
    assert yes(school.holdings.of_lesson(TWO.id)[0].file)


def test_files_that_left_the_stick_are_packed_again(county, school, stick):
    """CP1: and a packer's own word counts more than another's."""
    pack(county, stick, "l2")
    pack(school, stick)
    keep(school, TWO, content(3))
    pack(school, stick)
    assert pack(county, stick, "l2").copied_bytes == 0
    first_file(stick, ".pdf").unlink()
    assert unpack(school, stick).copied_bytes == 0
    assert pack(county, stick, "l2").copied_bytes == SIZE


def test_sheets_that_left_the_stick_are_told(county, school, stick):
    """CS2"""
    pack(county, stick)
    for path in (stick / "TONGKE" / "s").iterdir():
        path.unlink()
        break
    assert reasons(unpack(school, stick)) == ["file_absent"]
    assert len(pack(county, stick).lessons) == 2
    (path, *_) = (stick / "TONGKE" / "s").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert reasons(unpack(school, stick)) == ["sheet_damaged"]


def test_what_was_read_of_a_lesson_is_left_for_the_next_time(county, school, stick):
    """CU4"""
    pack(county, stick, "l1")
    left = [0]

    def step(size):
        left[0] += size
        if left[0] > SIZE + 2 * BLOCK_BYTES - 9:
            raise StorageError("stick_failed")

    with pytest.raises(StorageError):
        unpack(school, stick, step=step)
    assert len(list((school.blobs.folder / "arriving").iterdir())) == 2
    assert unpack(school, stick).copied_bytes <= SIZE


def test_a_lesson_whose_first_file_is_here_is_gone_on_with(county, school, stick):
    """CU4"""
    keep(county, a_lesson("l3", (Role.SLIDES, "pdf"), (Role.TASK, "pdf")), content(3), content(8))
    keep(school, TWO, content(3))
    pack(county, stick, "l3")

    gone = [False]

    def step(size):
        gone[0] |= size == BLOCK_BYTES
        if gone[0]:
            raise StorageError("stick_failed")

    with pytest.raises(StorageError):
        unpack(school, stick, step=step)
    assert held(school, "l3") == {}
    assert unpack(school, stick).copied_bytes == SIZE
