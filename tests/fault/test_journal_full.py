"""P1 on a full disk: what was committed stays readable, the rest says so, and recording goes on
when there is room again (client.store.journal, repair and ballast on a real, tiny file system)."""

import os
import subprocess
import sys

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError, StorageFullError
from client.domain.record import bodies as b
from client.domain.record.event import follows
from client.service.keeping import Keeping
from client.store.ballast import Ballast
from client.store.database import quick_check
from client.store.repair import open_journal
from tests.journal_room import cue, make_journal

NOTE = "余" * 2000


def note(number: int) -> b.NoteWritten:
    return b.NoteWritten(
        note=number.to_bytes(8),
        sitting=b.SittingId(""),
        class_ids=(),
        lesson=None,
        text=NOTE,
    )


def fill(journal) -> list:
    """Record until the disk refuses; returns the ids that were acknowledged."""
    names = []
    with pytest.raises(StorageError) as caught:
        names.extend(journal.append(note(number)).result() for number in range(5000))
    assert isinstance(caught.value, StorageFullError)
    assert caught.value.code == "disk_full"
    return names


def check_whole(journal, names) -> None:
    events = [event for _, event in journal.events()]
    assert {*names} <= {event.id for event in events}
    before = None
    for event in events:
        assert follows(event, before)
        before = event


@pytest.fixture
def tiny(tmp_path):
    """A file system of 2 MB."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("needs root to mount a tiny file system")
    folder = tmp_path / "tiny"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False
    )
    if made.returncode != 0:
        pytest.skip("may not mount a tiny file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_committed_and_goes_on_with_room(tiny):
    other = tiny / "other"
    other.write_bytes(bytes(1_200_000))
    journal = make_journal(tiny)
    names = fill(journal)
    assert len(names) > 10
    check_whole(journal, names)
    with pytest.raises(StorageFullError):
        journal.append(note(9999)).result()
    other.unlink()
    names.append(journal.append(cue(1)).result())
    check_whole(journal, names)
    journal.close()
    assert quick_check(tiny / "journal.db")
    found = open_journal(tiny, FrozenClock())
    assert found.notices == ()
    check_whole(found.journal, names)
    found.journal.close()


def test_j7_ba2_the_ballast_is_given_up_and_recording_goes_on(tiny):
    journal = make_journal(tiny)
    ballast = tiny / "ballast"
    ballast.write_bytes(bytes(100_000))
    names = [journal.append(note(number)).result() for number in range(20)]
    (tiny / "other").write_bytes(bytes(room_left(tiny)))
    names.extend(journal.append(note(number)).result() for number in range(20, 22))
    assert not ballast.exists()
    check_whole(journal, names)
    names += fill(journal)
    check_whole(journal, names)
    journal.close()


def test_e1_a_start_on_a_full_disk_gives_up_the_ballast_and_says_so(tiny):
    journal = make_journal(tiny)
    names = [journal.append(note(number)).result() for number in range(20)]
    journal.close()
    (tiny / "ballast").write_bytes(bytes(100_000))
    (tiny / "other").write_bytes(bytes(room_left(tiny)))
    found = open_journal(tiny, FrozenClock())
    assert [notice.code for notice in found.notices] == ["disk_full"]
    names.append(found.journal.append(cue(1)).result())
    check_whole(found.journal, names)
    found.journal.close()


def test_e1_a_disk_too_full_to_begin_refuses(tiny):
    (tiny / "other").write_bytes(bytes(room_left(tiny)))
    with pytest.raises((StorageError, OSError)):
        open_journal(tiny, FrozenClock())


def test_ba1_ballast_is_laid_only_where_there_is_plenty(tiny, tmp_path):
    small = Ballast(path=tmp_path / "ballast", size_bytes=2 << 20)
    assert not small.drop()
    assert small.lay()
    assert small.lay()
    assert small.path.stat().st_size == 2 << 20
    assert small.drop()
    assert not Ballast(path=tiny / "ballast").lay()
    assert not Ballast(path=tiny / "ballast", size_bytes=1 << 19).lay()
    assert not Ballast(path=tiny / "none" / "ballast").lay()
    assert not list(tiny.iterdir())


def test_a_disk_too_full_for_a_backup_leaves_the_journal_and_older_backups_alone(tiny):
    journal = make_journal(tiny)
    names = [journal.append(note(number)).result() for number in range(10)]
    assert journal.backup().result()
    (tiny / "ballast").write_bytes(bytes(max(0, room_left(tiny) - 8192)))
    with pytest.raises((StorageError, OSError)):
        journal.backup().result()
    assert journal.health().backups == 1
    assert not list(tiny.glob("journal.backup-new*"))
    check_whole(journal, names)
    journal.close()


def room_left(folder) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def test_a_file_that_may_not_grow_refuses_with_the_same_words(tmp_path):
    """Runs without root: SQLite's own limit gives the same answer as a full disk."""
    journal = make_journal(tmp_path)
    journal._database.write(lambda c: c.execute("PRAGMA max_page_count = 120")).result()
    names = fill(journal)
    check_whole(journal, names)
    journal._database.write(lambda c: c.execute("PRAGMA max_page_count = 100000")).result()
    names.append(journal.append(cue(1)).result())
    check_whole(journal, names)
    journal.close()


def test_j8_a_refusal_is_known_until_the_disk_takes_something_again(tiny):
    """The banner of KE2: it stands while nothing can be kept, and goes by itself."""
    other = tiny / "other"
    other.write_bytes(bytes(1_200_000))
    journal = make_journal(tiny)
    hubs = Keeping(journal, lambda: 0)
    try:
        assert journal.refusal == ""
        fill(journal)
        for _ in range(3):
            assert [one.variant for one in hubs.look().result()] == ["full"]
        assert journal.refusal == "disk_full"
        other.unlink()
        # There is room for records again, but far from plenty of it.
        assert [one.variant for one in hubs.look().result()] == ["low"]
        assert journal.refusal == ""
        assert not [name for name in journal.local() if "trial" in name]
    finally:
        hubs.close()
        journal.close()
