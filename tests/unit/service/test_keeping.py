"""What threatens records: client.service.keeping and client.service.checks."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import StorageError
from client.service.checks import CheckState, Fix
from client.service.doctor import Facts, examine
from client.service.keeping import Keeping, KeepingFacts, keeping
from client.service.text import Words

FACTS = st.builds(
    KeepingFacts,
    refusal=st.sampled_from(["", "disk_full", "store_failed", "store_corrupt"]),
    is_low=st.booleans(),
    forgets=st.booleans(),
    hubs=st.integers(0, 3),
    is_sent=st.booleans(),
)


@given(FACTS)
def test_the_banner_says_nothing_that_the_check_up_does_not(facts: KeepingFacts) -> None:
    """KE1: and nothing at all when nothing threatens."""
    threats = keeping(facts)
    assert bool(threats) == bool(facts.refusal or facts.is_low or facts.forgets)
    assert len({one.code for one in threats}) == len(threats)
    assert set(threats) <= set(examine(Facts(keeping=facts)))
    assert {one.state for one in threats} <= {CheckState.BAD, CheckState.ADVICE}


@given(FACTS)
def test_every_threat_has_words_with_a_next_step(facts: KeepingFacts) -> None:
    for words in (Words("zh_CN"), Words("en")):
        for one in keeping(facts):
            assert words.has(f"doctor.{one.code}_{one.variant}_hint")
            if one.fix is not Fix.NONE:
                assert words.has(f"doctor.fix_{one.fix.value}")


@given(FACTS, st.booleans())
def test_records_that_no_hub_has_are_never_called_safe(facts: KeepingFacts, is_sent: bool) -> None:
    found = {one.variant for one in keeping(facts)}
    assert ("sent" in found) == (facts.forgets and facts.is_sent and bool(facts.hubs))


class Disk:
    """A journal whose disk refuses for a while."""

    def __init__(self, tries: int) -> None:
        self.refusal, self.tries = "disk_full", tries
        self.forgets = False
        self.ballast = SimpleNamespace(is_low=lambda: False)

    def try_disk(self) -> None:
        self.tries -= 1
        if self.tries == 0:
            self.refusal = ""

    def is_acknowledged(self) -> bool:
        raise AssertionError("asked without need")


def test_a_disk_that_cannot_even_be_read_refused() -> None:
    def hubs() -> int:
        raise StorageError("store_failed")

    desk = Keeping(Disk(1), hubs)
    assert [one.variant for one in desk.look().result()] == ["refused"]
    desk.close()


@pytest.mark.parametrize("tries", [1, 3])
def test_a_disk_that_refused_is_tried_again_at_every_look(tries: int) -> None:
    """KE2."""
    desk = Keeping(Disk(tries), lambda: 0)
    found = [len(desk.look().result()) for _ in range(4)]
    desk.close()
    assert found == [1] * (tries - 1) + [0] * (5 - tries)
