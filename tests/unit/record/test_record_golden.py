"""Bytes that must never change, and the page that explains them."""

import os
from pathlib import Path

import pytest

from client.domain.record.segment import BootRow, seal, unseal
from client.domain.record.table import SPECS, pack, unpack
from tests.record_samples import BODIES, KEY, chain

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
IN_SEGMENT = 18
"""Types that there were when the golden segment was sealed; it holds one event of each."""


class PlainSigner:
    """Signs with a digest: golden bytes need no key."""

    public_key = KEY
    nonce = bytes(range(16))

    def sign(self, message: bytes) -> bytes:
        import hashlib

        return hashlib.sha512(message).digest()


def check(key: bytes, signature: bytes, message: bytes) -> bool:
    return signature == PlainSigner().sign(message)


def lines() -> list[str]:
    return [
        f"{spec.number.name} {event.hash.hex()} {event.body.hex()}"
        for spec, event in zip(SPECS, chain(), strict=True)
    ]


def golden(name: str, now: str) -> str:
    path = GOLDEN / name
    if os.environ.get("TONGKE_WRITE_GOLDEN") and not path.exists():
        path.write_text(now, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_the_bytes_of_every_type_are_those_of_the_golden_file():
    now = "".join(f"{line}\n" for line in lines())
    assert golden("events.txt", now) == now


def test_golden_bytes_are_read_as_the_values_they_were_made_from():
    for body, line in zip(BODIES, lines(), strict=True):
        name, _, data = line.split()
        spec = next(spec for spec in SPECS if spec.number.name == name)
        assert unpack(spec.number, 1, bytes.fromhex(data)) == body
        assert pack(body).hex() == data


def test_a_golden_segment_is_sealed_and_read_the_same():
    boots = (BootRow(ordinal=4, wall_ms=1_810_000_000_000, was_clean=False),)
    events = chain()[:IN_SEGMENT]
    data = seal(events, boots, PlainSigner())
    read = unseal(data, lambda _: KEY, check)
    assert read.events == events
    assert read.boots == boots
    stored = bytes.fromhex(golden("segment.hex", data.hex() + "\n"))
    assert unseal(stored, lambda _: KEY, check) == read


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.number.name)
def test_the_protocol_page_has_the_row_of_every_type(spec, project_root):
    page = (project_root / "docs" / "protocol.md").read_text(encoding="utf-8")
    cells = "<br>".join(f"`{name}` {codec.form}" for name, codec in spec.fields[1:]) or "–"
    key = " ".join(f"`{name}`" for name in spec.topic) or "–"
    row = (
        f"| {spec.number.value} | {spec.version} | `{spec.number.name}` | {cells} "
        f"| {spec.shape.value} | {key} |"
    )
    assert row in page
