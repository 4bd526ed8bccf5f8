"""A death at any moment, then the loss of one place where the key is: what is recorded can still be
signed (client.store.keyfile, K2 to K4; client.store.own_log, OL3)."""

import contextlib
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.clock import FrozenClock
from client.store import durable
from client.store.repair import KEY_COPY, KEY_FILE, open_journal
from tests.journal_room import cue
from tests.model.test_journal_model import PLACES, harm

STEPS = 30
"""More than a start, two new names and a second start take."""


class Died(BaseException):
    """The plug was pulled."""


class Disk:
    """Dies in front of one of its steps; counts them all."""

    def __init__(self, dies_at):
        self.left, self.steps = dies_at, 0

    def step(self, real):
        def call(*args):
            self.steps += 1
            if self.steps > self.left:
                raise Died
            return real(*args)

        return call


def live(folder, disk):
    """Teach, take a new name twice, teach under each, and start again."""
    with (
        patch.object(durable.os, "fsync", disk.step(durable.os.fsync)),
        patch.object(Path, "replace", disk.step(Path.replace)),
    ):
        for _ in range(2):
            journal = open_journal(folder, FrozenClock()).journal
            try:
                journal.append(cue(1)).result()
                journal._own.rotate()
                journal.append(cue(2)).result()
            finally:
                journal.close()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, STEPS), st.sampled_from(PLACES), st.booleans())
def test_k3_no_moment_and_no_place_costs_a_signature(dies_at, place, is_junk):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with contextlib.suppress(Died):
            live(folder, Disk(dies_at))
        harm(folder / place, is_junk=is_junk)
        journal = open_journal(folder, FrozenClock()).journal
        journal.append(cue(3)).result()
        journal.seal().result()
        assert unsealed(journal) == 0
        assert (folder / KEY_FILE).read_bytes() == (folder / KEY_COPY).read_bytes()
        journal.close()


def unsealed(journal):
    (row,) = journal._database.read_here(
        lambda connection: connection.execute(
            "SELECT count(*) FROM event WHERE NOT is_sealed"
        ).fetchall()
    )
    return row[0]


def test_there_are_no_more_moments_than_are_tried(tmp_path):
    disk = Disk(10**6)
    live(tmp_path, disk)
    assert disk.steps <= STEPS
