"""W1, J1, OL3: what a journal took from others or recorded itself survives kill -9, at any moment
and at every named fail-point, judged by a list that is kept outside of it."""

import os
import random

import pytest

from client.domain.clock import SystemClock
from client.domain.failpoint import JOURNAL_POINTS
from client.domain.record.vector import EMPTY
from client.store.repair import open_journal
from tests.fakes.memory_log import MemoryLog
from tests.fault.test_journal_kill import Writer

KILLS = int(os.environ.get("TONGKE_KILLS", "12"))
"""1,000 on demand; fewer where every push has to wait for it."""
PROGRAM = "tests.fault.log_writer"


def look(folder) -> set[bytes]:
    """Open the profile again; what is there can be given to a hub, and the hub then has it all."""
    found = open_journal(folder, SystemClock())
    assert found.notices == ()
    journal = found.journal
    journal.seal().result()
    there = {event.hash for _, event in journal.events()}
    hub = MemoryLog()
    given = journal.log.missing(EMPTY, 1 << 30)
    assert all(code.is_kept for code in hub.take(given).result())
    assert set(hub.events) == there
    assert hub.vector() == journal.log.vector()
    journal.close()
    return {name[:16] for name in there}


def test_w1_nothing_kept_is_lost_when_the_process_is_killed_at_any_moment(tmp_path):
    chance = random.Random(20270518)
    promised: set[bytes] = set()
    for number in range(KILLS):
        # A school year of kills in one file would only be slow.
        folder = tmp_path / str(number // 50)
        if number % 50 == 0:
            promised = set()
        folder.mkdir(exist_ok=True)
        writer = Writer(folder, number, program=PROGRAM)
        writer.kill_after(chance.choice([1, 2, 3, 5, 8, 13, 40]))
        promised.update(writer.acknowledged)
        if number % 5 == 4 or number == KILLS - 1:
            assert promised <= look(folder)
    assert promised


@pytest.mark.parametrize("point", [p for p in JOURNAL_POINTS if not p.startswith("repair")])
@pytest.mark.parametrize("count", [1, 3, 20])
def test_w1_a_death_at_a_named_point_loses_nothing_that_was_kept(tmp_path, point, count):
    first = Writer(tmp_path, 1, program=PROGRAM)
    first.kill_after(30)
    dying = Writer(tmp_path, 2, f"{point}:{count}", program=PROGRAM)
    dying.kill_after(150)
    assert {*first.acknowledged, *dying.acknowledged} <= look(tmp_path)
