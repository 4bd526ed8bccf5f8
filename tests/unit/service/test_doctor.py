"""体检: client.service.doctor, first the judging, then a real room."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Decodes
from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.domain.record.dates import Fault
from client.media.probe import decodes
from client.service.doctor import (
    LEAST_BYTES,
    LOW_BYTES,
    SAMPLE,
    BackupFacts,
    CheckState,
    ClockFacts,
    Facts,
    Fix,
    HubContact,
    LogFacts,
    examine,
    station_doctor,
)
from client.service.doctor_report import values_of
from client.service.keeping import KeepingFacts
from client.service.paths import Profile
from client.service.secrets import SecretPlace
from client.service.station import Station
from client.service.text import Words

WELL = Facts(
    free_bytes=80_000_000_000,
    total_bytes=200_000_000_000,
    is_writable=True,
    decodes=Decodes.YES,
    screens=((1920, 1080),),
    has_screen_font=True,
    has_print_font=True,
    is_secret_known=True,
    log=LogFacts(events=86),
    backups=BackupFacts(kept=2, behind=3),
    clock=ClockFacts(year=2027),
)


def clock(year: int, *faults: Fault, is_sure: bool = True):
    return {"clock": ClockFacts(year=year, is_sure=is_sure, faults=frozenset(faults))}


def kept(**facts):
    return {"keeping": KeepingFacts(**facts)}


def check(facts: Facts, code: str):
    return next(one for one in examine(facts) if one.code == code)


def test_a_healthy_room_is_fine_throughout() -> None:
    assert {one.state for one in examine(WELL)} == {CheckState.OK}


def test_what_was_not_looked_at_is_unknown() -> None:
    """DR1: only the list of repairs is known without looking."""
    states = {one.code: one.state for one in examine(Facts())}
    assert states.pop("repairs") is CheckState.OK
    assert set(states.values()) == {CheckState.UNKNOWN}


@pytest.mark.parametrize(
    ("change", "code", "state", "variant", "fix"),
    [
        ({"is_writable": False}, "disk", CheckState.BAD, "read_only", Fix.NONE),
        ({"free_bytes": LEAST_BYTES - 1}, "disk", CheckState.BAD, "full", Fix.OPEN_TRANSFER),
        ({"free_bytes": LOW_BYTES - 1}, "disk", CheckState.ADVICE, "low", Fix.OPEN_TRANSFER),
        ({"decodes": Decodes.NO}, "player", CheckState.BAD, "no_decoder", Fix.NONE),
        ({"decodes": Decodes.UNKNOWN}, "player", CheckState.BAD, "no_player", Fix.NONE),
        ({"screens": ((800, 600),)}, "screens", CheckState.ADVICE, "small", Fix.NONE),
        ({"screens": ((1280, 720),) * 2}, "screens", CheckState.OK, "several", Fix.NONE),
        ({"has_screen_font": False}, "fonts", CheckState.BAD, "no_screen_font", Fix.NONE),
        ({"has_print_font": False}, "fonts", CheckState.ADVICE, "no_print_font", Fix.NONE),
        ({"secret": SecretPlace.FILE}, "keyring", CheckState.ADVICE, "file", Fix.NONE),
        ({"secret": SecretPlace.KEYRING}, "keyring", CheckState.OK, "ok", Fix.NONE),
        (kept(forgets=True), "restore", CheckState.BAD, "alone", Fix.OPEN_SETTINGS),
        (kept(forgets=True, hubs=1), "restore", CheckState.BAD, "forgets", Fix.SEND),
        (kept(forgets=True, hubs=1, is_sent=True), "restore", CheckState.ADVICE, "sent", Fix.NONE),
        (kept(), "restore", CheckState.OK, "keeps", Fix.NONE),
        (kept(refusal="disk_full"), "journal", CheckState.BAD, "full", Fix.NONE),
        (kept(refusal="store_failed"), "journal", CheckState.BAD, "refused", Fix.NONE),
        (kept(is_low=True), "journal", CheckState.BAD, "low", Fix.NONE),
        (clock(1970), "clock", CheckState.ADVICE, "wrong", Fix.NONE),
        (clock(2099), "clock", CheckState.ADVICE, "wrong", Fix.NONE),
        (clock(2027, is_sure=False), "clock", CheckState.ADVICE, "unsure", Fix.NONE),
        (clock(2027, Fault.WRONG, Fault.SET), "clock", CheckState.ADVICE, "off", Fix.NONE),
        (clock(2027, Fault.WENT_BACK), "clock", CheckState.ADVICE, "went_back", Fix.NONE),
        (clock(2027, Fault.SET), "clock", CheckState.ADVICE, "set", Fix.NONE),
        (clock(2027, Fault.CONTRADICTED), "clock", CheckState.ADVICE, "contradicted", Fix.NONE),
        ({"notices": ("journal_restored",)}, "repairs", CheckState.ADVICE, "some", Fix.CHECK_FILES),
    ],
)
def test_each_trouble_is_named_with_what_helps(change, code, state, variant, fix) -> None:
    found = check(replace(WELL, **change), code)
    assert (found.state, found.variant, found.fix) == (state, variant, fix)


@pytest.mark.parametrize(
    ("change", "code", "state", "variant"),
    [
        (LogFacts(events=9), "journal", CheckState.OK, "ok"),
        (LogFacts(events=9, logs=3), "journal", CheckState.OK, "several"),
        (LogFacts(events=9, logs=3, forks=1), "journal", CheckState.OK, "forked"),
        (LogFacts(events=9, is_suspect=True), "journal", CheckState.BAD, "suspect"),
        (LogFacts(events=9, damaged=2), "journal", CheckState.BAD, "damaged"),
        (BackupFacts(kept=0, behind=5), "backups", CheckState.ADVICE, "none"),
        (BackupFacts(kept=2, behind=900), "backups", CheckState.ADVICE, "old"),
        (BackupFacts(kept=2, behind=3), "backups", CheckState.OK, "behind"),
        (BackupFacts(kept=2, behind=0), "backups", CheckState.OK, "ok"),
        (BackupFacts(kept=0, behind=0), "backups", CheckState.OK, "ok"),
    ],
)
def test_records_and_backups(change, code, state, variant) -> None:
    name = {"journal": "log", "backups": "backups"}[code]
    found = check(replace(WELL, **{name: change}), code)
    assert (found.state, found.variant) == (state, variant)


def test_lines_of_what_this_machine_cannot_have_are_left_out() -> None:
    """DR1: neither a hub nor a detector is pretended."""
    for facts in (WELL, Facts()):
        assert {"restore", "hub"} & {one.code for one in examine(facts)} == set()


def test_a_hub_whose_catalogue_stands_still_has_a_line_of_its_own() -> None:
    hub = HubContact(name="h", when_label="2027-05-18 09:16", is_reachable=True)
    facts = replace(WELL, hubs=(hub, replace(hub, name="still", silent_days=31)))
    (found,) = (one for one in examine(facts) if one.code == "catalogue")
    assert (found.state, found.values) == (CheckState.ADVICE, (("name", "still"), ("n", 31)))


def test_every_hub_has_a_line_and_being_offline_is_no_alarm() -> None:
    hubs = (
        HubContact(name="A", when_label="10:05", is_reachable=True),
        HubContact(name="B", when_label="10:05", is_reachable=False),
        HubContact(name="C", when_label="", is_reachable=False),
    )
    found = [one for one in examine(replace(WELL, hubs=hubs)) if one.code == "hub"]
    assert [(one.variant, one.state) for one in found] == [
        ("never", CheckState.ADVICE),
        ("ok", CheckState.OK),
        ("away", CheckState.OK),
    ]
    assert dict(found[1].values) == {"name": "A", "when": "10:05"}


FACTS = st.builds(
    Facts,
    free_bytes=st.none() | st.integers(0, 10**12),
    total_bytes=st.none() | st.integers(0, 10**12),
    is_writable=st.none() | st.booleans(),
    decodes=st.none() | st.sampled_from(Decodes),
    screens=st.none() | st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 4000))).map(tuple),
    has_screen_font=st.none() | st.booleans(),
    has_print_font=st.none() | st.booleans(),
    secret=st.none() | st.sampled_from(SecretPlace),
    is_secret_known=st.booleans(),
    clock=st.none()
    | st.builds(
        ClockFacts,
        year=st.integers(1970, 2100),
        is_sure=st.booleans(),
        faults=st.frozensets(st.sampled_from(Fault)),
    ),
    keeping=st.none()
    | st.builds(
        KeepingFacts,
        refusal=st.sampled_from(["", "disk_full", "store_failed"]),
        is_low=st.booleans(),
        forgets=st.booleans(),
        hubs=st.integers(0, 2),
        is_sent=st.booleans(),
    ),
    hubs=st.lists(
        st.builds(
            HubContact,
            name=st.just("hub"),
            when_label=st.sampled_from(["", "10:05"]),
            is_reachable=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    notices=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    log=st.none()
    | st.builds(
        LogFacts,
        events=st.integers(0, 900),
        logs=st.integers(1, 3),
        forks=st.none() | st.integers(0, 2),
        damaged=st.none() | st.integers(0, 2),
        is_suspect=st.booleans(),
    ),
    backups=st.none() | st.builds(BackupFacts, kept=st.integers(0, 2), behind=st.integers(0, 900)),
)


@given(FACTS)
def test_every_check_has_its_words_and_the_worst_comes_first(facts: Facts) -> None:
    """DR2 as well: values are figures, never names."""
    words = {language: Words(language) for language in ("zh_CN", "en")}
    checks = examine(facts)
    order = [CheckState.BAD, CheckState.ADVICE, CheckState.UNKNOWN, CheckState.OK]
    ranks = [order.index(one.state) for one in checks]
    assert ranks == sorted(ranks)
    others = [one for one in checks if one.code not in {"hub", "restore"}]
    assert len({one.code for one in others}) == len(others) == 9
    for one in checks:
        assert one.code == "hub" or all(isinstance(value, int) for _, value in one.values)
        for speak in words.values():
            assert speak.has(f"doctor.{one.code}")
            said = speak(f"doctor.{one.code}_{one.variant}", **values_of(one, speak))
            assert "{" not in said
            assert not said.startswith("doctor.")


@pytest.fixture
def station(tmp_path):
    made = Station(Profile(tmp_path), FrozenClock())
    yield made
    made.close()


def test_a_real_room_is_looked_at_and_left_as_it_was(station, tmp_path) -> None:
    """DR3."""
    doctor = station_doctor(station, decodes)
    before = station.journal.count()
    checks = doctor.look(Facts(screens=((1280, 720),), has_screen_font=True)).result()
    states = {one.code: one.state for one in checks}
    assert states["player"] is CheckState.OK
    assert states["disk"] in {CheckState.OK, CheckState.ADVICE}
    assert CheckState.UNKNOWN not in states.values()
    assert station.journal.count() == before
    assert [path.name for path in tmp_path.iterdir() if "doctor" in path.name] == []
    doctor.close()


@pytest.mark.parametrize(("year", "variant"), [(2013, "wrong"), (2099, "wrong"), (2027, "ok")])
def test_the_clock_of_a_real_room_is_judged(tmp_path, year, variant) -> None:
    clock = FrozenClock(at=datetime(year, 5, 18, tzinfo=UTC))
    room = Station(Profile(tmp_path), clock)
    found = {c.code: c for c in station_doctor(room, lambda _: Decodes.YES).look_now(Facts())}
    assert found["clock"].variant == variant
    clock.at = clock.at.replace(year=2026)
    room.room.set_room("学校", "教室").result()
    found = {c.code: c for c in station_doctor(room, lambda _: Decodes.YES).look_now(Facts())}
    assert found["clock"].state is CheckState.ADVICE
    room.close()


def test_the_doctor_mends_what_it_can(station) -> None:
    doctor = station_doctor(station, lambda _: Decodes.YES)
    station.room.set_room("学校", "教室").result()
    assert doctor.mend(Fix.BACK_UP).result() == 1
    assert doctor.mend(Fix.CHECK_FILES).result() == 0
    with pytest.raises(AssertionError):
        doctor.mend(Fix.OPEN_TRANSFER)
    doctor.close()


def test_a_folder_that_refuses_is_told(station, monkeypatch) -> None:
    from client.service import doctor as module

    def refuse(*_args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(module.Path, "write_bytes", refuse)
    monkeypatch.setattr(module, "find_font", lambda: (_ for _ in ()).throw(UserError("x")))
    checks = station_doctor(station, lambda _: Decodes.NO).look_now(Facts())
    assert {one.code: one.variant for one in checks}["disk"] == "read_only"
    assert {one.code: one.variant for one in checks}["fonts"] == "no_print_font"


def test_the_sample_is_there() -> None:
    assert SAMPLE.stat().st_size < 60_000
