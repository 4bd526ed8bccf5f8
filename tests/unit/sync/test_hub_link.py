"""Enrolling with hubs and exchanging with them from a room's profile (sync.engine.hub_link,
sync.engine.hub_commands, client.service.hubs)."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.canon import encode
from client.domain.clock import FrozenClock
from client.domain.errors import (
    Cancelled,
    ClassroomError,
    ProtocolError,
    UnreachableError,
    UserError,
)
from client.domain.record.anchors import AnchorKind
from client.domain.record.log import Taken
from client.service.command.documents import Outcome as Answer
from client.service.command.parse import Invocation
from client.service.doctor import Facts, station_doctor
from client.service.hubs import Contact, KnownHub
from client.service.paths import Profile
from client.service.station import Station
from client.store.keyfile import verify
from sync.engine.hub_commands import HubDesk
from sync.engine.hub_link import REFUSED, HubLink, enrol, ports_for, trusted_time
from sync.hub.enrolment import Registrar, add_code
from sync.hub.respond import Policy, Responder
from sync.protocol.enrol import Hello, code_key, pack_hello, site_of
from sync.protocol.refusal import pack_refusal
from sync.transport.folder_carrier import answer_folder
from tests.fakes.http_hub import Authority, HttpHub, Said
from tests.fakes.memory_hub import MemoryAudit, MemoryDirectory, MemoryLogs
from tests.fakes.memory_log import MemoryLog
from tests.log_world import Key, Pen

GO = CancelToken()
LONG_AGO, LONG_AHEAD = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


class Whole:
    """A hub in memory behind its HTTP face."""

    def __init__(self, chain: Path | None = None, authority: bytes = b"") -> None:
        self.key, self.directory, self.logs = Key(), MemoryDirectory(), MemoryLogs()
        self.hello = Hello(key=self.key.public_key, certificate=authority, name="central school")
        audit = MemoryAudit()
        codes: list[str] = []
        add_code(self.directory, audit, write=codes.append)
        self.code = codes[0]
        self.registrar = Registrar(self.key, self.hello, self.directory, audit, verify)
        self.responder = Responder(self.key, self.directory, self.logs, FrozenClock(), verify)
        self.http = HttpHub(self._answer, chain)
        self.url = self.http.url

    def _answer(self, path: str, body: bytes) -> Said:
        doors = {"/v1/x": self.responder.answer, "/v1/enrol": self.registrar.answer}
        if path == "/v1/hello":
            return Said(body=pack_hello(self.hello))
        try:
            return Said(body=doors[path](body))
        except ClassroomError as error:
            return Said(status=401, body=pack_refusal(error.code))

    def log(self, school: str = "S") -> MemoryLog:
        return self.logs.of(site_of(school))


@pytest.fixture
def hub():
    one = Whole()
    yield one
    one.http.close()


@pytest.fixture
def make(tmp_path):
    made: list[Station] = []

    def station(name: str = "room") -> Station:
        made.append(Station(Profile(tmp_path / name), FrozenClock()))
        made[-1].room.set_room("S", name).result()
        return made[-1]

    yield station
    for one in made:
        one.close()


def call(**values) -> Invocation:
    return Invocation(command="", values=tuple(values.items()))


def sync_now(station: Station, **values) -> dict:
    answer = HubDesk(GO).sync_now(station, call(**values))
    assert isinstance(answer, Answer)
    return answer.value | {"exit_code": answer.exit_code}


def test_a_room_enrols_and_exchanges(hub, make):
    """HL1, HB1."""
    station = make()
    answer = HubDesk(GO).add(station, call(url=hub.url + "/", code=hub.code.lower()))
    assert answer == {
        "id": hub.key.public_key.hex(),
        "kind": "hub",
        "url": hub.url,
        "name": "central school",
        "school": "S",
        "tls": False,
    }
    first = sync_now(station)
    assert (first["peer"], first["pushed_events"], first["exit_code"]) == (hub.url, 2, 0)
    assert hub.log().events.keys() == {event.hash for _, event in station.journal.events()}
    assert station.journal.is_acknowledged()
    again = sync_now(station)
    assert (again["requests"], again["pushed_events"]) == (1, 0)
    assert station.hubs.contact(hub.key.public_key).exchanges == 2


def test_what_came_is_heard_by_whoever_shows_it(hub, make):
    one, other = make("one"), make("other")
    for station in (one, other):
        enrol(station, hub.url, hub.code, GO)
    one.room.add_class("三年级", 3).result()
    sync_now(one)
    heard = []
    other.journal.listen(heard.extend)
    assert sync_now(other)["pulled_events"] == len(heard) == 3
    assert [group.name for group in other.room.snapshot().classes] == ["三年级"]


def test_without_a_hub_or_a_name_people_are_told(hub, make, tmp_path):
    station = make()
    with pytest.raises(UserError, match="no_hub"):
        sync_now(station)
    nameless = Station(Profile(tmp_path / "nameless"), FrozenClock())
    with pytest.raises(UserError, match="room_unnamed"):
        enrol(nameless, hub.url, hub.code, GO)
    nameless.close()


def test_a_wrong_code_enrols_nobody(hub, make):
    """HL1."""
    station = make()
    with pytest.raises(UserError, match="code_invalid"):
        enrol(station, hub.url, "222", GO)
    other = Whole()
    other.http.close()
    with pytest.raises(UserError, match="code_unknown"):
        enrol(station, hub.url, other.code, GO)
    assert station.hubs.hubs() == ()
    assert code_key(hub.code)


def test_somebody_in_between_is_found_out(hub, make):
    """HL1: it shows its own key and passes the rest on."""
    station = make()
    hub.http.answer = lambda path, body: (
        Said(body=pack_hello(Hello(key=Key().public_key, certificate=b"", name="")))
        if path == "/v1/hello"
        else hub._answer(path, body)
    )
    with pytest.raises(ClassroomError) as caught:
        enrol(station, hub.url, hub.code, GO)
    assert caught.value.code == "code_unknown"
    assert station.hubs.hubs() == ()
    hub.http.answer = lambda path, body: (
        Said(body=pack_hello(hub.hello)) if path == "/v1/hello" else Said(body=b"\x83\x01\x02\x03")
    )
    with pytest.raises(ProtocolError):
        enrol(station, hub.url, hub.code, GO)
    assert station.hubs.hubs() == ()


def test_over_tls_the_authority_is_pinned(make, tmp_path):
    """HL1."""
    authority, other = Authority(), Authority()
    chain = authority.chain(tmp_path / "hub.pem", LONG_AGO, LONG_AHEAD)
    hub = Whole(chain, authority.der)
    station = make()
    try:
        assert enrol(station, hub.url, hub.code, GO).authority == authority.der
        assert sync_now(station)["pushed_events"] == 2
        (known,) = station.hubs.hubs()
        station.hubs.put(
            KnownHub(
                key=known.key,
                url=known.url,
                authority=other.der,
                site=known.site,
                school=known.school,
                name=known.name,
            )
        )
        with pytest.raises(UnreachableError, match="hub_certificate_other"):
            sync_now(station)
        assert station.hubs.contact(known.key).reason == "hub_certificate_other"
    finally:
        hub.http.close()


def test_one_hub_that_is_gone_keeps_no_other_from_being_spoken_to(hub, make):
    """HK1, HL2."""
    station, gone = make(), Whole()
    for one in (hub, gone):
        enrol(station, one.url, one.code, GO)
    gone.http.close()
    answer = sync_now(station)
    assert (answer["peer"], answer["pushed_events"], answer["exit_code"]) == (hub.url, 2, 4)
    assert {"peer": gone.url, "error": "hub_unreachable"} in answer["peers"]
    failed = station.hubs.contact(gone.key.public_key)
    assert (failed.exchanges, failed.failures, failed.reason) == (0, 1, "hub_unreachable")


def test_a_revoked_room_is_told_and_keeps_everything(hub, make):
    """HL2."""
    station = make()
    enrol(station, hub.url, hub.code, GO)
    hub.directory.revoke(hub.directory.nodes()[0].name)
    with pytest.raises(UserError, match="node_revoked"):
        sync_now(station)
    assert station.journal.count() == 2


def test_a_request_to_stop_is_no_failure(hub, make):
    """HL2."""
    station = make()
    enrol(station, hub.url, hub.code, GO)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        HubDesk(cancel).sync_now(station, call())
    assert station.hubs.contact(hub.key.public_key) == Contact()


def test_only_what_a_hub_signed_to_hold_counts_as_safe(hub, make, monkeypatch):
    """HL2."""
    station = make()
    enrol(station, hub.url, hub.code, GO)
    monkeypatch.setattr(hub.log(), "_take", lambda *_: Taken.QUARANTINED)
    assert sync_now(station)["notes"] == ["segment_not_taken"]
    assert not station.journal.is_acknowledged()


def test_the_check_up_tells_when_a_hub_was_met(hub, make):
    station = make()
    known = enrol(station, hub.url, hub.code, GO)
    doctor = station_doctor(station, lambda _: Decodes.YES)

    def told() -> str:
        return next(one.variant for one in doctor.look_now(Facts()) if one.code == "hub")

    assert told() == "never"
    link = HubLink(station, known)
    link.exchange(GO)
    assert told() == "ok"
    hub.http.close()
    with pytest.raises(UnreachableError):
        HubLink(station, known).exchange(GO)
    assert told() == "away"
    link.close()
    doctor.close()


def test_the_hubs_time_becomes_an_anchor(hub, make):
    """HL3: certificates are checked against it from then on."""
    station = make()
    trusted = trusted_time(station)
    assert trusted() is None
    link = HubLink(station, enrol(station, hub.url, hub.code, GO))
    link.exchange(GO)
    link.close()
    (anchor,) = station.journal.anchors()
    hub_ms = int(FrozenClock().wall().timestamp() * 1000)
    assert (anchor.kind, anchor.utc_ms) == (AnchorKind.HUB, hub_ms)
    assert anchor.mono_ms == station.clock.boot_monotonic_ms()
    earliest_ms, latest_ms = trusted()
    assert earliest_ms <= hub_ms <= latest_ms


def test_a_hub_that_does_not_know_the_time_gives_none(hub, make):
    """HL3."""
    station = make()
    policy = Policy(floor_ms=1 << 52)
    hub.responder = Responder(hub.key, hub.directory, hub.logs, FrozenClock(), verify, policy)
    enrol(station, hub.url, hub.code, GO)
    assert sync_now(station)["pushed_events"] == 2
    assert station.journal.anchors() == ()


def test_a_stick_does_what_the_link_does(hub, make, tmp_path):
    station, stick = make(), tmp_path / "stick"
    enrol(station, hub.url, hub.code, GO)
    assert sync_now(station, folder=stick)["requests"] == 1
    answer_folder(stick, hub.responder.answer)
    assert sync_now(station, folder=stick)["pushed_events"] == 2


def test_a_damaged_segment_is_put_aside(hub, make):
    station = make()
    known = enrol(station, hub.url, hub.code, GO)
    ports = ports_for(station, known)
    with pytest.raises(UserError, match="no_hub"):
        ports.carrier(b"an envelope")
    segment = Pen().seal()
    for _ in range(2):
        ports.on_refused(segment, None)
    (kept,) = (station.profile.folder / REFUSED).iterdir()
    assert kept.read_bytes() == segment


def test_hubs_survive_a_start_and_damaged_rows_are_none(hub, make, tmp_path):
    """HB1, HB2."""
    station = make()
    known = enrol(station, hub.url, hub.code, GO)
    sync_now(station)
    station.close()
    (tmp_path / "room" / "library.db").unlink()
    again = Station(Profile(tmp_path / "room"), FrozenClock())
    assert again.hubs.hubs() == (known,)
    assert sync_now(again)["exit_code"] == 0
    for text in (
        "!",
        "abc",
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(encode([1])).decode(),
    ):
        for row in ("known", "belief", "contact"):
            again.room.set_local(f"hub.{row}.{known.key.hex()}", text).result()
        assert again.hubs.hubs() == ()
        assert again.hubs.contact(known.key) == Contact()
        assert isinstance(again.hubs.belief(known.key), bytes)
    again.close()
