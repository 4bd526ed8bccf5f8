"""How long an allowance holds while nobody knows the time (client.domain.spend, SL2)."""

from dataclasses import replace

import pytest

from client.domain.record.dates import NEVER
from client.domain.settings import LinkKind
from client.domain.spend import DAY_MS, Ledger, LinkProfile, Look, Purpose, look, may_spend

PHONE = LinkProfile(kind=LinkKind.PHONE, day_bytes=1_000_000)


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_progress_may_be_spent_until_24_hours_have_run(hours):
    seen = Look(now=NEVER, wall_ms=0, boot="a", mono_ms=0)
    begun = look(Ledger(), seen).ledger
    later = look(begun, replace(seen, mono_ms=hours * 3_600_000))
    allowed = may_spend(later, PHONE, Purpose.PROGRESS)
    assert allowed.bytes == PHONE.day_bytes
    assert allowed.for_s == DAY_MS / 1000 - hours * 3600
