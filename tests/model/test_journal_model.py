"""The journal against a model: any run of appends, crashes, backups, damage and lost files
(client.store.journal, client.store.repair, client.store.keyfile K3, client.domain.record.fold)."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from client.domain.clock import FrozenClock
from client.domain.ids import EventId
from client.domain.record import bodies as b
from client.domain.record.event import follows
from client.domain.record.fold import Fold
from client.domain.record.segment import unseal
from client.service.room import RoomService
from client.store.keyfile import verify
from client.store.repair import KEY_COPY, KEY_FILE, open_journal
from tests.journal_room import cue

PLACES = (KEY_FILE, KEY_COPY, "keys")


def harm(path: Path, *, is_junk: bool) -> None:
    """Take a file or folder away, or leave rubbish in its place."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists() and is_junk:
        path.write_bytes(b"")
    else:
        path.unlink(missing_ok=True)


class JournalMachine(RuleBasedStateMachine):
    """`held` is what the file must hold; `backed` is what the newest backup holds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="journal-model-"))
        self.clock = FrozenClock()
        self.held: set[EventId] = set()
        self.backed: set[EventId] | None = None
        self.themes: list[str] = []
        self.journal = None
        self.gone: set[bytes] = set()
        self.is_harmed = False

    @initialize()
    def start(self) -> None:
        self.open()

    def open(self) -> list[str]:
        self.is_harmed = False
        found = open_journal(self.folder, self.clock)
        self.journal = found.journal
        # Whether this start makes a backup is decided behind it: wait, so that runs repeat.
        found.journal.backup_if_due().result()
        found.journal.backup_if_due().result()
        self.room = RoomService(self.journal)
        codes = [notice.code for notice in found.notices]
        return [code for code in codes if code != "journal_key_restored"]

    def keep(self, name: EventId) -> None:
        self.held.add(name)

    @rule(ordinal=st.integers(0, 500))
    def fact(self, ordinal) -> None:
        self.keep(self.journal.append(cue(ordinal)).result())

    @rule(value=st.sampled_from(["light", "dark", "auto"]))
    def setting(self, value) -> None:
        self.keep(self.room.set_setting("theme", value).result())
        self.themes.append(value)

    @rule()
    def seal(self) -> None:
        """Whatever is recorded can be sent, unless both files of its key were lost at once."""
        self.journal.seal().result()
        unsealed = self.journal._database.read_here(
            lambda connection: connection.execute(
                "SELECT DISTINCT public_key FROM event JOIN writer USING (wi) WHERE NOT is_sealed"
            ).fetchall()
        )
        assert {key for (key,) in unsealed} <= self.gone

    @rule()
    def back_up(self) -> None:
        assert self.journal.backup().result()
        self.backed = set(self.held)

    @rule(seconds=st.integers(-(10**9), 10**9))
    def clock_jumps(self, seconds) -> None:
        self.clock.advance(0)
        self.clock.at = FrozenClock().at.replace(year=2000 + abs(seconds) % 90)
        self.clock.seconds = max(0.0, self.clock.seconds + seconds)

    @rule()
    def restart(self) -> None:
        self.journal.close()
        assert self.open() == []

    @rule()
    def power_cut(self) -> None:
        """The file and its write-ahead log as they are at this moment, nothing closed."""
        image = self.folder.with_name(self.folder.name + "-image")
        shutil.copytree(self.folder, image)
        self.journal.close()
        shutil.rmtree(self.folder)
        image.rename(self.folder)
        assert self.open() == []

    @rule(at=st.floats(0.1, 1.0))
    @precondition(lambda self: self.backed is not None)
    def damage(self, at) -> None:
        self.journal.close()
        path = self.folder / "journal.db"
        data = bytearray(path.read_bytes())
        begin = min(int(len(data) * at), len(data) - 1)
        data[begin : begin + 5000] = b"\x00" * len(data[begin : begin + 5000])
        path.write_bytes(data)
        self.open()
        self.lost_since_backup()

    @rule()
    @precondition(lambda self: self.backed is not None)
    def file_is_lost(self) -> None:
        self.journal.close()
        (self.folder / "journal.db").unlink()
        assert self.open()[0] == "journal_missing"
        self.lost_since_backup()

    @rule()
    def key_is_lost(self) -> None:
        """Both files at once: what was not signed with it never will be."""
        self.gone.add(self.journal.signer.public_key)
        self.journal.close()
        for place in PLACES:
            harm(self.folder / place, is_junk=False)
        assert self.open() == ["journal_key_new"]

    @rule(place=st.sampled_from(PLACES), is_junk=st.booleans())
    @precondition(lambda self: self.journal is not None and not self.is_harmed)
    def one_key_file_is_lost(self, place, is_junk) -> None:
        """While the program runs, and before it starts again."""
        self.is_harmed = True
        harm(self.folder / place, is_junk=is_junk)

    def lost_since_backup(self) -> None:
        """What no whole file held may be gone; all that was backed up must be there."""
        there = {event.id for _, event in self.journal.events()}
        assert self.backed <= there
        self.held &= there
        self.themes = [self.room.snapshot().settings.theme.value]

    @invariant()
    def everything_acknowledged_is_there(self) -> None:
        if self.journal is None:
            return
        events = [event for _, event in self.journal.events()]
        assert self.held <= {event.id for event in events}
        fold = Fold(events)
        assert fold.unread == 0
        own = [event for event in events if event.writer == self.journal.writer]
        before = None
        for event in own:
            assert follows(event, before)
            before = event
        if self.themes:
            assert self.room.snapshot().settings.theme.value == self.themes[-1]
        assert self.room.snapshot().conflicts == ()

    @invariant()
    def segments_hold(self) -> None:
        if self.journal is not None:
            keys = {body.public_key for _, body in self.incarnations()}
            for data in self.journal.segments():
                assert any(self.holds(data, key) for key in keys)

    def incarnations(self):
        events = (event for _, event in self.journal.events())
        return Fold(events).facts_of(b.Incarnation)

    def holds(self, data, key) -> bool:
        try:
            return bool(unseal(data, lambda _: key, verify).events)
        except Exception:  # noqa: BLE001 - another key of the same room
            return False

    def teardown(self) -> None:
        if self.journal is not None:
            self.journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)


JournalMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestJournal = JournalMachine.TestCase
