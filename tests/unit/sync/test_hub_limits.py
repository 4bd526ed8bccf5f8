"""How much one peer may ask of a hub (sync.hub.limits)."""

from hypothesis import given
from hypothesis import strategies as st

from client.domain.clock import FrozenClock
from sync.hub import limits
from sync.hub.limits import Allowance, Held


def test_an_allowance_comes_back_with_time():
    """R2."""
    clock = FrozenClock()
    allowance = Allowance(clock, burst=3, per_s=0.5)
    assert [allowance.spend(b"a") for _ in range(4)] == [0, 0, 0, 2]
    assert allowance.spend(b"b") == 0
    assert allowance.wait_s(b"a") == 2
    clock.advance(2)
    assert allowance.wait_s(b"a") == 0
    assert [allowance.spend(b"a") for _ in range(2)] == [0, 2]
    clock.advance(1000)
    assert [allowance.spend(b"a") for _ in range(4)] == [0, 0, 0, 2]


def test_what_never_fits_is_refused_and_takes_nothing():
    """R2."""
    allowance = Allowance(FrozenClock(), burst=3, per_s=1)
    assert allowance.spend(b"a", 4) == 1
    assert allowance.spend(b"a", 3) == 0


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20)), max_size=60))
def test_nobody_gets_more_than_is_due(steps):
    """R2."""
    clock = FrozenClock()
    allowance, began, got = Allowance(clock, burst=10, per_s=2), clock.monotonic(), 0.0
    for wait, amount in steps:
        clock.advance(wait)
        got += amount if allowance.spend(b"a", amount) == 0 else 0
        assert got <= 10 + 2 * (clock.monotonic() - began) + 1e-6


def test_peers_are_remembered_up_to_a_bound(monkeypatch):
    """R1."""
    monkeypatch.setattr(limits, "_REMEMBERED", 2)
    allowance = Allowance(FrozenClock(), burst=1, per_s=1)
    for peer in (b"a", b"b", b"c"):
        allowance.spend(peer)
    assert len(allowance._left) == 2
    assert [allowance.spend(peer) for peer in (b"c", b"b", b"a")] == [1, 1, 0]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60))
def test_bodies_never_exceed_their_bound(steps):
    """R3."""
    held = Held(total=20, each=12)
    mine: list[tuple[str, int]] = []
    for address, size in steps:
        if size == 0 and mine:
            held.give(*mine.pop())
        elif held.take(address, size):
            mine.append((address, size))
        assert sum(size for _, size in mine) <= 20
        assert all(sum(s for a, s in mine if a == one) <= 12 for one in "abc")
    for one in mine:
        held.give(*one)
    assert held._held == {}
