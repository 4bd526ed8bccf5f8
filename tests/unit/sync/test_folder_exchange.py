"""Exchanges by folder (sync.engine.folder_exchange, sync.transport.folder_carrier)."""

import os
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import StorageError
from sync.engine import exchange
from sync.engine.folder_exchange import exchange_by_folder
from sync.protocol.exchange import MAX_MESSAGE_BYTES, digest_of
from sync.transport import folder_carrier
from sync.transport.folder_carrier import FOLDER, FolderCarrier, answer_folder
from tests.exchange_world import Room, at_hub
from tests.fakes.memory_log import MemoryLog
from tests.hub_world import Hub


def visit(room: Room, stick):
    return exchange_by_folder(room.ports(), FolderCarrier(stick))


def names(stick) -> list[str]:
    return sorted(path.name for path in (stick / FOLDER).iterdir())


def test_a_stick_carries_there_and_back(tmp_path):
    hub = Hub()
    room, other = Room(hub).write(1), Room(hub).write(2)
    other.sync()
    assert visit(room, tmp_path).requests == 1
    answered = answer_folder(tmp_path, hub.responder.answer)
    assert (answered.answered, answered.refused) == (1, 0)
    assert at_hub(hub).keys() == room.written() | other.written()
    outcome = visit(room, tmp_path)
    assert (outcome.pushed_events, outcome.pulled_events) == (2, 2)
    assert room.events() == set(at_hub(hub))


def test_names_say_nothing_but_the_digest(tmp_path):
    """FC1."""
    hub = Hub()
    visit(Room(hub).write(1), tmp_path)
    (name,) = names(tmp_path)
    data = (tmp_path / FOLDER / name).read_bytes()
    assert name == f"{digest_of(data).hex()}-00.ask"
    (tmp_path / FOLDER / name).rename(tmp_path / FOLDER / ("0" * 32 + "-00.ask"))
    assert answer_folder(tmp_path, hub.responder.answer).answered == 0


def test_answering_twice_and_taking_up_twice_changes_nothing(tmp_path):
    """FX1."""
    hub = Hub()
    room = Room(hub).write(1)
    visit(room, tmp_path / "a")
    answer_folder(tmp_path / "a", hub.responder.answer)
    assert answer_folder(tmp_path / "a", hub.responder.answer).answered == 0
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert visit(room, tmp_path / "a").pushed_events == 2
    held = room.events()
    visit(room, tmp_path / "b")
    assert room.events() == held
    assert room.sync().requests <= 2
    assert not [name for name in names(tmp_path / "b") if name.endswith(".say")]


def test_rooms_on_one_stick_leave_each_other_alone(tmp_path):
    """FX2."""
    hub, county = Hub(), Hub()
    room, other = Room(hub).write(1), Room(hub).write(2)
    same_room_elsewhere = Room(county, key=room.key)
    for one in (room, other, same_room_elsewhere):
        visit(one, tmp_path)
    visit(room, tmp_path)
    assert len(names(tmp_path)) == 3
    found = answer_folder(tmp_path, hub.responder.answer)
    assert (found.answered, found.refused) == (2, 1)
    answer_folder(tmp_path, county.responder.answer)
    pushed = [visit(one, tmp_path).pushed_events for one in (room, other, same_room_elsewhere)]
    assert pushed == [2, 2, 1]


def test_a_copy_of_the_disk_keeps_its_place_on_the_stick(tmp_path):
    """FX2: it has the same key, and what it left is neither taken up nor replaced."""
    hub = Hub()
    room = Room(hub).write(1)
    twin = Room(hub, key=room.key, machine=b"machine2")
    twin.pens = [pen.clone() for pen in room.pens]
    room.write(2)
    twin.write(3)
    for one in (room, twin):
        visit(one, tmp_path)
    assert answer_folder(tmp_path, hub.responder.answer).answered == 2
    assert visit(twin, tmp_path).pushed_events > 0
    assert visit(room, tmp_path).pushed_events > 0
    assert at_hub(hub).keys() == room.written() | twin.written()


def test_a_jest_beside_a_request_keeps_nobody_from_answering(tmp_path):
    """FC4 FX1."""
    hub = Hub()
    room = Room(hub).write(1)
    visit(room, tmp_path)
    for ask in list((tmp_path / FOLDER).glob("*.ask")):
        ask.with_suffix(".say").write_bytes(b"jest")
    visit(room, tmp_path)
    (ask,) = (tmp_path / FOLDER).glob("*.ask")
    ask.with_suffix(".say").write_bytes(b"jest")
    responder = hub.responder
    for answered in (1, 0):
        found = answer_folder(tmp_path, responder.answer, responder.has_answered)
        assert (found.answered, found.refused) == (answered, 0)
    assert visit(room, tmp_path).pushed_events == 2


def test_junk_is_left_alone(tmp_path, monkeypatch):
    """FC2, FC3."""
    hub = Hub()
    room = Room(hub).write(1)
    visit(room, tmp_path)
    folder = tmp_path / FOLDER
    (folder / "holiday.jpg").write_bytes(b"x")
    (folder / "noending").write_bytes(b"x")
    (folder / f"{digest_of(b'junk').hex()}-00.ask").write_bytes(b"junk")
    big = bytes(MAX_MESSAGE_BYTES + 1)
    (folder / f"{digest_of(big).hex()}-00.ask").write_bytes(big)
    (folder / ("1" * 32 + "-00.ask")).mkdir()
    (folder / ("2" * 32 + "-00.ask")).symlink_to(folder / "holiday.jpg")
    os.mkfifo(folder / ("3" * 32 + "-00.ask"))
    found = answer_folder(tmp_path, hub.responder.answer)
    assert (found.answered, found.refused) == (1, 1)
    before = len(names(tmp_path))
    assert visit(room, tmp_path).pushed_events == 2
    assert len(names(tmp_path)) == before - 1
    monkeypatch.setattr(folder_carrier, "MAX_FILES", 0)
    assert answer_folder(tmp_path, hub.responder.answer).answered == 0


def test_answers_that_were_tampered_with_are_not_believed(tmp_path):
    hub = Hub()
    room = Room(hub).write(1)
    visit(room, tmp_path)
    answer_folder(tmp_path, hub.responder.answer)
    (say,) = (tmp_path / FOLDER).glob("*.say")
    data = say.read_bytes()
    say.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert visit(room, tmp_path).pushed_events == 0
    say.write_bytes(bytes(MAX_MESSAGE_BYTES + 1))
    assert visit(room, tmp_path).pushed_events == 0


def test_a_summary_or_a_forged_request_is_not_taken_up(tmp_path):
    """FX2."""
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    room.calls = []
    room.sync()
    carrier = FolderCarrier(tmp_path)
    summary = room.calls[0]
    body, _ = decode_array(summary)
    forged = encode([body, bytes(64)])
    for number, one in enumerate((summary, forged, b"junk")):
        carrier.ask(one, number)
        carrier.answer(f"{digest_of(one).hex()}-{number:02d}.ask", b"junk")
    visit(room, tmp_path)
    assert len([name for name in names(tmp_path) if name.endswith(".say")]) == 3


def test_a_backlog_leaves_in_several_requests(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_PUSH_BYTES", 1)
    hub = Hub()
    room = Room(hub)
    for number in range(20):
        room.write(number).seal()
    assert visit(room, tmp_path).requests == exchange.MAX_AT_ONCE
    answer_folder(tmp_path, hub.responder.answer)
    assert visit(room, tmp_path).requests == 4
    answer_folder(tmp_path, hub.responder.answer)
    visit(room, tmp_path)
    assert at_hub(hub).keys() == room.written()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "TONGKE").write_bytes(b"")
    with pytest.raises(StorageError):
        visit(Room(Hub()), tmp_path)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32))
def test_sticks_in_any_order_reconcile_everybody(tmp_path_factory, seed):  # noqa: C901, PLR0912
    """FC1, FX1, FX2: sticks are copied, lost, carried late, and the link works at times too."""
    dice = random.Random(seed)
    base = tmp_path_factory.mktemp("sticks")
    hub = Hub()
    rooms = [Room(hub, log=MemoryLog()) for _ in range(3)]
    sticks = [base / "0"]
    for step in range(20):
        room, stick = dice.choice(rooms), dice.choice(sticks)
        match dice.randrange(7):
            case 0:
                room.write(step)
            case 1:
                room.rotate()
            case 2 if stick.exists():
                sticks.append(base / str(step + 1))
                shutil.copytree(stick, sticks[-1])
            case 3 if len(sticks) > 1:
                sticks.remove(stick)
            case 4:
                answer_folder(stick, hub.responder.answer)
            case 5:
                room.sync()
            case _:
                visit(room, stick)
    stick = sticks[0]
    for _ in range(3):
        for room in rooms:
            visit(room, stick)
        answer_folder(stick, hub.responder.answer)
    for room in rooms:
        visit(room, stick)
    everything = set().union(*(room.written() for room in rooms))
    assert at_hub(hub).keys() == everything
    assert all(room.events() == everything for room in rooms)
