"""P7, pupils stay in the room: a roster of canary names, and no name in anything but roster.db.

One room with a roster does everything this version can do; `PLACES` of tests/canary_room.py lists
what, each row with a text that must be found in what it wrote, so that a search which sees nothing
cannot pass. Then every file is searched, in several encodings and inside of what is packed
(tests/canary.py).
"""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tests.canary import MARKS, NAMES, SPELLINGS, Hit, find
from tests.canary_room import NOTED, PLACES, SCHOOL, Place, Room, begin
from ui import screenshots


@pytest.fixture(scope="module")
def room(tmp_path_factory, demo, qapp):
    made = Room(root=tmp_path_factory.mktemp("room"), lists=tmp_path_factory.mktemp("lists"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screenshots, "SETTLE_MS", 40)
        patch.setattr(tempfile, "tempdir", str(made.out("temporary")))
        begin(made)
        for place in PLACES:
            place.act(made)
    return made


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_nothing_that_leaves_the_room_names_a_pupil(room: Room, place: Place) -> None:
    assert find(room.out(place.name), (place.control,)), "the search does not see what was written"
    assert found_in(room, place) == []


def found_in(room: Room, place: Place) -> list[Hit]:
    folder = room.out(place.name)
    found = [*room.hits["names"], *room.hits["code"]]
    return [hit for hit in found if folder in hit.path.parents]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_name_that_is_put_there_by_hand_is_found(tmp_path: Path, place: Place) -> None:
    room = Room(root=tmp_path, lists=tmp_path)
    (room.out(place.name) / "file").write_text(f"…{NAMES[0]}…", encoding="utf-8")
    assert [hit.text for hit in found_in(room, place)] == [NAMES[0]]


def test_no_file_but_the_roster_names_a_pupil(room: Room) -> None:
    """Journal, backups, damaged files, library, blobs, temporary files, the user's home."""
    assert room.hits["names"] == []
    assert {path.name for path in room.profile.iterdir()} >= {
        "journal.db",
        "journal.db.damaged-1",
        "journal.backup-1.db",
        "library.db",
        "blobs",
    }


def test_the_recovery_code_stands_where_secrets_are(room: Room) -> None:
    assert room.hits["code"] == []
    assert find(room.profile / "keys", (room.code,))
    assert find(room.out("sheet"), (room.code,))


def test_the_roster_itself_is_seen_by_the_search(room: Room) -> None:
    found = find(room.profile, (*NAMES, *MARKS, *room.ids))
    here = {hit.text for hit in found if hit.path.name == "roster.db"}
    assert here == {*NAMES, *MARKS, *room.ids}
    assert {hit.path.name for hit in found} <= {"roster.db", "roster.db.replaced-1"}


@pytest.fixture(scope="module")
def careless(tmp_path_factory):
    """A room whose teacher writes a pupil's name into a note, which goes where notes go."""
    made = Room(
        root=tmp_path_factory.mktemp("careless"),
        lists=tmp_path_factory.mktemp("lists"),
        note=f"今天{NAMES[0]}讲得好",
    )
    station = made.station()
    station.room.set_room(SCHOOL, "一号教室").result()
    made.class_id = station.room.add_class("三年级", 3).result()
    station.records.add("note", made.class_id, made.note, None).result()
    station.close()
    for place in NOTED:
        place.act(made)
    return made


@pytest.mark.parametrize("place", NOTED, ids=lambda place: place.name)
def test_a_name_in_a_note_is_found(careless: Room, place: Place) -> None:
    """A teacher may write anything into a note; it shows that the search sees through each way."""
    assert {hit.text for hit in found_in(careless, place)} == {NAMES[0]}


@pytest.mark.parametrize(
    "pattern",
    [
        "segments/*.segment",
        "wire/*.up",
        "carrier/TONGKE/x/*.ask",
        "hub/whole/logs.db",
        "hub/backup/logs.db",
        "backups/*.db",
    ],
)
def test_segments_are_opened_wherever_they_are(careless: Room, pattern: str) -> None:
    """Not only their bytes are searched: what is in them stands in no order that holds for ever."""
    files = set((careless.root / "out").glob(pattern))
    opened = {hit.path for hit in careless.hits["names"] if "/segment/" in hit.how}
    assert files & opened


def test_a_log_of_writing_is_searched_too(careless: Room) -> None:
    beside = careless.out("hub") / "logs.db-wal"
    assert beside in {hit.path for hit in careless.hits["names"]}


def zipped(data: bytes) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", data)
    return target.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        zlib.compress,
        gzip.compress,
        zipped,
        lambda data: b"header" + zlib.compress(data) + b"more",
        lambda data: zipped(b"x" * 99 + zlib.compress(data, 0)),
        lambda data: gzip.compress(zipped(data)),
    ],
)
def test_the_search_finds_a_name_however_it_is_spelt_and_packed(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    for how, spell in SPELLINGS:
        (tmp_path / how).write_bytes(pack(b"before" + spell(name) + b"after"))
    assert {hit.path.name for hit in find(tmp_path, (name,))} == {how for how, _ in SPELLINGS}


def test_the_search_reads_the_names_of_files(tmp_path: Path) -> None:
    (tmp_path / f"{NAMES[0]}.txt").write_bytes(b"")
    assert [hit.text for hit in find(tmp_path, NAMES)] == [NAMES[0]]
