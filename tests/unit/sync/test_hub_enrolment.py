"""Letting nodes in by code (sync.hub.enrolment, sync.hub.audit, sync.hub.store)."""

import json
import stat

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError, UserError
from client.store.keyfile import verify
from sync.hub import audit as audit_file
from sync.hub.audit import AuditFile
from sync.hub.enrolment import (
    Refusals,
    Registrar,
    add_code,
    close_codes,
    new_site,
    revoke,
    sites_named,
    the_site,
)
from sync.hub.ports import Role
from sync.protocol.enrol import Applicant, Grant, Hello, code_key, open_grant, pack_enrol, site_of
from sync.protocol.exchange import node_of
from tests.fakes.memory_hub import MemoryAudit, MemoryDirectory
from tests.hub_world import SITE
from tests.log_world import Key

HUB = Key(91)
HELLO = Hello(key=HUB.public_key, certificate=b"", name="Hub")


class Desk:
    """A registrar with its stores, and rooms that come to it."""

    def __init__(self) -> None:
        self.directory, self.audit = MemoryDirectory(), MemoryAudit()
        self.registrar = Registrar(HUB, HELLO, self.directory, self.audit, verify)

    def code(self, **values) -> str:
        return add_code(self.directory, self.audit, **values)

    def enrol(self, code: str, key: Key, *, school: str = "S", signer: Key | None = None) -> Grant:
        applicant = Applicant(
            key=key.public_key, nonce=b"n" * 16, machine=b"machine1", school=school, room="R"
        )
        secret = code_key(code)
        asked = pack_enrol(applicant, HELLO, secret, signer or key)
        return open_grant(self.registrar.answer(asked), applicant, HELLO, secret, verify)


def refused(ask, *args, **kwargs) -> str:
    with pytest.raises(ClassroomError) as caught:
        ask(*args, **kwargs)
    return caught.value.code


def test_a_code_lets_a_room_in():
    """N1 N4."""
    desk, key = Desk(), Key()
    grant = desk.enrol(desk.code(), key, school="石板小学")
    assert grant == Grant(site=site_of("石板小学"), school="石板小学")
    node = desk.directory.find(node_of(key.public_key))
    assert (node.site, node.role, node.machines) == (grant.site, Role.ROOM, (b"machine1",))
    assert [what for what, _ in desk.audit.lines] == ["code_made", "enrolled"]
    assert desk.audit.lines[1][1]["school"] == "石板小学"


def test_a_code_of_a_school_enrols_there_whatever_is_asked():
    """N2."""
    desk = Desk()
    desk.code()
    grant = desk.enrol(desk.code(site=SITE, school="S1"), Key(), school="S2")
    assert grant == Grant(site=SITE, school="S1")


def test_a_hub_is_let_in_for_all_schools_or_for_one():
    """N2."""
    desk, key = Desk(), Key()
    assert desk.enrol(desk.code(role=Role.HUB), key).site == b""
    assert desk.directory.find(node_of(key.public_key)).role is Role.HUB
    code = desk.code(role=Role.HUB, site=SITE, school="S1")
    assert desk.enrol(code, Key()) == Grant(site=SITE, school="S1")


def test_two_schools_of_one_name_are_two():
    """N3."""
    desk, first, second = Desk(), Key(), Key()
    anybody = desk.code()
    there = desk.enrol(anybody, first, school="中心小学").site
    other = new_site()
    grant = desk.enrol(desk.code(site=other, school="中心小学"), second, school="中心小学")
    assert there == site_of("中心小学")
    assert grant == Grant(site=other, school="中心小学")
    assert sites_named(desk.directory, " 中心小学") == (there, other)
    assert refused(desk.enrol, anybody, Key(), school="中心小学") == "school_ambiguous"
    assert len(desk.directory.nodes()) == 2
    assert desk.enrol(anybody, second, school="中心小学").site == other


def test_rooms_of_one_school_find_each_other_by_its_name():
    """N3."""
    desk = Desk()
    drawn = desk.enrol(desk.code(site=SITE, school="石板小学"), Key()).site
    close_codes(desk.directory, desk.audit)
    assert desk.enrol(desk.code(), Key(), school="石板小学").site == drawn == SITE
    assert the_site(desk.directory, "石板小学") == SITE
    assert the_site(desk.directory, "新学校") == site_of("新学校")


def test_a_room_that_moves_to_another_school_leaves_the_old_one():
    """N3."""
    desk, key = Desk(), Key()
    code = desk.code()
    desk.enrol(code, key, school="S1")
    assert desk.enrol(code, key, school="S2").site == site_of("S2")
    assert desk.directory.find(node_of(key.public_key)).site == site_of("S2")


def test_nobody_gets_in_with_a_wrong_or_withdrawn_code():
    """N1."""
    desk, key = Desk(), Key()
    old = desk.code()
    assert close_codes(desk.directory, desk.audit) == 1
    assert refused(desk.enrol, old, key) == "code_unknown"
    assert refused(desk.enrol, Desk().code(), key) == "code_unknown"
    assert desk.directory.nodes() == ()


def test_nobody_enrols_the_key_of_somebody_else():
    """N1."""
    desk = Desk()
    assert refused(desk.enrol, desk.code(), Key(), signer=Key()) == "signature_bad"
    assert desk.directory.nodes() == ()


def test_a_revoked_key_does_not_come_back_with_a_code():
    """N1."""
    desk, key = Desk(), Key()
    code = desk.code()
    desk.enrol(code, key)
    name = node_of(key.public_key).hex()
    assert revoke(desk.directory, desk.audit, name).is_revoked
    assert refused(desk.enrol, code, key) == "node_revoked"
    for nobody in ("00" * 8, "no hex"):
        assert refused(revoke, desk.directory, desk.audit, nobody) == "node_unknown"


def test_refusals_are_noted_once_in_a_second():
    """N4."""
    clock, audit = FrozenClock(), MemoryAudit()
    refusals = Refusals(audit, clock)
    for _ in range(5):
        refusals.note(UserError("code_unknown"), "enrol", "10.0.0.1")
    clock.advance(1)
    refusals.note(UserError("node_unknown"), "x", "10.0.0.2")
    (_, first), (_, second) = audit.lines
    assert first == {"why": "code_unknown", "door": "enrol", "from": "10.0.0.1"}
    assert second["more"] == "4"


def test_the_audit_file_is_bounded_private_and_whole(tmp_path, monkeypatch):
    """U1 U2."""
    monkeypatch.setattr(audit_file, "_MAX_BYTES", 1000)
    audit = AuditFile(tmp_path, FrozenClock())
    for number in range(40):
        audit.note("enrolled", room=f"教室{number}")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.log", "audit.old.log"]
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    assert max(int(line["room"][2:]) for line in lines) == 39
    assert sum(file.stat().st_size for file in files) < 2400
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_the_audit_holds_no_code_and_no_key(tmp_path):
    """U3."""
    desk, key = Desk(), Key()
    desk.audit = AuditFile(tmp_path, FrozenClock())
    desk.registrar = Registrar(HUB, HELLO, desk.directory, desk.audit, verify)
    code = desk.code()
    desk.enrol(code, key)
    text = (tmp_path / audit_file.NAME).read_text("utf-8")
    secrets = (code, code.replace("-", ""), code_key(code).hex(), key.public_key.hex())
    assert [secret for secret in secrets if secret in text] == []
