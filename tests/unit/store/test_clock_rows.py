"""Anchors of the journal: client.store.clock_rows, and what a repair saves of them."""

import pytest

from client.domain.clock import FrozenClock
from client.domain.record.anchors import AnchorKind
from client.store.clock_rows import insert_anchors
from client.store.repair import open_journal
from tests.journal_room import cue, make_journal

UTC = 1_810_600_000_000


@pytest.fixture
def journal(tmp_path):
    made = make_journal(tmp_path)
    yield made
    made.close()


def test_the_present_is_where_the_next_event_stands(tmp_path):
    clock = FrozenClock()
    journal = make_journal(tmp_path, clock)
    clock.advance(7)
    here = journal.present()
    journal.append(cue(1)).result()
    _, event = journal.events()[-1]
    assert (here.writer, here.boot) == (event.writer, event.boot)
    assert (here.mono_ms, here.wall_ms) == (event.mono_ms, event.wall_ms)
    journal.close()


@pytest.mark.parametrize("kind", AnchorKind)
def test_an_anchor_comes_back_as_it_was_told(journal, kind):
    told = journal.present().anchor(kind, UTC, 40)
    journal.note_anchor(told).result()
    journal.note_anchor(told).result()
    assert journal.anchors() == (told,)


def test_an2_a_machine_that_hears_the_time_all_day_keeps_two_anchors(tmp_path):
    clock = FrozenClock()
    journal = make_journal(tmp_path, clock)
    for minute in range(100):
        clock.advance(60)
        here = journal.present()
        told = here.anchor(AnchorKind.HUB, UTC + 60_000 * minute, 9 + minute % 7)
        journal.note_anchor(told).result()
    found = sorted(journal.anchors(), key=lambda one: one.mono_ms)
    assert [one.err_ms for one in found] == [9, 9 + 99 % 7]
    assert found[-1].mono_ms == journal.present().mono_ms
    journal.close()


def test_anchors_of_other_starts_and_logs_are_left_alone(journal):
    own = journal.present().anchor(AnchorKind.HUB, UTC, 1)
    others = [
        type(own)(
            writer=writer, boot=boot, mono_ms=1, utc_ms=UTC, err_ms=1, kind=AnchorKind.HUB
        )
        for writer, boot in ((own.writer, 9), (b"\x01" * 8, own.boot))
    ]  # fmt: skip
    for one in (*others, own):
        journal.note_anchor(one).result()
    assert set(journal.anchors()) == {own, *others}


def test_a_row_of_a_kind_nobody_knows_is_passed_over(journal):
    told = journal.present().anchor(AnchorKind.HUB, UTC, 1)
    journal.note_anchor(told).result()
    odd = [(told.writer, 1, 77, 1, 1, 1), (b"short", 1, 1, 1, 1, 1)]
    statement = "INSERT INTO anchor VALUES (?, ?, ?, ?, ?, ?)"
    journal._database.write(lambda c: c.executemany(statement, odd) and None).result()
    assert journal.anchors() == (told,)


def test_v1_a_repair_saves_the_anchors_of_every_file(tmp_path):
    journal = make_journal(tmp_path)
    here = journal.present()
    first = here.anchor(AnchorKind.HUB, UTC, 1)
    later = here.anchor(AnchorKind.PEER, UTC, 1)
    journal.append(cue(1)).result()
    journal.note_anchor(first).result()
    assert journal.backup().result()
    journal._database.write(lambda c: c.execute("DELETE FROM anchor") and None).result()
    journal._database.write(lambda c: insert_anchors(c, [later])).result()
    journal._database.write(lambda c: c.execute("DROP TABLE head") and None).result()
    journal._database.close()
    opened = open_journal(tmp_path, FrozenClock())
    assert "journal_restored" in [notice.code for notice in opened.notices]
    assert set(opened.journal.anchors()) == {first, later}
    opened.journal.close()
