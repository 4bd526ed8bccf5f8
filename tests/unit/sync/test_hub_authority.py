"""The hub's own certificates (sync.hub.authority)."""

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from client.domain.clock import FrozenClock
from client.domain.errors import StorageCorruptError
from sync.hub.authority import CA, CA_KEY, SERVER, ready

NAMES = frozenset({"hub.example", "127.0.0.1", "::1"})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tls"


def server(folder) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / SERVER).read_bytes())


def test_the_authority_stays_and_the_certificate_with_it(folder):
    """Y1 Y2."""
    clock = FrozenClock()
    first = ready(folder, NAMES, clock)
    serial = server(folder).serial_number
    clock.advance(300 * 86_400)
    assert ready(folder, NAMES, clock) == first
    assert server(folder).serial_number == serial


def test_the_certificate_is_renewed_in_time(folder):
    """Y1 Y2."""
    clock = FrozenClock()
    first = ready(folder, NAMES, clock)
    before = server(folder)
    clock.at = before.not_valid_after_utc - timedelta(days=364)
    assert ready(folder, NAMES, clock).authority == first.authority
    assert server(folder).not_valid_after_utc > before.not_valid_after_utc


def test_another_name_or_a_damaged_file_makes_another_certificate(folder):
    """Y2."""
    clock = FrozenClock()
    ready(folder, NAMES, clock)
    ready(folder, NAMES | {"second.example"}, clock)
    said = server(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "second.example" in said.get_values_for_type(x509.DNSName)
    (folder / SERVER).write_bytes(b"nothing")
    ready(folder, NAMES, clock)
    server(folder).verify_directly_issued_by(x509.load_pem_x509_certificate(ca(folder)))


def ca(folder) -> bytes:
    return (folder / CA).read_bytes()


def test_the_certificate_of_another_authority_is_replaced(folder, tmp_path):
    """Y2."""
    clock = FrozenClock()
    ready(folder, NAMES, clock)
    ready(tmp_path / "other", NAMES, clock)
    (folder / SERVER).write_bytes((tmp_path / "other" / SERVER).read_bytes())
    ready(folder, NAMES, clock)
    server(folder).verify_directly_issued_by(x509.load_pem_x509_certificate(ca(folder)))


@pytest.mark.parametrize("year", [1970, 2013, 2099])
def test_a_wrong_clock_on_the_first_day_does_no_lasting_harm(folder, year):
    """Y1."""
    ready(folder, NAMES, FrozenClock(at=datetime(year, 1, 1, tzinfo=UTC)))
    now = datetime(2027, 5, 18, tzinfo=UTC)
    for certificate in (server(folder), x509.load_pem_x509_certificate(ca(folder))):
        assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


def test_keys_are_private_and_load(folder):
    """Y3."""
    tls = ready(folder, NAMES, FrozenClock())
    for name in (CA_KEY, SERVER):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.chain, tls.chain)
    assert x509.load_der_x509_certificate(tls.authority).subject.rfc4514_string()


@pytest.mark.parametrize("damage", ["lost", "broken", "other kind"])
def test_an_authority_without_its_key_is_not_replaced(folder, damage):
    """Y1."""
    ready(folder, NAMES, FrozenClock())
    before = ca(folder)
    if damage == "lost":
        (folder / CA_KEY).unlink()
    else:
        (folder / CA_KEY).write_bytes(b"nothing" if damage == "broken" else ED25519)
    with pytest.raises(StorageCorruptError, match="hub_key_lost"):
        ready(folder, NAMES, FrozenClock())
    assert ca(folder) == before


def ed25519() -> bytes:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


ED25519 = ed25519()
