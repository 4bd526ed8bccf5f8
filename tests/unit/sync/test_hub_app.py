"""The HTTP face of a hub (sync.hub.app, sync.hub.serve)."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from datetime import timedelta

import pytest
from cryptography import x509

from client.domain.clock import FrozenClock, SystemClock
from client.domain.errors import BusyError, ResourceError, StorageError, StorageFullError, UserError
from client.domain.record.log import Taken
from client.store.keyfile import verify
from sync.hub import serve
from sync.hub.app import TYPE, Pace, refusal
from sync.hub.authority import CA
from sync.hub.enrolment import add_code
from sync.hub.folder import TLS, HubFolder
from sync.hub.serve import CODE_FILE, HubServer, Place, first_code, is_loopback, own_names
from sync.protocol.enrol import (
    MAX_ENROL_BYTES,
    Applicant,
    code_key,
    open_grant,
    pack_enrol,
    read_hello,
)
from sync.protocol.exchange import (
    MAX_MESSAGE_BYTES,
    Reading,
    Request,
    Status,
    node_of,
    open_reply,
    pack_request,
)
from sync.protocol.refusal import STATUS_OF, read_refusal
from tests.hub_server import Served, served
from tests.log_world import Key, Pen


@pytest.fixture
def hub(tmp_path):
    with served(tmp_path / "hub") as one:
        yield one


def enrol(hub: Served, key: Key) -> bytes:
    """Let a key in by code, over HTTP; gives its site."""
    code = code_key(add_code(hub.folder.directory, hub.folder.audit))
    hello = read_hello(hub.ask("/v1/hello")[1])
    room = Applicant(key=key.public_key, nonce=b"n" * 16, machine=b"machine1", school="S", room="R")
    status, body, _ = hub.ask("/v1/enrol", pack_enrol(room, hello, code, key))
    assert status == 200
    return open_grant(body, room, hello, code, verify).site


def ask(hub: Served, key: Key, site: bytes, *segments: bytes) -> bytes:
    request = Request(
        site=site,
        node=node_of(key.public_key),
        machine=b"machine1",
        have=hub.folder.logs.of(site).vector().summary,
        segments=segments,
        clock=Reading(boot=1, mono_ms=1, wall_ms=1),
    )
    return pack_request(request, hub.folder.key().public_key, key)


def refused(hub: Served, path: str, body: bytes | None, headers=None) -> tuple[int, str]:
    status, data, _ = hub.ask(path, body, headers)
    said = read_refusal(data)
    assert said is not None
    return status, said[0]


def test_a_room_is_let_in_and_brings_what_it_recorded(hub):
    key = Key()
    site = enrol(hub, key)
    envelope = ask(hub, key, site, Pen(key).write(1).seal())
    status, body, headers = hub.ask("/v1/x", envelope)
    assert (status, headers["content-type"]) == (200, TYPE)
    reply = open_reply(body, envelope, hub.folder.key().public_key, verify)
    assert reply.codes == (Taken.STORED,)
    assert len(hub.folder.logs.of(site).vector().open) == 1


def test_nothing_to_do_costs_few_bytes_on_an_open_connection(hub):
    """One request, and all of its bytes both ways."""
    key = Key()
    site = enrol(hub, key)
    envelope = ask(hub, key, site)
    head = f"POST /v1/x HTTP/1.1\r\nhost: {hub.address[0]}\r\ncontent-type: {TYPE}\r\n"
    sent = f"{head}content-length: {len(envelope)}\r\n\r\n".encode("ascii") + envelope
    with hub.raw() as wire:
        for _ in range(2):
            wire.sendall(sent)
            answer = answer_of(wire)
    body = answer.partition(b"\r\n\r\n")[2]
    reply = open_reply(body, envelope, hub.folder.key().public_key, verify)
    assert reply.status is Status.DONE
    assert len(sent) + len(answer) <= 700


def test_every_refusal_has_its_status(hub):
    """A3."""
    site = enrol(hub, Key())
    stranger = ask(hub, Key(), site)
    assert refused(hub, "/v1/x", stranger) == (401, "node_unknown")
    assert refused(hub, "/v1/x", b"<html>") == (400, "not_canonical")
    assert refused(hub, "/v1/enrol", b"\x81\x07") == (426, "version_unknown")
    assert refused(hub, "/v1/x", stranger, {"content-type": "text/html"}) == (415, "type_wrong")
    assert refused(hub, "/v1/nothing", b"") == (404, "not_found")
    assert refused(hub, "/v1/x", None) == (405, "method_wrong")
    assert "refused" in (hub.folder.path / "audit.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"),
    [
        (StorageFullError("disk_full"), 507, "disk_full", 0),
        (StorageError("store_failed"), 503, "busy", 30),
        (BusyError("too_often", {"retry_after_s": 7}), 429, "too_often", 7),
        (UserError("something_else"), 400, "message_invalid", 0),
    ],
)
def test_what_the_hub_lacks_is_told_without_details(error, status, code, wait):
    """A3."""
    answer = refusal(error)
    assert answer.status_code == status == STATUS_OF[code]
    assert read_refusal(bytes(answer.body)) == (code, wait)
    assert answer.headers.get("retry-after") == (str(wait) if wait else None)


def test_a_storage_failure_is_told_as_busy(hub):
    """A3."""
    key = Key()
    site = enrol(hub, key)
    envelope = ask(hub, key, site, Pen(key).seal())
    hub.folder.log_database.close()
    assert refused(hub, "/v1/x", envelope) == (503, "busy")


def test_a_body_that_is_too_large_is_not_read(hub):
    """A1."""
    assert refused(hub, "/v1/x", bytes(MAX_MESSAGE_BYTES + 1)) == (413, "too_large")
    assert refused(hub, "/v1/enrol", bytes(MAX_ENROL_BYTES + 1)) == (413, "too_large")


def head(path: str, *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "host: hub", f"content-type: {TYPE}", *more, "", "")
    return "\r\n".join(lines).encode("ascii")


def answer_of(wire: socket.socket) -> bytes:
    """Head and body of one answer, or whatever came before the end."""
    data, length = b"", 1 << 20
    while len(data) < length and (chunk := wire.recv(4096)):
        data += chunk
        said, end, _ = data.partition(b"\r\n\r\n")
        if end:
            size = said.partition(b"content-length: ")[2].partition(b"\r")[0]
            length = len(said) + len(end) + int(size or 0)
    return data


def test_a_body_without_a_length_is_counted_while_it_comes(hub):
    """A1."""
    chunk = b"1000\r\n" + bytes(0x1000) + b"\r\n"
    with hub.raw() as wire:
        wire.sendall(head("/v1/enrol", "transfer-encoding: chunked") + chunk + chunk)
        assert answer_of(wire).startswith(b"HTTP/1.1 413")


def test_a_length_that_is_none_is_refused(hub):
    """A1."""
    with hub.raw() as wire:
        wire.sendall(head("/v1/x", "content-length: -5"))
        assert answer_of(wire).split(b" ")[1] in (b"400", b"413")


def test_bodies_of_one_address_are_bounded_together(tmp_path, monkeypatch):
    """A1."""
    monkeypatch.setattr("sync.hub.app._HELD_EACH", 3000)
    with served(tmp_path / "hub") as hub, hub.raw() as slow:
        slow.sendall(head("/v1/x", "content-length: 4000") + bytes(2500))
        status = 0
        while status != 503:  # until the hub has read what the slow one sent
            status, body, headers = hub.ask("/v1/x", bytes(2600))
            assert status in (400, 503)
        assert read_refusal(body) == ("busy", 30)
        assert headers["retry-after"] == "30"


def test_bodies_that_were_answered_are_held_no_more(tmp_path, monkeypatch):
    """A1."""
    monkeypatch.setattr("sync.hub.app._HELD_EACH", 3000)
    with served(tmp_path / "hub") as hub:
        assert {hub.ask("/v1/x", bytes(1000))[0] for _ in range(6)} == {400}


@pytest.mark.parametrize("pace", [Pace(idle_s=0.2), Pace(whole_s=0.2)])
def test_a_body_that_comes_too_slowly_is_cut_off(tmp_path, pace):
    """A2."""
    with served(tmp_path / "hub", pace=pace) as hub, hub.raw() as wire:
        wire.sendall(head("/v1/x", "content-length: 400") + b"x")
        assert answer_of(wire).startswith(b"HTTP/1.1 408")


def test_a_body_that_breaks_off_is_not_used(hub):
    """A2."""
    key = Key()
    site = enrol(hub, key)
    envelope = ask(hub, key, site, Pen(key).seal())
    with hub.raw() as wire:
        wire.sendall(head("/v1/x", f"content-length: {len(envelope)}") + envelope[:-1])
    assert hub.ask("/v1/hello")[0] == 200
    assert hub.folder.logs.of(site).vector().open == ()


def test_an_address_that_is_refused_too_often_waits(hub):
    """A4."""
    statuses = [hub.ask("/v1/x", b"nothing")[0] for _ in range(70)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert hub.ask("/v1/hello")[0] == 200


def test_a_connection_that_asks_nothing_is_closed(tmp_path, monkeypatch):
    """V3."""
    monkeypatch.setattr(serve, "_FIRST_S", 0.2)
    with served(tmp_path / "hub") as hub:
        with hub.raw() as silent:
            assert silent.recv(10) == b""
        with hub.raw() as dripping:
            dripping.sendall(b"GET /v1/hello HTTP/1.1\r\nhost: h\r\n\r\n")
            assert answer_of(dripping).startswith(b"HTTP/1.1 200")
            dripping.sendall(b"GET /v1/hel")
            rest = b"x"
            while rest:
                rest = dripping.recv(4096)


def test_connections_of_one_address_are_bounded(tmp_path, monkeypatch):
    """V3."""
    monkeypatch.setattr(serve, "_CONNECTIONS_EACH", 2)
    with served(tmp_path / "hub") as hub, hub.raw() as first, hub.raw() as second:
        for wire in (first, second):
            wire.sendall(b"GET /v1/hello HTTP/1.1\r\nhost: h\r\n\r\n")
            assert answer_of(wire).startswith(b"HTTP/1.1 200")
        with hub.raw() as third, contextlib.suppress(ConnectionError):
            assert third.recv(10) == b""


def test_connections_are_taken_as_soon_as_the_address_is_known(tmp_path):
    """V2."""
    with HubFolder(tmp_path, SystemClock(), is_new_allowed=True) as folder:
        server = HubServer(folder, Place(port=0), SystemClock())
        address = Served(folder, server.url).address
        with socket.create_connection(address, timeout=5):
            pass
        with pytest.raises(ResourceError, match="address_taken"):
            HubServer(folder, Place(port=address[1]), SystemClock())
        thread = threading.Thread(target=server.run)
        thread.start()
        server.stop()
        thread.join()


def test_off_loopback_there_is_tls_and_nothing_else(tmp_path, monkeypatch):
    """V1."""
    monkeypatch.setattr(serve, "is_loopback", lambda _host: False)
    with served(tmp_path / "hub") as hub:
        assert hub.url.startswith("https://")
        authority = (hub.folder.path / "tls" / "ca.pem").read_text("ascii")
        context = ssl.create_default_context(cadata=authority)
        with hub.raw() as wire, context.wrap_socket(wire, server_hostname="127.0.0.1") as safe:
            safe.sendall(b"GET /v1/hello HTTP/1.1\r\nhost: h\r\n\r\n")
            body = answer_of(safe).partition(b"\r\n\r\n")[2]
        assert read_hello(body).certificate == ssl.PEM_cert_to_DER_cert(authority)
        with hub.raw() as plain:
            plain.sendall(b"GET /v1/hello HTTP/1.1\r\nhost: h\r\n\r\n")
            assert not answer_of(plain).startswith(b"HTTP")


def shown(hub: Served) -> bytes:
    """The certificate that a new connection is shown, checked against the authority."""
    context = ssl.create_default_context(cadata=(hub.folder.path / TLS / CA).read_text("ascii"))
    with hub.raw() as wire, context.wrap_socket(wire, server_hostname="127.0.0.1") as safe:
        return safe.getpeercert(binary_form=True) or b""


def test_the_certificate_is_renewed_while_the_hub_runs(tmp_path, monkeypatch):
    """V4."""
    monkeypatch.setattr(serve, "is_loopback", lambda _host: False)
    monkeypatch.setattr(serve, "_LOOK_S", 0.01)
    clock = FrozenClock()
    with served(tmp_path / "hub", clock=clock) as hub:
        context = ssl.create_default_context()
        context.load_verify_locations(hub.folder.path / TLS / CA)
        with hub.raw() as wire, context.wrap_socket(wire, server_hostname="127.0.0.1") as safe:
            first = safe.getpeercert(binary_form=True)
            assert shown(hub) == first
            clock.advance(4.5 * 365 * 86_400)
            assert any(shown(hub) != first for _ in range(1000))
            safe.sendall(b"GET /v1/hello HTTP/1.1\r\nhost: h\r\n\r\n")
            assert answer_of(safe).startswith(b"HTTP/1.1 200")
        ends = x509.load_der_x509_certificate(shown(hub)).not_valid_after_utc
        assert ends > clock.at + timedelta(days=4 * 365)


def test_a_certificate_that_cannot_be_renewed_stays(tmp_path, monkeypatch):
    """V4."""
    monkeypatch.setattr(serve, "is_loopback", lambda _host: False)
    monkeypatch.setattr(serve, "_LOOK_S", 0.01)
    failed = threading.Semaphore(0)

    def full(*_args):
        failed.release()
        raise OSError(28, "no room")

    with served(tmp_path / "hub") as hub:
        first = shown(hub)
        monkeypatch.setattr(serve, "ready", full)
        assert all(failed.acquire(timeout=30) for _ in range(2))
        assert shown(hub) == first


def test_without_a_certificate_there_is_no_hub(tmp_path, monkeypatch):
    """V1."""

    def full(*_args):
        raise OSError(28, "no room")

    monkeypatch.setattr(serve, "ready", full)
    with (
        HubFolder(tmp_path, SystemClock(), is_new_allowed=True) as folder,
        pytest.raises(StorageError, match="store_failed"),
    ):
        HubServer(folder, Place(host="0.0.0.0", port=0), SystemClock())


def test_only_this_machine_reaches_loopback():
    """V1."""
    assert all(map(is_loopback, ("127.0.0.1", "127.8.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "hub.example")))
    names = own_names()
    assert {socket.gethostname(), "127.0.0.1"} <= names
    assert all(ipaddress.ip_address(name) for name in names if name[0].isdigit())


def test_the_first_start_writes_a_code_and_later_ones_none(tmp_path):
    with HubFolder(tmp_path, SystemClock(), is_new_allowed=True) as folder:
        first_code(folder, None)
        code = (tmp_path / CODE_FILE).read_text("ascii").strip()
        assert [one.key for one in folder.directory.codes()] == [code_key(code)]
        assert (tmp_path / CODE_FILE).stat().st_mode & 0o777 == 0o600
        first_code(folder, tmp_path / "other.txt")
        assert not (tmp_path / "other.txt").exists()
