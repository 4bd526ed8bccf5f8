"""A hub and the hubs above it (sync.relay, sync.hub.upstreams, sync.hub.admission)."""

import contextlib
import threading
from dataclasses import replace

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock, SystemClock
from client.domain.errors import BusyError, ClassroomError, StorageError, UserError
from client.domain.record.log import Taken
from client.service.hubs import Contact, KnownHub
from client.store.log_store import LogStore
from sync.engine import hub_calls
from sync.engine.exchange import Outcome, TimeSample
from sync.engine.hub_calls import Trigger
from sync.hub.enrolment import add_code
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.hub.upstreams import SqliteUpstreams
from sync.protocol.enrol import site_of
from sync.protocol.exchange import node_of
from sync.relay import relay
from sync.relay.relay import Relay
from sync.relay.upstream import (
    ToldTime,
    UpstreamLink,
    enrol_above,
    joined,
    schools_for,
)
from tests.hub_server import Served, served
from tests.hub_world import OTHER_SITE, SITE
from tests.log_world import Key, Pen

GO = CancelToken()
S, T = site_of("S"), site_of("T")


@pytest.fixture
def county(tmp_path):
    with served(tmp_path / "county") as one:
        yield one


@pytest.fixture
def make(tmp_path):
    """Make hubs of schools: folders with whom they enrolled."""
    with contextlib.ExitStack() as stack:

        def one(name: str = "hub", *schools: str) -> HubFolder:
            path = tmp_path / name
            folder = stack.enter_context(HubFolder(path, SystemClock(), is_new_allowed=True))
            folder.key()
            for school in schools:
                folder.directory.enrol(room(Key(), site_of(school), school))
            return folder

        yield one


def room(key: Key, site: bytes, school: str = "S") -> Node:
    return Node(key=key.public_key, role=Role.ROOM, site=site, school=school, room="R")


def enrol(folder: HubFolder, county: Served, *, site: bytes = b"", school: str = "", **values):
    """Let a hub in above, for one school or for all."""
    above = county.folder
    role = values.get("role", Role.HUB)
    code = add_code(above.directory, above.audit, site=site, school=school, role=role)
    return enrol_above(folder, county.url, code, values.get("here", ""), GO)


def bring(folder: HubFolder, site: bytes, *ordinals: int, pen: Pen | None = None) -> Pen:
    """What a room of a school brought to a hub."""
    pen = (pen or Pen()).write(*ordinals)
    assert folder.logs.of(site).take((pen.seal(),)).result() == (Taken.STORED,)
    return pen


def link(folder: HubFolder, hub: KnownHub) -> UpstreamLink:
    clock = SystemClock()
    return UpstreamLink(folder, hub, clock, ToldTime(clock))


def sync(folder: HubFolder, hub: KnownHub) -> Outcome:
    with contextlib.closing(link(folder, hub)) as one:
        return one.exchange(GO)


def refused(ask, *args, **values) -> str:
    with pytest.raises(ClassroomError) as caught:
        ask(*args, **values)
    return caught.value.code


def held(folder: HubFolder, site: bytes) -> bytes:
    return folder.logs.of(site).vector().summary


def test_what_a_school_recorded_goes_up_and_comes_down(county, make):
    """RY1: both ways, and once both agree in one request."""
    folder = make("hub", "S")
    hub = enrol(folder, county)
    mine, other = bring(folder, S, 1, 2), bring(county.folder, S, 3)
    outcome = sync(folder, hub)
    assert (outcome.pushed_events, outcome.pulled_events) == (len(mine.events), len(other.events))
    assert held(folder, S) == held(county.folder, S)
    assert sync(folder, hub).requests == 1
    contact = folder.upstreams.contact(hub.key)
    assert (contact.exchanges, contact.failures, contact.reason) == (2, 0, "")


def test_other_schools_of_the_county_do_not_come_down(county, make):
    """RY1: neither to a hub of one school nor to one that may have all."""
    first, second, any_hub = make("one", "S"), make("two", "T"), make("three", "S")
    hubs = (
        enrol(first, county, site=S, school="S"),
        enrol(second, county, site=T, school="T"),
        enrol(any_hub, county),
    )
    bring(first, S, 1)
    bring(second, T, 2)
    for _ in range(2):
        for folder, hub in zip((first, second, any_hub), hubs, strict=True):
            sync(folder, hub)
    assert set(county.folder.logs.sites()) == {S, T}
    assert first.logs.sites() == any_hub.logs.sites() == (S,)
    assert second.logs.sites() == (T,)
    assert held(first, S) == held(any_hub, S) == held(county.folder, S)


def test_a_hub_of_one_school_asks_in_vain_for_another(county, make):
    """RY1: who may have what is the other hub's to decide."""
    folder = make("hub", "S", "T")
    hub = enrol(folder, county, site=S, school="S")
    bring(county.folder, T, 1)
    assert refused(sync, folder, replace(hub, site=T)) == "site_denied"
    assert held(folder, T) != held(county.folder, T)
    assert folder.upstreams.contact(hub.key).reason == "site_denied"


def test_two_schools_of_one_name_stay_two_above(county, make):
    """RY1 RY2: ids above and here may differ."""
    first, second = make("one", "S"), make("two", "S")
    hubs = (
        enrol(first, county, site=S, school="S"),
        enrol(second, county, site=OTHER_SITE, school="S"),
    )
    for folder, hub, number in zip((first, second), hubs, (1, 2), strict=True):
        bring(folder, S, number)
        sync(folder, hub)
    assert schools_for(second, hubs[1]) == ((S, OTHER_SITE),)
    assert held(first, S) == held(county.folder, S)
    assert held(second, S) == held(county.folder, OTHER_SITE)
    assert held(first, S) != held(second, S)


def test_which_school_is_meant(county, make):
    """RY2: every line of the table."""
    folder = make("hub", "S", "T")
    folder.directory.enrol(Node(key=b"h" * 32, role=Role.HUB, site=b"", school="", room=""))
    everything = enrol(folder, county)
    one = replace(everything, site=SITE, school="S")
    assert schools_for(folder, everything) == tuple(sorted([(S, S), (T, T)]))
    assert schools_for(folder, replace(one, site=T)) == ((T, T),)
    assert schools_for(folder, one) == ((S, SITE),)
    assert refused(schools_for, folder, replace(one, school="U")) == "school_not_here"
    folder.directory.enrol(room(Key(), OTHER_SITE))
    assert refused(schools_for, folder, one) == "school_not_here"


def test_people_may_say_which_school_is_meant(county, make):
    """RY2."""
    folder = make("hub", "S")
    hub = enrol(folder, county, site=SITE, school="S of the county", here="S")
    assert schools_for(folder, hub) == ((S, SITE),)
    assert folder.upstreams.hubs() == (hub,)


def test_a_hub_without_schools_has_nothing_to_say(county, make):
    outcome = sync(folder := make(), enrol(folder, county))
    assert (outcome.requests, outcome.is_agreed) == (0, True)


def test_a_code_for_rooms_enrols_no_hub(county, make):
    """RY2: there the hub would be taken for a school of its own."""
    folder = make("hub", "S")
    assert refused(enrol, folder, county, role=Role.ROOM) == "code_for_rooms"
    assert folder.upstreams.hubs() == ()


def test_a_lost_pc_does_not_come_back_from_above(county, make):
    """H3: what is revoked here is not let in by way of another hub."""
    folder, lost = make("hub", "S"), Key()
    folder.directory.enrol(room(lost, S))
    folder.directory.revoke(node_of(lost.public_key))
    hub = enrol(folder, county)
    bring(county.folder, S, 1, pen=Pen(lost))
    kept = bring(county.folder, S, 2)
    outcome = sync(folder, hub)
    assert outcome.notes == ("hub_segment_refused",)
    assert outcome.pulled_events == len(kept.events)
    assert folder.directory.owner(S, kept.writer) == kept.key.public_key


def test_a_call_that_is_cut_short_goes_on_with_the_rest(county, make, monkeypatch):
    """RY3: a hub of many schools may not ask for all of them at once."""
    names = [f"S{n}" for n in range(5)]
    folder = make("hub", *names)
    hub = enrol(folder, county)
    for number, name in enumerate(names):
        bring(folder, site_of(name), number)
    with contextlib.closing(link(folder, hub)) as one:
        left, real = [3], one._http.exchange

        def at_most(envelope, cancel):
            if not left[0]:
                raise BusyError("too_often", {"retry_after_s": 1})
            left[0] -= 1
            return real(envelope, cancel)

        monkeypatch.setattr(one._http, "exchange", at_most)
        for _ in range(8):
            left[0] = 3
            with contextlib.suppress(BusyError):
                one.exchange(GO)
    assert set(county.folder.logs.sites()) == set(map(site_of, names))
    assert all(held(folder, site_of(n)) == held(county.folder, site_of(n)) for n in names)


def test_a_segment_that_is_called_damaged_is_put_aside(county, make, monkeypatch):
    """EX5: by a hub too, should it rot between the store's look and the wire."""
    monkeypatch.setattr(LogStore, "_is_sound", lambda *_: True)
    folder = make("hub", "S")
    hub = enrol(folder, county)
    bring(folder, S, 1)

    def spoil(connection) -> None:
        (data,) = connection.execute("SELECT data FROM sealed").fetchone()
        connection.execute("UPDATE sealed SET data = ?", (data[:-1] + bytes([data[-1] ^ 1]),))

    folder.log_database.write(spoil).result()
    assert "segment_refused" in sync(folder, hub).notes
    assert len(tuple((folder.path / "refused").iterdir())) == 1


def test_the_time_above_is_known_as_long_as_the_program_runs():
    clock = FrozenClock()
    told = ToldTime(clock)
    assert told() is None
    told.hear(TimeSample(mono_ms=clock.boot_monotonic_ms(), utc_ms=5_000_000, err_ms=10))
    told.hear(None)
    clock.advance(2000)
    assert told() == (7_000_000 - 1010, 7_000_000 + 1010)


def test_what_many_schools_exchanged_is_summed_up():
    one = Outcome(pushed_events=1, requests=2, notes=("a",), is_agreed=True)
    two = Outcome(pushed_events=2, requests=1, notes=("a", "b"), next_s=7, is_put_off=True)
    total = joined(one, two)
    assert (total.pushed_events, total.requests, total.next_s) == (3, 3, 7)
    assert (total.notes, total.is_agreed, total.is_put_off) == (("a", "b"), False, True)


# --- the thread of a running hub ------------------------------------------------------------------


def until(condition) -> None:
    """Wait for what another thread does, but not for ever."""
    pause = threading.Event()
    for _ in range(6000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("waited in vain")


def test_a_running_hub_brings_by_itself_what_rooms_brought(county, make, monkeypatch):
    """RY1 RT2: also to a hub that was added beside it."""
    monkeypatch.setattr(relay, "_LOOK_S", 0.01)
    monkeypatch.setitem(hub_calls._WAIT_S, Trigger.WRITTEN, 0.0)
    folder = make("hub", "S")
    with Relay(folder, SystemClock(), luck=lambda: 0.0):
        hub = enrol(folder, county)
        until(lambda: folder.upstreams.contact(hub.key).exchanges)
        bring(folder, S, 1)
        until(lambda: held(county.folder, S) == held(folder, S))
        folder.upstreams.remove(hub.url)
        bring(folder, S, 2)
    assert held(county.folder, S) != held(folder, S)


def test_a_disk_that_refuses_ends_no_relay(county, make, monkeypatch):
    """RT1."""
    monkeypatch.setattr(relay, "_LOOK_S", 0.01)
    folder, refusals, real = make("hub", "S"), [1, 2, 3], SqliteUpstreams.hubs

    def hubs(self):
        if refusals and threading.current_thread().name == "relay":
            refusals.pop()
            raise StorageError("store_failed")
        return real(self)

    monkeypatch.setattr(SqliteUpstreams, "hubs", hubs)
    bring(folder, S, 1)
    with Relay(folder, SystemClock(), luck=lambda: 0.0):
        enrol(folder, county)
        until(lambda: held(county.folder, S) == held(folder, S))
    assert refusals == []


def test_what_was_written_last_is_said_when_the_hub_stops(county, make):
    """HR2: by the relay too."""
    folder = make("hub", "S")
    enrol(folder, county)
    with Relay(folder, SystemClock(), luck=lambda: 1.0):
        bring(folder, S, 1)
    assert held(county.folder, S) == held(folder, S)


def test_a_hub_above_that_is_away_holds_nothing_up(tmp_path, make):
    """RT1."""
    folder = make("hub", "S")
    with served(tmp_path / "county") as county:
        hub = enrol(folder, county)
    with Relay(folder, SystemClock(), luck=lambda: 0.0):
        until(lambda: folder.upstreams.contact(hub.key).failures)
        bring(folder, S, 1)
    assert folder.upstreams.contact(hub.key).reason == "hub_unreachable"


# --- what is kept of hubs above -------------------------------------------------------------------


def a_hub(name: bytes = b"a", **values) -> KnownHub:
    given = {"url": f"https://{name.decode()}", "authority": b"DER", "site": SITE}
    return KnownHub(**{"key": name * 32, "school": "S", "name": "county", **given, **values})


def test_hubs_above_are_kept_and_forgotten(make):
    """UP1."""
    book, first, second = make().upstreams, a_hub(b"a"), a_hub(b"b")
    book.put(second)
    book.put(first)
    assert book.hubs() == (first, second)
    assert book.remove("https://a/") == first
    assert book.remove(second.key.hex()) == second
    assert book.hubs() == ()
    with pytest.raises(UserError, match="upstream_absent"):
        book.remove("https://a")


def test_another_process_sees_them_at_once(make):
    """UP1."""
    hub, care = make(), make()
    care.upstreams.put(a_hub())
    assert hub.upstreams.hubs() == (a_hub(),)


def test_enrolling_anew_forgets_what_was_believed(make):
    """UP2."""
    book, key = make().upstreams, a_hub().key
    book.put(a_hub())
    book.save_belief(key, SITE, b"old")
    book.save_belief(key, SITE, b"belief")
    book.note_contact(key, Contact().failed("hub_unreachable"))
    assert (book.belief(key, SITE), book.belief(key, OTHER_SITE)) == (b"belief", b"")
    assert book.contact(key) == Contact(failures=1, reason="hub_unreachable")
    book.put(a_hub(url="https://new"))
    assert (book.belief(key, SITE), book.contact(key)) == (b"", Contact())


def test_nothing_is_kept_of_a_hub_that_was_removed(make):
    """UP1: an exchange may still be under way."""
    book, key = make().upstreams, a_hub().key
    book.save_belief(key, SITE, b"belief")
    book.note_contact(key, Contact(failures=1))
    assert (book.belief(key, SITE), book.contact(key)) == (b"", Contact())


def test_a_hub_that_knows_others_is_given_no_new_key(make):
    """O2."""
    folder = make()
    folder.upstreams.put(a_hub())
    (folder.path / "hub.key").unlink()
    assert refused(folder.key) == "hub_key_lost"
