"""MD1 of metering: what the system says narrows what nobody described, and nothing else."""

import pytest

from client.domain.metering import UNTOLD_BYTES, Metering, told
from client.domain.settings import Hours, LinkKind
from client.domain.spend import MEGABYTE, LinkProfile

PLAIN = LinkProfile(hours=Hours(begin=20, end=6), cap_bytes_per_s=1000)
DESCRIBED = (
    LinkProfile(kind=LinkKind.SATELLITE),
    LinkProfile(kind=LinkKind.PHONE, day_bytes=900 * MEGABYTE),
    LinkProfile(kind=LinkKind.SCHOOL, month_bytes=900 * MEGABYTE),
)


@pytest.mark.parametrize("metering", Metering)
@pytest.mark.parametrize("profile", DESCRIBED)
def test_md1_a_link_that_somebody_described_stays_as_it_is(profile, metering):
    assert told(profile, metering) == profile


@pytest.mark.parametrize("kind", [LinkKind.BROADBAND, LinkKind.SCHOOL])
def test_md1_a_metered_link_of_which_nothing_is_known_is_a_phones(kind):
    profile = LinkProfile(kind=kind, hours=PLAIN.hours, cap_bytes_per_s=1000)
    assert told(profile, Metering.FREE) == told(profile, Metering.UNKNOWN) == profile
    narrowed = told(profile, Metering.METERED)
    assert narrowed == LinkProfile(
        kind=LinkKind.PHONE, day_bytes=UNTOLD_BYTES, hours=PLAIN.hours, cap_bytes_per_s=1000
    )
