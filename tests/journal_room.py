"""A journal in a folder of its own, for tests."""

from pathlib import Path

from client.domain.clock import Clock, FrozenClock
from client.domain.record import bodies as b
from client.store.database import Database
from client.store.journal import Journal
from client.store.keyfile import KeyFile
from client.store.own_log import Start
from client.store.schema_journal import MIGRATIONS


def make_journal(folder: Path, clock: Clock | None = None, start: Start | None = None) -> Journal:
    """Open the journal of `folder` without any repair."""
    key = KeyFile.load(folder / "journal.key") or KeyFile.create(folder / "journal.key")
    database = Database(folder / "journal.db", MIGRATIONS)
    return Journal(database, key, clock or FrozenClock(), start or Start())


def theme(value: str) -> b.SettingWritten:
    """A small register write."""
    return b.SettingWritten(name="theme", value=value)


def cue(ordinal: int) -> b.CueReached:
    """A small fact."""
    return b.CueReached(sitting=b.SittingId("00112233aabbccdd"), ordinal=ordinal)
