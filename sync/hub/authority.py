"""The hub's own certificate authority: TLS without anybody else, pinned by rooms at enrolment.

Rooms check dates against the time they trust, not against their clock. The dates here hold too
where the hub's clock was wrong on the day it made them.

Invariants:
  Y1  The authority is made once and never replaced: rooms have pinned it.
  Y2  The certificate is made anew when it is near its end or damaged, or when the hub is to be
      reached under another name.
  Y3  Keys can be read by their owner only.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from client.domain.clock import Clock
from client.domain.errors import StorageCorruptError
from client.store.durable import write_file

CA: Final = "ca.pem"
CA_KEY: Final = "ca.key"
SERVER: Final = "server.pem"
"""The hub's certificate with its key in one file, so that the two never differ."""
_MODE: Final = 0o600
FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No hub was ever run before this day."""
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SERVER: Final = timedelta(days=5 * 365)
_RENEW: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What a server needs, and what rooms pin."""

    chain: Path
    """Certificate and key, PEM."""
    authority: bytes
    """The authority's certificate, DER."""


def ready(folder: Path, names: frozenset[str], clock: Clock) -> Tls:
    """Give certificate and authority, made or renewed where needed.

    Args:
        folder: Made if it is not there.
        names: Host names and addresses under which the hub is reached.
        clock: Dates what is made.

    Raises:
        StorageCorruptError: `hub_key_lost`: the authority is there without its key, or damaged.
        OSError: The disk refused.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    now = max(clock.wall(), FIRST)
    authority, key = _authority(folder)
    path = folder / SERVER
    if not _is_good(path, authority, names, now):
        _make_server(path, authority, key, names, now)
    return Tls(chain=path, authority=authority.public_bytes(serialization.Encoding.DER))


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Read the authority, or make it where there is none (Y1)."""
    if not (folder / CA).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        # The key first: an authority without its key would be lost for good.
        write_file(folder / CA_KEY, _pem(key), mode=_MODE)
        certificate = _self_signed(key)
        write_file(folder / CA, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate, key
    try:
        certificate = x509.load_pem_x509_certificate((folder / CA).read_bytes())
        loaded = serialization.load_pem_private_key((folder / CA_KEY).read_bytes(), None)
    except (ValueError, FileNotFoundError) as error:
        raise StorageCorruptError("hub_key_lost", {"path": str(folder)}) from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise StorageCorruptError("hub_key_lost", {"path": str(folder)})
    return certificate, loaded


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Tongke hub authority")
    return (
        _builder(name, name, key.public_key(), _LAST)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _make_server(
    path: Path,
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    names: frozenset[str],
    now: datetime,
) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name("Tongke hub"), authority.subject, own.public_key(), now + _SERVER)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    data = certificate.public_bytes(serialization.Encoding.PEM) + _pem(own)
    write_file(path, data, mode=_MODE)


def _is_good(path: Path, authority: x509.Certificate, names: frozenset[str], now: datetime) -> bool:
    """Tell whether the certificate that is there will do (Y2)."""
    try:
        known = x509.load_pem_x509_certificate(path.read_bytes())
        known.verify_directly_issued_by(authority)
    except (ValueError, TypeError, FileNotFoundError, InvalidSignature):
        return False
    said = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_fresh = now < known.not_valid_after_utc - _RENEW
    return is_fresh and set(said) == set(_alternatives(names))


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(FIRST)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: frozenset[str]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in sorted(names)]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
