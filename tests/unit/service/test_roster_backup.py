"""RB1 to RB5 of roster_backup: one file that the recovery code opens, and nothing else."""

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.errors import (
    ClassroomError,
    ResourceError,
    StorageError,
    StorageFullError,
    UserError,
    VersionUnsupportedError,
)
from client.domain.recovery_code import new_code
from client.service import roster_backup
from client.service.roster_backup import Contents, read_backup, seal, unseal, write_backup

CODE, OTHER = new_code(b"twelve bytes"), new_code(b"other twelve")
NAME = "金丝雀张三丰"
CONTENTS = Contents(edition=7, image=NAME.encode() * 50)
SEALED = seal(CONTENTS, CODE, bytes(range(16)))


def code_of(data: bytes, code: str = CODE) -> str:
    with pytest.raises(ClassroomError) as caught:
        unseal(data, code)
    return caught.value.code


def again(data: bytes) -> bytes:
    """Give a changed file a digest that fits, as only a forger does."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


@settings(deadline=None)
@given(st.integers(0, 2**40), st.binary(max_size=300))
def test_the_code_opens_what_it_closed(edition: int, image: bytes) -> None:
    contents = Contents(edition=edition, image=image)
    assert unseal(seal(contents, CODE), CODE) == contents


def test_nothing_shows_without_the_code() -> None:
    """RB1"""
    assert NAME.encode() not in SEALED
    assert SEALED[-32:] == hashlib.sha256(SEALED[:-32]).digest()
    assert seal(CONTENTS, CODE) != seal(CONTENTS, CODE)
    assert code_of(SEALED, OTHER) == "roster_code_wrong"
    assert NAME not in repr(CONTENTS)


def test_each_trouble_has_its_own_name() -> None:
    """RB2"""
    assert code_of(b"") == code_of(b"%PDF-1.7 and more") == "roster_backup_unknown"
    assert code_of(SEALED[:8]) == code_of(SEALED[:60]) == "roster_backup_damaged"
    newer = SEALED[:8] + b"\x02" + SEALED[9:]
    assert code_of(newer) == "roster_backup_damaged"
    with pytest.raises(VersionUnsupportedError, match="roster_backup_too_new"):
        unseal(again(newer), CODE)


@settings(deadline=None)
@given(st.integers(8, len(SEALED) - 1), st.integers(1, 255))
def test_every_changed_byte_is_found(place: int, change: int) -> None:
    """RB2: also when somebody makes the digest fit."""
    data = bytearray(SEALED)
    data[place] ^= change
    assert code_of(bytes(data)) == "roster_backup_damaged"
    if place < len(SEALED) - 32:
        assert code_of(again(bytes(data))) in {"roster_code_wrong", "roster_backup_too_new"}


@settings(deadline=None)
@given(st.integers(8, len(SEALED) - 1))
def test_every_torn_file_is_found(length: int) -> None:
    """RB2"""
    assert code_of(SEALED[:length]) == "roster_backup_damaged"


@settings(deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_a_file_of_any_bytes_gives_an_answer(data: bytes, is_marked: bool) -> None:
    """RB2 RB3"""
    assert code_of(b"TKROSTER" + data if is_marked else data).startswith("roster_")


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RB3"""
    path = tmp_path / "huge.tongke"
    with path.open("wb") as file:
        file.write(b"TKROSTER")
        file.truncate(1 << 40)
    monkeypatch.setattr(roster_backup, "MAX_BYTES", 1 << 16)
    with pytest.raises(UserError, match="roster_backup_unknown"):
        read_backup(path, CODE)
    with pytest.raises(StorageError, match="roster_too_large"):
        seal(Contents(edition=1, image=bytes(1 << 16)), CODE)
    most = (1 << 16) - len(seal(Contents(edition=1, image=b""), CODE))
    assert unseal(seal(Contents(edition=1, image=bytes(most)), CODE), CODE).edition == 1
    with pytest.raises(UserError, match="roster_backup_unreadable"):
        read_backup(tmp_path / "absent", CODE)


def test_the_backup_before_stays(tmp_path: Path) -> None:
    """RB4"""
    first = write_backup(tmp_path, "roster-1", CONTENTS, CODE)
    newer = Contents(edition=8, image=b"more")
    assert write_backup(tmp_path, "roster-1", newer, CODE) == first
    assert read_backup(first, CODE) == newer
    assert read_backup(tmp_path / "roster-1.tongke.old", CODE) == CONTENTS
    assert len(list(tmp_path.iterdir())) == 2


def test_a_stick_that_gives_back_something_else_keeps_the_old_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RB4: sticks that claim more room than they have exist."""
    path = write_backup(tmp_path, "roster-1", CONTENTS, CODE)

    def lying(target: Path, data: bytes, *, mode: int) -> None:
        target.write_bytes(bytes(len(data)))

    monkeypatch.setattr(roster_backup, "write_file", lying)
    with pytest.raises(StorageError, match="roster_backup_not_kept"):
        write_backup(tmp_path, "roster-1", Contents(edition=8, image=b"more"), CODE)
    assert list(tmp_path.iterdir()) == [path]
    assert read_backup(path, CODE) == CONTENTS


def test_a_full_stick_keeps_the_old_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RB4"""
    path = write_backup(tmp_path, "roster-1", CONTENTS, CODE)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    for name in ("write_file", "move_file"):
        with monkeypatch.context() as patch:
            patch.setattr(roster_backup, name, full)
            with pytest.raises(StorageFullError):
                write_backup(tmp_path, "roster-1", Contents(edition=8, image=b""), CODE)
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
        assert read_backup(path, CODE) == CONTENTS


def test_what_is_not_ours_to_replace_stays(tmp_path: Path) -> None:
    """RB5"""
    first = write_backup(tmp_path, "roster-1", CONTENTS, CODE)
    with pytest.raises(UserError, match="roster_backup_newer"):
        write_backup(tmp_path, "roster-1", Contents(edition=6, image=b""), CODE)
    second = write_backup(tmp_path, "roster-1", Contents(edition=1, image=b"other"), OTHER)
    assert second != first
    assert read_backup(first, CODE) == CONTENTS
    assert read_backup(second, OTHER).edition == 1
    damaged = Contents(edition=1, image=b"other")
    first.write_bytes(SEALED[:-1])
    assert write_backup(tmp_path, "roster-1", damaged, CODE) == first
    assert (tmp_path / f"{first.name}.old").read_bytes() == SEALED[:-1]


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing there")
def test_only_its_owner_reads_a_backup(tmp_path: Path) -> None:
    path = write_backup(tmp_path, "roster-1", CONTENTS, CODE)
    assert path.stat().st_mode & 0o077 == 0


def test_errors_hold_nothing_of_the_roster() -> None:
    """RB1"""
    with pytest.raises(UserError) as caught:
        unseal(SEALED, OTHER)
    assert OTHER not in repr(caught.value)
    with pytest.raises(ResourceError) as damaged:
        unseal(SEALED[:-1], CODE)
    assert CODE not in repr(damaged.value)
