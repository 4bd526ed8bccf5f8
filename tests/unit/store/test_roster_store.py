"""RS1 to RS7 of roster_store."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from client.domain.errors import (
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageTooNewError,
    UserError,
)
from client.domain.ids import ClassId
from client.domain.roster import Mark, MarkKind, Pupil, PupilId
from client.store import roster_store
from client.store.roster_store import FILE, LOCK_FILE, RosterStore

C3, C5 = ClassId("c3"), ClassId("c5")
NAME = "金丝雀张三丰"


def pupil(number: int, name: str = NAME, *, is_present: bool = True) -> Pupil:
    return Pupil(
        id=PupilId(f"p{number}"), position=number, name=f"{name}{number}", is_present=is_present
    )


def mark(number: int, value: str = "5") -> Mark:
    return Mark(
        class_id=C3, pupil=PupilId(f"p{number}"), kind=MarkKind.SCORE, value=value, day="5-18"
    )


@pytest.fixture
def store(tmp_path: Path):
    made = RosterStore(tmp_path)
    yield made
    made.close()


def fill(store: RosterStore, count: int = 3) -> tuple[Pupil, ...]:
    return store.change(C3, lambda _: [pupil(n) for n in range(1, count + 1)])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the file ----------------------------------------------------------------------------


def test_a_room_that_wants_none_has_no_file(tmp_path: Path, store: RosterStore) -> None:
    """RS1"""

    def refuse(_: tuple[Pupil, ...]) -> list[Pupil]:
        raise UserError("roster_empty")

    assert store.about() is None
    assert store.pupils(C3) == store.marks(C3) == store.beside() == ()
    assert store.image() == b""
    assert store.drop(C3) == 0
    assert store.change(C3, lambda _: []) == ()
    with pytest.raises(UserError, match="roster_empty"):
        store.change(C3, refuse)
    with pytest.raises(UserError, match="pupil_unknown"):
        store.add_mark(mark(1))
    assert files(tmp_path) == set()


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing there")
def test_only_its_owner_reads_what_is_there(tmp_path: Path, store: RosterStore) -> None:
    """RS2"""
    before = os.umask(0)
    try:
        fill(store)
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert found.keys() >= {FILE, f"{FILE}-wal", LOCK_FILE}
        assert set(found.values()) == {0o600}
        store.close()
        (tmp_path / FILE).chmod(0o644)
        store.replace(store.image())
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {0o600}
    finally:
        os.umask(before)


def test_a_folder_that_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        fill(RosterStore(tmp_path / "gone"))


# --- lists and marks ---------------------------------------------------------------------


def test_classes_are_kept_apart_and_nobody_is_removed(store: RosterStore) -> None:
    """RS4"""
    first = fill(store, 2)
    store.change(C5, lambda _: [pupil(7)])
    assert store.pupils(C3) == first
    assert store.change(C3, lambda _: [pupil(3)]) == (*first, pupil(3))
    away = pupil(1, is_present=False)
    assert store.change(C3, lambda _: [away])[-1] == away
    about = store.about()
    assert about is not None
    assert (about.edition, about.pupils) == (4, 4)
    assert store.change(C3, lambda before: before)[-1] == away
    assert store.about() == about


def test_what_is_refused_changes_nothing(store: RosterStore) -> None:
    """RS4"""
    before = fill(store)

    def refuse(_: tuple[Pupil, ...]) -> list[Pupil]:
        raise UserError("roster_order")

    with pytest.raises(UserError, match="roster_order"):
        store.change(C3, refuse)
    assert store.pupils(C3) == before


def test_marks_belong_to_pupils_of_the_class(store: RosterStore) -> None:
    fill(store, 2)
    for one in (mark(1), mark(2), mark(1, "4")):
        store.add_mark(one)
    assert store.marks(C3) == (mark(1), mark(2), mark(1, "4"))
    assert store.marks(C5) == ()
    with pytest.raises(UserError, match="pupil_unknown"):
        store.add_mark(mark(9))
    assert store.drop(C3) == 2
    assert store.marks(C3) == ()


def test_dropped_names_are_nowhere_in_the_files(tmp_path: Path, store: RosterStore) -> None:
    """RS7"""
    fill(store, 150)
    store.change(C5, lambda _: [Pupil(id=PupilId("q1"), position=1, name="留下")])
    store.add_mark(mark(1, f"{NAME}说得好"))
    assert NAME.encode() in (tmp_path / f"{FILE}-wal").read_bytes()
    assert store.drop(C3) == 150
    assert all(NAME.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    assert [one.name for one in store.pupils(C5)] == ["留下"]


# --- damage ------------------------------------------------------------------------------


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_database(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def no_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE mark")
    connection.close()


def two_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()


def nothing_said(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM about")
    connection.close()


def false_count(path: Path) -> None:
    """Pages that are said to be free and are not there: every row can still be read."""
    data = bytearray(path.read_bytes())
    data[36:40] = (5).to_bytes(4, "big")
    path.write_bytes(data)


DAMAGE = (false_count, scribble, empty, no_database, no_table, two_tables, nothing_said)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_set_aside_whole(tmp_path: Path, damage) -> None:
    """RS3"""
    store = RosterStore(tmp_path)
    fill(store, 150)
    store.close()
    damage(tmp_path / FILE)
    damaged = (tmp_path / FILE).read_bytes()
    assert store.about() is None
    assert store.set_aside == tmp_path / f"{FILE}.damaged-1"
    assert store.set_aside.read_bytes() == damaged
    assert store.beside() == (store.set_aside,)
    assert not (tmp_path / FILE).exists()
    fill(store, 1)
    assert [one.name for one in store.pupils(C3)] == [f"{NAME}1"]
    store.close()


def test_what_belongs_to_a_damaged_file_goes_with_it(tmp_path: Path) -> None:
    """RS3: a log left behind would be taken for that of the next file."""
    store = RosterStore(tmp_path)
    fill(store)
    wal = (tmp_path / f"{FILE}-wal").read_bytes()
    store.close()
    empty(tmp_path / FILE)
    (tmp_path / f"{FILE}-wal").write_bytes(wal)
    (tmp_path / f"{FILE}.damaged-1").write_bytes(b"from before")
    assert store.pupils(C3) == ()
    assert (tmp_path / f"{FILE}.damaged-2-wal").read_bytes() == wal
    assert (tmp_path / f"{FILE}.damaged-1").read_bytes() == b"from before"
    assert len(store.beside()) == 2
    fill(store, 1)
    assert len(store.pupils(C3)) == 1
    store.close()


def test_a_file_of_a_newer_program_is_not_touched(tmp_path: Path) -> None:
    store = RosterStore(tmp_path)
    fill(store)
    store.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    for _ in range(2):
        with pytest.raises(StorageTooNewError):
            store.pupils(C3)
    with pytest.raises(StorageTooNewError):
        store.replace(before)
    store.close()
    assert (tmp_path / FILE).read_bytes() == before
    assert store.beside() == ()


def test_a_disk_that_refuses_is_no_damage(tmp_path: Path, monkeypatch) -> None:
    """RS3: nothing is set aside for it."""
    store = RosterStore(tmp_path)
    fill(store)
    store.close()

    def full(_: sqlite3.Connection) -> bool:
        raise StorageFullError("disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(roster_store, "_is_sound", full)
        with pytest.raises(StorageFullError):
            store.pupils(C3)
    assert len(store.pupils(C3)) == 3
    store.close()


# --- another process ---------------------------------------------------------------------


def test_a_file_that_somebody_has_open_is_not_moved(tmp_path: Path, store: RosterStore) -> None:
    """RS6"""
    fill(store)
    image = store.image()
    other = RosterStore(tmp_path)
    assert len(other.pupils(C3)) == 3
    with pytest.raises(StorageError, match="roster_in_use"):
        other.replace(image)
    assert other.beside() == ()
    store.close()
    other.close()
    assert other.replace(image).kept is not None
    other.close()


def test_while_a_file_is_moved_nobody_opens_it(tmp_path: Path, store: RosterStore) -> None:
    """RS6"""
    fill(store)
    other = RosterStore(tmp_path)
    with store._alone(), pytest.raises(StorageError, match="roster_in_use"):
        other.pupils(C3)
    assert len(other.pupils(C3)) == 3
    other.close()


def test_two_windows_may_use_it_at_once(tmp_path: Path, store: RosterStore) -> None:
    """RS4"""
    fill(store)
    other = RosterStore(tmp_path)
    other.change(C3, lambda before: [*before, pupil(9)])
    assert len(store.pupils(C3)) == 4
    other.close()


# --- restoring ---------------------------------------------------------------------------


def test_a_restored_roster_keeps_the_present_one_beside_it(tmp_path: Path) -> None:
    """RS5"""
    store = RosterStore(tmp_path)
    fill(store, 2)
    image = store.image()
    newer = store.change(C3, lambda before: [*before, pupil(9)])
    about = store.about()
    replaced = store.replace(image)
    assert replaced.about == about
    assert len(store.pupils(C3)) == 2
    assert replaced.kept == tmp_path / f"{FILE}.replaced-1"
    assert store.replace(replaced.kept.read_bytes()).kept == tmp_path / f"{FILE}.replaced-2"
    assert store.pupils(C3) == newer
    assert store.set_aside is None
    store.close()
    assert f"{FILE}.restoring" not in files(tmp_path)


def test_an_empty_machine_and_a_damaged_one_take_a_roster(tmp_path: Path) -> None:
    """RS3 RS5"""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    source, target = RosterStore(here), RosterStore(there)
    whole = fill(source)
    replaced = target.replace(source.image())
    assert (replaced.about, replaced.kept) == (None, None)
    assert target.pupils(C3) == whole
    target.close()
    scribble(there / FILE)
    target.replace(source.image())
    assert target.pupils(C3) == whole
    assert target.set_aside is not None
    source.close()
    target.close()


@pytest.mark.parametrize("image", [b"", b"no database" * 1000])
def test_what_is_no_roster_replaces_nothing(tmp_path: Path, image: bytes) -> None:
    """RS5"""
    store = RosterStore(tmp_path)
    whole = fill(store)
    with pytest.raises(StorageCorruptError):
        store.replace(image)
    assert store.pupils(C3) == whole
    assert store.beside() == ()
    assert f"{FILE}.restoring" not in files(tmp_path)
    store.close()


# --- any order ---------------------------------------------------------------------------


class Teacher(RuleBasedStateMachine):
    """Any order of changes, restarts, damage and restores, against a list kept outside."""

    @initialize(folder=st.builds(lambda: None))
    def begin(self, folder: None) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = RosterStore(Path(self.folder.name))
        self.known: dict[str, Pupil] = {}
        self.images: list[tuple[bytes, dict[str, Pupil]]] = []
        self.is_made = False

    @rule(numbers=st.lists(st.integers(1, 9), min_size=1, max_size=4), is_present=st.booleans())
    def write(self, numbers: list[int], is_present: bool) -> None:
        new = [pupil(n, is_present=is_present) for n in set(numbers)]
        self.store.change(C3, lambda _: new)
        self.known |= {one.id: one for one in new}
        self.is_made = True

    @rule()
    def restart(self) -> None:
        self.store.close()

    @rule()
    def drop(self) -> None:
        assert self.store.drop(C3) == len(self.known)
        self.known = {}

    @rule()
    def back_up(self) -> None:
        if self.is_made:
            self.images.append((self.store.image(), dict(self.known)))

    @rule()
    def lose(self) -> None:
        self.store.close()
        if self.is_made:
            no_database(Path(self.folder.name) / FILE)
            self.known, self.is_made = {}, False
            assert self.store.about() is None

    @rule(which=st.integers(0, 9))
    def restore(self, which: int) -> None:
        if self.images:
            image, known = self.images[which % len(self.images)]
            replaced = self.store.replace(image)
            assert (replaced.kept is not None) is self.is_made
            self.known, self.is_made = dict(known), True

    @invariant()
    def the_list_is_what_was_written(self) -> None:
        assert {one.id: one for one in self.store.pupils(C3)} == self.known

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestTeacher = Teacher.TestCase
TestTeacher.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
