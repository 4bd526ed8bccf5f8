"""P1: what was acknowledged survives kill -9 at any moment and at every named fail-point."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from client.domain.clock import SystemClock
from client.domain.failpoint import JOURNAL_POINTS, VARIABLE
from client.domain.record.fold import Fold
from client.service.records import RecordService
from client.store.keyfile import verify
from client.store.repair import open_journal

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TONGKE_KILLS", "30"))
"""200 on demand; fewer where every push has to wait for it."""


class Writer:
    """A recording process and the observer of what it acknowledged."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        failpoint: str = "",
        program: str = "tests.fault.journal_writer",
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", program, str(folder), str(seed)],
            cwd=ROOT,
            env={**os.environ, VARIABLE: failpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.acknowledged: list[bytes] = []
        self._enough = threading.Event()
        self._wanted = 1 << 30
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            # A line that was cut off by the end was not read as a promise.
            if line.endswith("\n") and len(line) == 33:
                self.acknowledged.append(bytes.fromhex(line))
                if len(self.acknowledged) >= self._wanted:
                    self._enough.set()
        self._enough.set()

    def kill_after(self, facts: int) -> None:
        self._wanted = facts
        if len(self.acknowledged) >= facts:
            self._enough.set()
        assert self._enough.wait(60)
        self.process.kill()
        self.join()

    def join(self) -> None:
        self.process.wait(60)
        self._reader.join(60)
        self.process.stdout.close()


def look(folder: Path) -> tuple[set[bytes], Fold, list]:
    """Open the profile again: ids that are there, the fold, notices. Segments must verify."""
    found = open_journal(folder, SystemClock())
    events = [event for _, event in found.journal.events()]
    records = RecordService(found.journal, tuple)
    assert records.facts() is not None
    assert records.unfinished()
    found.journal.seal().result()
    found.journal.close()
    return {event.id for event in events}, Fold(events), [n.code for n in found.notices]


def test_p1_nothing_acknowledged_is_lost_when_the_process_is_killed_at_any_moment(tmp_path):
    chance = random.Random(20270518)
    promised: set[bytes] = set()
    for number in range(KILLS):
        writer = Writer(tmp_path, number)
        writer.kill_after(chance.choice([1, 2, 3, 5, 8, 13, 40]))
        promised.update(writer.acknowledged)
        if number % 5 == 4:
            there, fold, notices = look(tmp_path)
            assert promised <= there
            assert fold.unread == 0
            assert notices == []
    there, _, notices = look(tmp_path)
    assert promised
    assert promised <= there
    assert notices == []


@pytest.mark.parametrize("point", [p for p in JOURNAL_POINTS if not p.startswith("repair")])
@pytest.mark.parametrize("count", [1, 3])
def test_p1_a_death_at_a_named_point_loses_nothing(tmp_path, point, count):
    first = Writer(tmp_path, 1)
    first.kill_after(60)
    dying = Writer(tmp_path, 2, f"{point}:{count}")
    if point.startswith("backup"):
        dying.kill_after(250)
    else:
        dying.join()
    there, _, notices = look(tmp_path)
    assert {*first.acknowledged, *dying.acknowledged} <= there
    assert notices == []


@pytest.mark.parametrize("point", ["repair.before_rename", "repair.after_rename"])
def test_e1_a_death_in_the_middle_of_a_repair_repeats_it(tmp_path, point):
    first = Writer(tmp_path, 1)
    first.kill_after(80)
    found = open_journal(tmp_path, SystemClock())
    assert found.journal.backup().result()
    found.journal.close()
    (tmp_path / "journal.db").write_bytes(b"torn" * 5000)
    dying = Writer(tmp_path, 2, f"{point}:1")
    dying.join()
    assert dying.acknowledged == []
    there, _, _ = look(tmp_path)
    assert set(first.acknowledged) <= there
    assert verify is not None
