"""Which editions are believed, and when silence is told (`edition_trust`, `edition_known`)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.edition_known import (
    FROZEN_MS,
    Known,
    is_frozen,
    pack_known,
    passed,
    read_known,
)
from client.domain.ids import Digest
from sync.engine.edition_trust import Verdict, believed, judge
from sync.protocol.edition import Head, NamedFile

A, B = Digest("aa" * 32), Digest("bb" * 32)
DAY_MS = 86_400_000


def head(
    number: int, rows: Digest = A, signed_ms: int = 1000, listed: Digest | None = None
) -> Head:
    return Head(
        number=number,
        signed_ms=signed_ms,
        rows_digest=rows,
        rows_bytes=1,
        rows=1,
        whole=NamedFile(digest=rows, size_bytes=1),
        withdrawn=None if listed is None else NamedFile(digest=listed, size_bytes=1),
    )


KNOWN = Known(number=5, rows_digest=A, floor_ms=1000, silent_ms=7, boot=1, mono_ms=3)


@pytest.mark.parametrize(
    ("known", "sent", "verdict"),
    [
        (Known(), head(1), Verdict.NEWER),
        (KNOWN, head(6, B), Verdict.NEWER),
        (KNOWN, head(9), Verdict.NEWER),
        (KNOWN, head(5), Verdict.SAME),
        (KNOWN, head(5, B), Verdict.MIXED),
        (KNOWN, head(5, A, listed=B), Verdict.MIXED),
        (believed(Known(), head(5, A, listed=B)), head(5), Verdict.MIXED),
        (believed(Known(), head(5, A, listed=B)), head(5, A, listed=B), Verdict.SAME),
        (KNOWN, head(4), Verdict.ROLLBACK),
        (KNOWN, head(4, B), Verdict.ROLLBACK),
    ],
)
def test_et2_each_row_of_the_table(known, sent, verdict):
    """ET2: and what a head's time is changes none of them: 1970, then, 2099."""
    for signed_ms in (0, 1000, 4_000_000_000_000):
        assert judge(known, replace(sent, signed_ms=signed_ms)) is verdict
    assert verdict.is_believed == (verdict in (Verdict.NEWER, Verdict.SAME))


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from([A, B]), st.integers(0, 5)), max_size=12)
)
def test_et1_heads_in_any_order_never_lead_back(sent):
    """ET1, ET2: replayed, mixed, out of order; one digest for each number, for good."""
    known = Known()
    seen: dict[int, Digest] = {}
    for number, rows, signed_ms in sent:
        one = head(number, rows, signed_ms)
        if not judge(known, one).is_believed:
            continue
        after = believed(known, one)
        assert after.number >= known.number
        assert after.floor_ms >= max(known.floor_ms, signed_ms)
        assert seen.setdefault(number, rows) == rows
        known = after


def test_ek1_thirty_days_of_running_time_without_a_newer_head_are_told():
    """EK1: over many starts of the machine; the same head again does not help, a newer one does."""
    known = believed(passed(Known(), 1, 50), head(1))
    for boot in range(2, 31):
        known = believed(passed(known, boot, DAY_MS), head(1))
        assert not is_frozen(known)
    known = passed(known, 31, DAY_MS)
    assert is_frozen(known)
    assert known.silent_ms == FROZEN_MS
    assert not is_frozen(believed(known, head(2)))


def test_ek1_running_time_is_counted_once_in_one_start():
    """EK1: asking often makes no time; time that goes back counts as none."""
    known = passed(Known(number=1), 4, 1000)
    assert known.silent_ms == 0
    for now in (1500, 1500, 1200, 2200):
        known = passed(known, 4, now)
    assert (known.silent_ms, known.mono_ms) == (1500, 2200)
    assert passed(known, 5, -3).mono_ms == 0


def test_ek1_a_room_that_knows_no_edition_waits_for_none():
    """EK1: an empty hub is not a frozen one."""
    assert not is_frozen(Known(silent_ms=FROZEN_MS))


@given(
    st.builds(
        Known,
        number=st.integers(0, 2**50),
        rows_digest=st.sampled_from([A, B, Digest("")]),
        list_digest=st.sampled_from([A, B, Digest("")]),
        floor_ms=st.integers(0, 2**50),
        silent_ms=st.integers(0, 2**50),
        boot=st.integers(0, 9),
        mono_ms=st.integers(0, 9),
    )
)
def test_et1_what_is_known_outlives_the_program(known):
    """ET1, EK2: kept and read."""
    assert read_known(pack_known(known)) == known


@pytest.mark.parametrize("data", [b"", b"\xff", pack_known(KNOWN)[:-1], b"\x81\x01"])
def test_ek2_what_cannot_be_read_is_not_known(data):
    """EK2: cut, empty, or another shape."""
    assert read_known(data) == Known()
