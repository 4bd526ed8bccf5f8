"""HT1 of hub_till: what is said to a hub is paid for, and no more is charged than it may cost."""

from datetime import UTC, datetime

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import UnreachableError
from client.domain.spend import HANDSHAKE_BYTES, REQUEST_BYTES, Purpose, wire_bytes
from client.service.paths import Profile
from client.service.station import Station
from sync.engine.hub_till import PaidCarrier
from sync.protocol.exchange import MAX_MESSAGE_BYTES
from sync.transport.metered import LinkClosedError
from sync.transport.session import AHEAD_BYTES, awaiting

ASKED = b"?" * 500


@pytest.fixture
def purse(tmp_path):
    station = Station(Profile(tmp_path), FrozenClock(at=datetime(2027, 5, 18, 12, tzinfo=UTC)))
    station.room.set_setting("link_budget_mb", "2").result()
    yield station.purse
    station.close()


def left(purse) -> int:
    told = purse.allowance(Purpose.PROGRESS).bytes
    assert told is not None
    return told


@pytest.mark.parametrize(("size", "told"), [(100, 100), (300_000, 300_000), (100_000, None)])
def test_ht1_an_answer_costs_what_it_is(purse, size, told):
    def carry(envelope: bytes) -> bytes:
        assert envelope == ASKED
        assert left(purse) < before - wire_bytes(AHEAD_BYTES)
        awaiting(told)
        most = MAX_MESSAGE_BYTES if told is None else max(told, AHEAD_BYTES)
        assert left(purse) < before - wire_bytes(most)
        return b"!" * size

    before = left(purse)
    assert len(PaidCarrier(carry, purse)(ASKED)) == size
    assert before - left(purse) == wire_bytes(size + len(ASKED))


def test_ht1_where_it_is_spent_nothing_leaves(purse):
    while purse.take(Purpose.PROGRESS, left(purse) - 90_000):
        pass
    rest = left(purse)
    with pytest.raises(LinkClosedError):
        PaidCarrier(pytest.fail, purse)(ASKED)
    assert left(purse) == rest


def test_ht1_a_long_answer_is_not_read_where_little_is_left(purse):
    def carry(_: bytes) -> bytes:
        awaiting(MAX_MESSAGE_BYTES)
        pytest.fail("it would be read now")

    while left(purse) > 300_000 and purse.take(Purpose.PROGRESS, 100_000):
        pass
    with pytest.raises(LinkClosedError):
        PaidCarrier(carry, purse)(ASKED)


def test_ht1_a_hub_that_is_away_costs_little(purse):
    def carry(_: bytes) -> bytes:
        raise UnreachableError("hub_unreachable")

    before = left(purse)
    with pytest.raises(UnreachableError):
        PaidCarrier(carry, purse)(ASKED)
    assert before - left(purse) < HANDSHAKE_BYTES + REQUEST_BYTES
