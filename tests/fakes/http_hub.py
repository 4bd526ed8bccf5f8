"""A hub's HTTP face in a thread, plain or with TLS; it may also answer as others would."""

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TYPE = "application/x-tongke"


class Said(NamedTuple):
    """What is answered to one request."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", TYPE),)
    length: int | None = None
    """Announced length, where it is not the true one."""


Answer = Callable[[str, bytes], Said]
"""(path, body) -> what is answered."""


class HttpHub:
    """Answers on loopback until it is closed; `heads` holds the raw heads of requests."""

    def __init__(self, answer: Answer, chain: Path | None = None) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.answer = answer
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                hub.connections += 1

            def send_response(self, code: int, message: str | None = None) -> None:
                self.send_response_only(code, message)

            def do_POST(self) -> None:
                hub.heads.append(self.raw_requestline + bytes(self.headers))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                said = hub.answer(self.path, body)
                self.send_response(said.status)
                for name, value in said.headers:
                    self.send_header(name, value)
                length = len(said.body) if said.length is None else said.length
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(said.body)
                self.close_connection = self.close_connection or said.length is not None

            do_GET = do_POST  # noqa: N815 - as the base

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None
        scheme = "http"
        if chain is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Authority:
    """A certificate authority that is its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub authority")])
        at = datetime(2026, 1, 1, tzinfo=UTC)
        self._certificate = (
            self._builder(self._key, at, at + timedelta(days=9999))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(is_authority=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.der = self._certificate.public_bytes(serialization.Encoding.DER)

    def chain(self, path: Path, begins: datetime, ends: datetime, name: str = "127.0.0.1") -> Path:
        """Write a server's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(key, begins, ends)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    def _builder(self, key, begins: datetime, ends: datetime) -> x509.CertificateBuilder:
        subject = self._name
        if key is not self._key:
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
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
