"""What a hub withdraws, over the link and on sticks: EY5, CL1 to CL3, CO3, HP3, U4; and updates."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.canon import encode
from client.domain.clock import FrozenClock
from client.domain.edition_known import FROZEN_MS, read_known
from client.domain.errors import ProtocolError, RefusedError, UserError
from client.domain.ids import LessonId
from client.domain.record.bodies import Ended
from client.domain.want import Want
from client.domain.withdrawal import Withdrawal
from client.service.command.parse import Invocation
from client.service.paths import Profile
from client.service.station import Station
from sync.engine.carried_list import MAX_BYTES, leave_list, list_path
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_commands import CourierDesk, HubSide
from sync.engine.courier_pack import Labels
from sync.engine.edition_sync import sync_edition
from sync.engine.edition_way import FolderWay
from sync.engine.fetch_plan import Choice, PartStatus
from sync.engine.hub_catalogue import edition_ports
from sync.engine.platform_link import PlatformLink, platform_of
from sync.protocol.edition import pack_head
from sync.transport.stick import Stick
from tests.content_world import UNIT, film, keeper, put, yes
from tests.fault.test_hub_source import World
from tests.held_world import places_of

LABELS = Labels(role=lambda role: role.value, elsewhere="elsewhere")


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    with keeper(tmp_path / "hub") as hub:
        made = World(tmp_path, hub)
        try:
            yield made
        finally:
            made.close()


def id_of(world: World, title: str) -> LessonId:
    catalogue = world.keeper.station.catalogue
    lessons = [one for book in catalogue.books() for one in catalogue.lessons_of_book(book.id)]
    return next(one.id for one in lessons if one.title == title)


def withdraw(world: World, lesson: LessonId, reason: str = "legal", days: int = 0) -> None:
    one = Withdrawal(lesson=lesson, reason=reason, grace_days=days)
    world.keeper.content.withdraw(one)
    world.keeper.publish()


def fetch(world: World, lesson: LessonId) -> None:
    with contextlib.closing(PlatformLink(world.room, platform_of(world.room), yes)) as link:
        done = link.fetch(lesson, Choice(), CancelToken())
        assert {part.status for part in done.parts} == {PartStatus.PRESENT}


def known(world: World) -> LessonId:
    """Publish two lessons, and have the first in the room; gives its name."""
    world.publish("分一分", "比大小", size=5000)
    world.sync()
    lesson = id_of(world, "分一分")
    fetch(world, lesson)
    return lesson


# --- over the link ---------------------------------------------------------------------------


def test_ey5_a_withdrawal_comes_even_where_the_rows_do_not(world):
    """EY5: and nothing of the lesson is left behind the look."""
    lesson = known(world)
    data = film(5000, seed=3)
    assert places_of(world.room.profile.folder, data[100:400])
    withdraw(world, lesson)
    head = world.head()
    world.web.gone |= {world.rows(), *(f"/v1/c/e/{d.file.digest}" for d in head.deltas)}
    with pytest.raises(RefusedError):
        world.sync()
    assert world.room.withdrawals.look_now().purged == (lesson,)
    assert places_of(world.room.profile.folder, data[100:400]) == []
    assert world.titles() == {"比大小"}


def test_ey5_an_older_head_takes_nothing_back(world):
    """EY5: rollback, and the same number with another list (mix-and-match)."""
    lesson = known(world)
    before = world.keeper.content.head.read_bytes()
    withdraw(world, lesson, "outdated", 3)
    world.sync()
    world.keeper.content.head.write_bytes(before)
    with pytest.raises(ProtocolError) as told:
        world.sync()
    assert told.value.code == "edition_rollback"
    trusted = read_known(world.room.hubs.edition(world.hub.key))
    mixed = replace(
        world.head(), number=trusted.number, rows_digest=trusted.rows_digest, withdrawn=None
    )
    world.keeper.content.head.write_bytes(pack_head(mixed, world.keeper.key))
    with pytest.raises(ProtocolError) as told:
        world.sync()
    assert told.value.code == "edition_mixed"
    assert world.titles() == {"比大小"}
    assert world.room.withdrawals.stopped_now([lesson])[lesson].classes_left == 18


def test_a_hub_that_gives_nothing_newer_is_told_of(world):
    """Frozen: what it withdraws cannot get here. Counted in running time."""
    known(world)
    assert world.room.silent_days(world.hub.key) == 0
    world.clock.advance(FROZEN_MS / 1000 - 1)
    assert world.room.silent_days(world.hub.key) == 0
    world.clock.advance(1)
    assert world.room.silent_days(world.hub.key) == 30


def test_a_lesson_that_is_offered_again_comes_back(world):
    lesson = known(world)
    withdraw(world, lesson, "wrong", 3)
    world.sync()
    world.room.withdrawals.look_now()
    assert world.titles() == {"比大小"}
    world.keeper.content.offer_again(lesson)
    world.publish("分一分")
    world.sync()
    world.room.withdrawals.look_now()
    assert world.titles() == {"分一分", "比大小"}
    assert world.room.withdrawals.stopped_now([lesson]) == {}


def test_no_download_of_a_withdrawn_lesson_begins(world):
    """Neither asked for, nor planned, nor wanted from before."""
    world.publish("分一分", size=5000)
    world.sync()
    lesson = id_of(world, "分一分")
    withdraw(world, lesson, "outdated", 5)
    world.room.wants.put(Want(lesson=lesson)).result()
    world.sync()
    asked = len(world.web.asked)
    with pytest.raises(UserError) as told:
        fetch(world, lesson)
    assert told.value.code == "lesson_withdrawn"
    assert world.room.agenda.look_now([Want(lesson=lesson)]).plan.tasks == ()
    assert world.room.withdrawals.look_now().unwanted == (lesson,)
    assert len(world.web.asked) == asked


def test_u4_files_of_a_withdrawn_lesson_are_shown_to_nobody_from_then_on(world):
    """U4, HP3: not even to rooms that still have the edition before; those of others are."""
    lesson = known(world)
    gone = hashlib.sha256(film(5000, seed=3)).hexdigest()
    objects = world.keeper.content.public / "v1" / "o"
    before = {path.name for path in objects.iterdir()}
    assert gone in before
    withdraw(world, lesson, "outdated", 5)
    left = {path.name for path in objects.iterdir()}
    # Both films are alike: the other lesson still has it.
    assert left < before
    assert gone in left


# --- on sticks -------------------------------------------------------------------------------


class School:
    """A room of its own, enrolled with the hub but never online."""

    def __init__(self, world: World, name: str) -> None:
        self.room = Station(Profile(world.root / name), FrozenClock())
        self.room.hubs.put(world.hub)
        self.courier = Courier(CourierPorts(station=self.room, probe=yes, labels=LABELS))

    def close(self) -> None:
        self.room.close()


@pytest.fixture
def schools(world) -> Iterator[tuple[School, School]]:
    made = School(world, "a"), School(world, "b")
    yield made
    for one in made:
        one.close()


def leave(world: World, stick: Path) -> None:
    """The hub's keeper leaves what the hub withdrew."""
    content = world.keeper.content
    named = world.head().withdrawn
    listed = b"" if named is None else content.edition_file(named.digest).read_bytes()
    leave_list(Stick(stick), world.hub.key, content.head.read_bytes(), listed)


def stopped(one: School, lesson: LessonId) -> bool:
    return lesson in one.room.withdrawals.stopped_now([lesson])


@pytest.fixture
def stick(tmp_path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_cl1_a_list_goes_from_the_hub_through_one_school_to_the_next(world, schools, stick):
    """CL1, CO3: what is on their disks goes, and the lesson that lies beside it stays out."""
    first, second = schools
    lesson = known(world)
    source = Courier(CourierPorts(station=world.room, probe=yes, labels=LABELS))
    source.pack(stick)
    for one in schools:
        assert lesson in one.courier.unpack(stick).lessons
    withdraw(world, lesson)
    leave(world, stick)
    other = stick.parent / "other"
    other.mkdir()
    taken = first.courier.unpack(stick)
    assert [one.why for one in taken.rejected] == ["withdrawn"]
    first.courier.pack(other)
    second.courier.unpack(other)
    for one in schools:
        assert stopped(one, lesson)
        assert one.room.holdings.of_lesson(lesson) == ()
        assert lesson not in one.courier.all_lessons()


def test_cl1_a_lesson_that_is_not_known_yet_stays_out(world, schools, stick):
    """CL1: a stick of somebody who has not heard of it."""
    lesson = known(world)
    Courier(CourierPorts(station=world.room, probe=yes, labels=LABELS)).pack(stick)
    withdraw(world, lesson)
    leave(world, stick)
    taken = schools[0].courier.unpack(stick)
    assert (taken.lessons, [one.why for one in taken.rejected]) == ((), ["withdrawn"])


def test_cl2_a_stick_keeps_the_newest_word(world, schools, stick):
    """CL2: an older one that comes by changes nothing, on the stick and in the room."""
    lesson = known(world)
    path = stick / list_path(world.hub.key)
    leave(world, stick)
    old = path.read_bytes()
    withdraw(world, lesson)
    leave_list(Stick(stick), world.hub.key, world.keeper.content.head.read_bytes(), b"other")
    assert path.read_bytes() == old
    leave(world, stick)
    new = path.read_bytes()
    assert new != old
    schools[0].courier.unpack(stick)
    path.write_bytes(old)
    assert schools[0].courier.unpack(stick).rejected == ()
    assert stopped(schools[0], lesson)
    schools[0].courier.pack(stick)
    assert path.read_bytes() == new
    world.room.close()
    world.again()
    Courier(CourierPorts(station=world.room, probe=yes, labels=LABELS)).pack(stick)
    assert path.read_bytes() == new


def test_cl3_what_is_forged_or_damaged_withdraws_nothing(world, schools, stick, tmp_path):
    """CL3: and keeps no lesson out."""
    lesson = known(world)
    Courier(CourierPorts(station=world.room, probe=yes, labels=LABELS)).pack(stick)
    withdraw(world, lesson)
    leave(world, stick)
    path = stick / list_path(world.hub.key)
    good = path.read_bytes()
    with keeper(tmp_path / "other") as other:
        other.publish()
        forged = encode([other.content.head.read_bytes(), b""])
    head = world.keeper.content.head.read_bytes()
    school = schools[1]
    for data, why in (
        (forged, "signature_bad"),
        (encode([head, b"another list"]), "index_damaged"),
        (encode([b"<html>", b""]), "index_damaged"),
        (encode([1, 2]), "index_damaged"),
        (good[:-9], "index_damaged"),
        (b"x" * (MAX_BYTES + 1), "index_damaged"),
    ):
        path.write_bytes(data)
        rejected = school.courier.unpack(stick).rejected
        assert [one.why for one in rejected] == [why]
        assert not stopped(school, lesson)
    assert school.room.holdings.of_lesson(lesson)
    path.write_bytes(forged)
    leave(world, stick)
    assert path.read_bytes() == good


def test_co3_the_keeper_of_a_hub_packs_its_word_too(world, schools, stick):
    """CO3: `courier pack --data`, where the hub's own profile never read an edition."""
    lesson = known(world)
    withdraw(world, lesson)
    content = world.keeper.content
    named = world.head().withdrawn
    assert named is not None
    word = content.head.read_bytes(), content.edition_file(named.digest).read_bytes()
    side = HubSide(signer=world.keeper.key, answer=lambda _: 0, word=word)
    desk = CourierDesk(yes, lambda _: None, CancelToken())
    call = Invocation(command="courier pack", values=(("dir", stick),))
    packed = desk.commands(side)["courier pack"](world.keeper.station, call)
    assert packed.value["lessons"] == 1
    schools[0].courier.unpack(stick)
    assert stopped(schools[0], lesson)


# --- newer files -----------------------------------------------------------------------------


def test_an_update_brings_the_changed_file_alone_and_swaps_it_behind_the_class(world):
    """K4 of the holdings, through a hub: the papers are not asked for again."""
    lesson = known(world)
    old, new = film(5000, seed=3), film(6000, seed=99)
    room = world.room
    room.room.add_class("three", 3).result()
    put(world.disk, f"{UNIT}/分一分/film.mp4", new)
    world.keeper.take_in(world.disk)
    world.keeper.publish()
    world.sync()
    assert room.library.detail_now(lesson).row.light.name == "READY"
    sitting = room.records.recorder.open(("c3",), lesson, None).sitting
    asked = len(world.web.asked)
    fetch(world, lesson)
    digest = hashlib.sha256(new).hexdigest()
    assert {path for path in world.web.asked[asked:] if "/o/" in path} == {f"/v1/o/{digest}"}
    assert len(places_of(room.profile.blobs, old[100:400])) == 1
    room.records.recorder.end(sitting, Ended.FINISHED).result()
    room.withdrawals.look_now()
    assert places_of(room.profile.blobs, old[100:400]) == []
    views = room.library.detail_now(lesson).parts
    assert {view.path.read_bytes() for view in views if view.path} >= {new}


def test_an_edition_in_a_folder_has_its_list_too(world, tmp_path):
    """The published files as they are, on a disk: the same rules."""
    lesson = known(world)
    withdraw(world, lesson)
    ports = edition_ports(world.room, world.hub, FolderWay(world.keeper.content.public), lambda: 0)
    assert sync_edition(ports, lambda _: None, CancelToken()).withdrawn == 1
