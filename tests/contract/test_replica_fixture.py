"""The replica answers as the tests expect of it."""

import pytest

from tests.replica import Replica

pytestmark = pytest.mark.shared


def test_a_reset_replica_has_its_first_edition_and_no_counts(replica: Replica) -> None:
    before = replica.truth(files=False)
    replica.mutate("rename", title="新的标题")
    assert replica.truth(files=False) != before
    replica.reset()
    assert replica.truth(files=False) == before
    assert replica.requests() == 0
