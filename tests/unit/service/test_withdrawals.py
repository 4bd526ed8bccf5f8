"""Withdrawn lessons in a room: PG1, PG2, WS1 to WS3, WR1 and WR2."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import PartState
from client.domain.clock import FrozenClock
from client.domain.edition import Attested, Group
from client.domain.errors import StorageFullError
from client.domain.failpoint import PURGE_POINTS, VARIABLE
from client.domain.ids import Digest, LessonId, SourceId
from client.domain.record.bodies import Ended
from client.domain.want import Want
from client.domain.withdrawal import CLASSES_A_DAY, GONE, Standing, Withdrawal
from client.service.paths import Profile
from client.service.station import Station
from client.service.withdrawals import Looked
from client.store.arriving import Expected
from client.store.blob_store import growing_key
from client.store.catalogue_read import SourceRow
from client.store.edition_store import EditionStore
from client.store.want_store import WantStore
from client.store.withdrawal_rows import WithdrawalRows
from tests.held_world import (
    CLASS,
    PLATFORM,
    SIZE,
    a_lesson,
    begin,
    content,
    here,
    hold,
    keep,
    places_of,
    teach,
)
from tests.quality.sources import ROOT

HUB, OTHER = SourceId("hub-1"), SourceId("hub-2")
ONE, TWO = LessonId("l1"), LessonId("l2")
LOOK = """
import sys
from pathlib import Path
from client.domain.clock import FrozenClock
from client.service.paths import Profile
from client.service.station import Station
station = Station(Profile(Path(sys.argv[1])), FrozenClock(), boot="again")
station.withdrawals.look_now()
station.close()
"""


def opened(folder: Path, boot: str = "one") -> Station:
    return Station(Profile(folder), FrozenClock(), boot=boot)


@pytest.fixture
def station(tmp_path):
    room = opened(tmp_path / "profile")
    room.add_source(SourceRow(id=PLATFORM, kind="platform"))
    room.room.add_class("three", 3, 13).result()
    yield room
    room.close()


def word(key: str = "l1", days: int = 0, reason: str = "outdated", other: str = "") -> Withdrawal:
    return Withdrawal(
        lesson=LessonId(key),
        reason=reason,
        grace_days=days,
        replacement=LessonId(other) if other else None,
    )


def say(station: Station, *listed: Withdrawal, source: SourceId = HUB) -> int:
    return WithdrawalRows(station.database).put(source, listed)


def is_shown(station: Station, key: LessonId) -> bool:
    record = station.catalogue.record(key)
    assert record is not None
    return not record.is_withdrawn


# --- what is said ----------------------------------------------------------------------------


def test_wr1_what_anybody_lists_is_withdrawn_until_nobody_does(station):
    """WR1, WR2: two hubs and the platform; the platform's list does not bring it back."""
    hold(station, "l1", "l2")
    assert say(station, word()) == 1
    assert say(station, word()) == 0
    assert say(station, word(days=3), source=OTHER) == 0
    station.catalogue.withdraw([ONE])
    assert [source for source, _ in WithdrawalRows(station.database).words(ONE)] == [
        HUB, OTHER, PLATFORM,
    ]  # fmt: skip
    for takes_back in (
        lambda: station.catalogue.restore([ONE]),
        lambda: say(station, source=OTHER),
    ):
        takes_back()
        assert not is_shown(station, ONE)
    say(station, word("l2"))
    assert is_shown(station, ONE)
    assert not is_shown(station, TWO)


def test_wr1_a_lesson_that_comes_to_be_known_later_is_withdrawn_too(station):
    """WR1: from a stick, or a list that was read behind the hub's."""
    say(station, word())
    station.catalogue.put_whole([a_lesson("l1"), a_lesson("l2")])
    assert [is_shown(station, one) for one in (ONE, TWO)] == [False, True]


def test_a_platform_that_answers_404_gives_ten_days(station):
    hold(station, "l1")
    station.catalogue.withdraw([ONE])
    station.withdrawals.look_now()
    stopped = station.withdrawals.stopped_now([ONE, TWO])
    assert list(stopped) == [ONE]
    assert (stopped[ONE].reason, stopped[ONE].classes_left) == (GONE, 10 * CLASSES_A_DAY)
    teach(station, "l2", 10 * CLASSES_A_DAY)
    assert station.withdrawals.look_now().purged == (ONE,)
    station.catalogue.restore([ONE])
    assert is_shown(station, ONE)


# --- grace and classes -----------------------------------------------------------------------


def test_ws1_an_urgent_withdrawal_leaves_nothing(station):
    """WS1, PG1: at the next look, whatever grace the list names; the record stays."""
    hold(station, "l1", "l2")
    teach(station, "l1")
    say(station, word(days=9, reason="legal"))
    looked = station.withdrawals.look_now()
    assert (looked.purged, looked.freed_bytes) == ((ONE,), SIZE)
    assert here(station) == {"l2"}
    assert places_of(station.profile.folder, content("l1")[:200]) == []
    assert [row.lesson for row in station.records.sittings()] == [ONE]
    assert station.withdrawals.look_now().purged == ()


def test_ws2_a_grace_begins_when_the_room_hears_of_it_and_only_then(station):
    """WS2: the same word again, a longer one, or another start do not begin it anew."""
    hold(station, "l1")
    teach(station, "l1", 20)
    say(station, word(days=2, other="l2"))
    station.withdrawals.look_now()
    teach(station, "l1", CLASSES_A_DAY)
    for again in (word(days=2, other="l2"), word(days=3)):
        say(station, again)
        assert station.withdrawals.look_now().purged == ()
    stopped = station.withdrawals.stopped_now([ONE])[ONE]
    assert (stopped.standing, stopped.classes_left) == (Standing.GRACE, 2 * CLASSES_A_DAY)
    teach(station, "l1", 2 * CLASSES_A_DAY)
    assert station.withdrawals.look_now().purged == (ONE,)
    hold(station, "l1")
    assert station.withdrawals.look_now().purged == (ONE,)


def test_ws2_a_lesson_that_is_offered_again_is_forgotten_as_withdrawn(station):
    """WS2: and a later withdrawal gives a whole grace."""
    hold(station, "l1")
    for _ in range(2):
        say(station, word(days=1))
        station.withdrawals.look_now()
        teach(station, "l1", CLASSES_A_DAY - 1)
        assert station.withdrawals.look_now().purged == ()
        say(station)
        station.catalogue.restore([ONE])
        station.withdrawals.look_now()
    assert station.withdrawals.stopped_now([ONE]) == {}


def test_ws1_a_class_that_is_open_goes_on_to_its_end(station):
    """WS1: even where the reason is urgent; also while others look."""
    hold(station, "l1")
    sitting = begin(station, "l1")
    say(station, word(reason="safety"))
    for _ in range(3):
        assert station.withdrawals.look_now().waiting == (ONE,)
        assert station.withdrawals.stopped_now([ONE])[ONE].standing is Standing.TEACHING
    assert here(station) == {"l1"}
    station.records.recorder.end(sitting, Ended.CARRY_ON).result()
    assert station.withdrawals.look_now().purged == (ONE,)


def test_ws3_a_class_that_was_never_ended_holds_nothing_for_ever(station):
    """WS3: a day of running time, in however many pieces."""
    hold(station, "l1")
    begin(station, "l1")
    say(station, word())
    for hours, purged in ((0, ()), (23, ()), (2, (ONE,))):
        station.clock.advance(hours * 3600)
        assert station.withdrawals.look_now().purged == purged


def test_classes_of_other_rooms_of_the_school_do_not_count(station):
    hold(station, "l1")
    say(station, word(days=1))
    station.withdrawals.look_now()
    for _ in range(CLASSES_A_DAY):
        made = station.records.recorder.open(("c9",), TWO, None)
        station.records.recorder.end(made.sitting, Ended.FINISHED).result()
    assert station.withdrawals.look_now().purged == ()


def test_nothing_withdrawn_is_wanted_any_more(station):
    station.catalogue.put_whole([a_lesson("l1"), a_lesson("l2")])
    for lesson in (ONE, TWO):
        station.wants.put(Want(lesson=lesson)).result()
    growing = station.blobs.growing(growing_key("/l1.pdf", "m"), "x")
    growing.write(content("l1")[:500])
    growing.close()
    say(station, word(days=5))
    assert station.withdrawals.look_now().unwanted == (ONE,)
    assert [want.lesson for want in WantStore(station.database).all()] == [TWO]
    assert places_of(station.profile.blobs, content("l1")[:100]) == []


def test_ws1_a_new_library_does_not_bring_a_lesson_back(tmp_path):
    """WS1: deleted between grace and purge, the room knows what was said, and since when."""
    room = opened(tmp_path / "profile")
    room.room.add_class("three", 3, 13).result()
    hold(room, "l1", "l2")
    say(room, word(days=1))
    room.withdrawals.look_now()
    teach(room, "l2", CLASSES_A_DAY - 1)
    room.close()
    (tmp_path / "profile" / "library.db").unlink()
    room = opened(tmp_path / "profile", "two")
    assert here(room) == {"l1", "l2"}
    assert not is_shown(room, ONE)
    assert room.withdrawals.look_now().purged == ()
    teach(room, "l2")
    assert room.withdrawals.look_now().purged == (ONE,)
    room.close()


# --- no byte stays ---------------------------------------------------------------------------


def litter(station: Station, data: bytes) -> None:
    """Leave pieces of a lesson wherever some part of the program may."""
    profile = station.profile
    digest = Digest(hashlib.sha256(data).hexdigest())
    path = a_lesson("l1").parts[0].files[0].path
    group = Group(
        key="b1",
        lessons=(a_lesson("l1"),),
        attested=(Attested(path=path, digest=digest, size_bytes=SIZE, manifest=Digest("")),),
    )
    EditionStore(station.database).put(HUB, group, "x", ())
    for key in (growing_key(path, "m"), growing_key(f"sha256/{digest}", "")):
        growing = station.blobs.growing(key, "x")
        growing.write(data[100:700])
        growing.close()
    segment = station.blobs.growing(growing_key(path, "m") + "-00003", "x")
    segment.write(data[100:])
    segment.close()
    for other in (digest, "ab" * 32):
        (profile.blobs / "damaged" / f"{other}.pdf").write_bytes(data[50:])
    for folder, name in (
        (profile.prints, "l1-task.pdf"),
        (profile.folder / "office", "cd.pdf"),
        (profile.vouched, "l1.les"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def test_pg1_of_a_purged_lesson_no_byte_stays(station):
    """PG1: every file and database of the profile is searched for what was in the lesson."""
    hold(station, "l1", "l2")
    (station.profile.folder / "office").mkdir()
    kept = station.profile.folder / "office" / "other.pdf"
    kept.write_bytes(content("l2"))
    litter(station, content("l1"))
    station.library.refresh()
    wanted = content("l1")[100:300]
    assert len(places_of(station.profile.folder, wanted)) >= 9
    say(station, word())
    assert station.withdrawals.look_now().purged == (ONE,)
    assert places_of(station.profile.folder, wanted) == []
    assert kept.exists()
    assert not list(station.profile.lessons.glob("l1*"))
    assert station.holdings.of_lesson(ONE) == ()
    assert [row.id for row in station.library.search_now("Lesson").rows] == ["l2"]
    assert len(places_of(station.profile.blobs, content("l2")[:200])) == 1


def test_pg1_a_file_of_two_lessons_stays_for_the_other(station):
    """PG1: and goes with the last of them."""
    hold(station, "l1")
    other = a_lesson("l2")
    station.catalogue.put_whole([other])
    keep(station, other, content("l1"))
    say(station, word())
    assert station.withdrawals.look_now().freed_bytes == 0
    assert len(places_of(station.profile.blobs, content("l1"))) == 1
    say(station, word(), word("l2"))
    assert station.withdrawals.look_now().freed_bytes == SIZE


def test_pg1_what_came_from_a_stick_and_was_not_finished_goes_at_the_next_start(tmp_path):
    """PG1: nobody can tell whose it is, and now somebody may be writing it."""
    room = opened(tmp_path / "profile")
    hold(room, "l1")
    data = content("l1")
    expected = Expected(
        digest=Digest("ab" * 32), size_bytes=SIZE, block_bytes=SIZE,
        blocks=[hashlib.sha256(data).digest()],
    )  # fmt: skip
    arriving = room.blobs.arriving(expected)
    arriving.write(data[:600])
    arriving.close()
    (room.profile.folder / "home").mkdir()
    (room.profile.folder / "home" / "film.mp4").write_bytes(data)
    say(room, word())
    room.withdrawals.look_now()
    room.close()
    room = opened(tmp_path / "profile", "two")
    room.withdrawals.look_now()
    assert places_of(room.profile.folder, data[:200]) == []
    room.close()


@pytest.mark.skipif(os.name == "nt", reason="only on Linux")
@pytest.mark.parametrize("point", PURGE_POINTS)
def test_pg2_a_purge_that_was_cut_off_is_finished_at_the_next_start(tmp_path, point):
    """PG2: killed behind each step; with `TONGKE_WHOLE=1` once more while finishing."""
    room = opened(tmp_path / "profile")
    hold(room, "l1", "l2")
    litter(room, content("l1"))
    say(room, word())
    room.close()
    command = [sys.executable, "-c", LOOK, str(tmp_path / "profile")]
    for _ in range(2 if "TONGKE_WHOLE" in os.environ else 1):
        died = subprocess.run(command, cwd=ROOT, env={**os.environ, VARIABLE: point}, check=False)
        assert died.returncode in {-9, 0}
    room = opened(tmp_path / "profile", "later")
    room.withdrawals.look_now()
    assert places_of(room.profile.folder, content("l1")[100:300]) == []
    assert not any(room.room.locals("purge.").values())
    assert here(room) == {"l2"}
    room.close()


def test_pg2_a_file_that_another_program_holds_is_taken_up_again(station, monkeypatch):
    """PG2: until it is gone."""
    hold(station, "l1")
    blobs = station.blobs
    held = True
    delete = type(blobs)._delete

    def refusing(self, path):
        if held and path.parent.name == hashlib.sha256(content("l1")).hexdigest()[:2]:
            raise PermissionError
        return delete(self, path)

    monkeypatch.setattr(type(blobs), "_delete", refusing)
    say(station, word())
    station.withdrawals.look_now()
    assert json.loads(station.room.local("purge.l1"))[0]
    held = False
    blobs.sweep(())
    station.withdrawals._is_begun = False
    station.withdrawals.look_now()
    assert station.room.local("purge.l1") == ""
    assert places_of(station.profile.blobs, content("l1")) == []


# --- newer editions of a file ----------------------------------------------------------------


def newer(key: str):
    lesson = a_lesson(key)
    (part,) = lesson.parts
    file = replace(part.files[0], path=f"/{key}-new.pdf")
    return replace(lesson, parts=(replace(part, files=(file,)),))


def test_k4_a_newer_file_takes_the_place_of_the_old_one_once_it_is_here(station):
    """K4: until then the old one is what is shown."""
    hold(station, "l1")
    station.catalogue.put_whole([newer("l1")])
    (part,) = station.library.detail_now(ONE).parts
    assert part.state is PartState.PRESENT
    keep(station, newer("l1"), content("new"))
    (part,) = station.library.detail_now(ONE).parts
    assert part.path is not None
    assert part.path.read_bytes() == content("new")
    assert places_of(station.profile.blobs, content("l1")) == []


@pytest.mark.parametrize("lesson", [a_lesson("l1"), newer("l1")])
def test_k4_never_in_the_middle_of_a_class(station, lesson):
    """K4: other bytes under another name, or under the same; the old ones go behind the class."""
    hold(station, "l1")
    sitting = begin(station, "l1")
    station.catalogue.put_whole([lesson])
    keep(station, lesson, content("new"))
    station.withdrawals.look_now()
    assert len(places_of(station.profile.blobs, content("l1"))) == 1
    assert len(places_of(station.profile.blobs, content("new"))) == 1
    station.records.recorder.end(sitting, Ended.FINISHED).result()
    station.withdrawals.look_now()
    assert places_of(station.profile.blobs, content("l1")) == []
    (part,) = station.library.detail_now(ONE).parts
    assert part.path is not None
    assert part.path.read_bytes() == content("new")
    assert CLASS in station.room.class_ids()


def test_k4_what_a_class_kept_goes_also_if_the_machine_died_in_it(tmp_path):
    """K4: and `lesson verify` counts no file that nothing refers to."""
    room = opened(tmp_path / "profile")
    room.room.add_class("three", 3, 13).result()
    hold(room, "l1")
    sitting = begin(room, "l1")
    keep(room, a_lesson("l1"), content("new"))
    room.close()
    room = opened(tmp_path / "profile", "two")
    assert room.holdings.strays() == 0
    stray = room.blobs.folder / "ab" / ("ab" * 32 + ".pdf")
    stray.parent.mkdir()
    stray.write_bytes(b"x")
    assert room.holdings.strays() == 1
    room.records.recorder.end(sitting, Ended.FINISHED).result()
    assert room.withdrawals.try_now().purged == ()
    assert places_of(room.profile.blobs, content("l1")) == []
    room.close()


def test_a_disk_that_refuses_leaves_it_to_the_next_look(station, monkeypatch):
    hold(station, "l1")
    say(station, word())

    def full(_lessons):
        raise StorageFullError("disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(station.withdrawals._ports.purger, "purge", full)
        assert station.withdrawals.try_now() == Looked()
    assert station.withdrawals.try_now().purged == (ONE,)


def test_k4_other_bytes_under_the_same_name_leave_nothing_of_the_old(station):
    """K4: what nobody refers to does not stay."""
    hold(station, "l1")
    keep(station, a_lesson("l1"), content("new"))
    assert places_of(station.profile.blobs, content("l1")) == []
