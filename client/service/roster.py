"""The roster: names and marks of pupils, for the teacher of this room alone.

Nothing here is an event, a setting or a line of a log. `sync`, the record and 体检 may not import
this module, not even through others (pyproject.toml); the composition root hands it to whoever
needs it.

Invariants:
  RV1  Any thread may ask; nothing blocks the caller, and what is asked is done in that order.
  RV2  What an answer acknowledges is durable.
  RV3  The recovery code is made with the first list, kept where secrets are, and shown to whoever
       took the list in; a backup needs nobody to type it. If it is lost, the next list or backup
       makes another and shows it.
  RV4  After a restore the code that opened the backup is this machine's own.
"""

import secrets
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Final

from client.domain import roster as rules
from client.domain.errors import ResourceError, StorageCorruptError, UserError
from client.domain.ids import ClassId
from client.domain.recovery_code import ENTROPY_BYTES, new_code, read_code
from client.domain.roster import ListWords, Mark, MarkKind, Pupil, PupilId
from client.domain.timetable_paste import fold
from client.service.paths import ASSETS, Profile
from client.service.roster_backup import Contents, read_backup, write_backup
from client.service.secrets import Keyring, SecretText, system_keyring
from client.store.disk import disk_errors
from client.store.roster_store import About, RosterStore

CODE_FILE: Final = "roster-code.txt"
_ACCOUNT: Final = "roster-code"
_MOST_BYTES: Final = 4 << 20

__all__ = ["Mark", "MarkKind", "Pupil", "PupilId", "RosterService"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A list that was taken."""

    pupils: tuple[Pupil, ...]
    added: int
    left: int
    """Pupils who were in the class and are not in the list."""
    duplicates: tuple[tuple[int, ...], ...]
    """Positions of equal names."""
    new_code: str = field(default="", repr=False)
    """The recovery code if it was made just now: to be printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A backup that was written, read back and opened."""

    path: Path
    size_bytes: int
    pupils: int
    is_same_disk: bool
    """It lies on the disk of the profile: it dies with it."""
    new_code: str = field(default="", repr=False)
    """See `Imported`; not empty if the machine had lost its code, or had none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A roster that came back."""

    pupils: int
    kept: Path | None
    """Where the roster is that was here before."""
    is_older: bool
    """The one that was here before knew of more changes to the same roster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A class whose names are gone from the roster."""

    pupils: int
    beside: tuple[Path, ...]
    """Older files that were set aside here and may still hold them."""


class RosterService:
    """See the module. Making one reads nothing; a room without a roster never has a file.

    Args:
        profile: Where the roster lives.
        find_keyring: See `SecretText`.
    """

    def __init__(
        self, profile: Profile, find_keyring: Callable[[], Keyring | None] = system_keyring
    ) -> None:
        self._folder: Final = profile.folder
        self._store: Final = RosterStore(profile.folder)
        self._code: Final = SecretText(profile.keys / CODE_FILE, _ACCOUNT, find_keyring)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="roster")

    # --- the list ------------------------------------------------------------------------

    def pupils(self, class_id: ClassId) -> Future[tuple[Pupil, ...]]:
        """Give a class in order, those who left last."""
        return self._worker.submit(self._store.pupils, class_id)

    def import_text(self, class_id: ClassId, text: str) -> Future[Imported]:
        """Make the class what a pasted list says; fails as `parse_names` does."""
        return self._worker.submit(self._import, class_id, lambda: text)

    def import_file(self, class_id: ClassId, path: Path) -> Future[Imported]:
        """Make the class what a file says: text or CSV, in UTF-8 or GB 18030.

        The future fails with `UserError("roster_unreadable")`, or as `decode_list` and
        `parse_names` do.
        """
        return self._worker.submit(self._import, class_id, partial(_read_list, path))

    def add(self, class_id: ClassId, name: str) -> Future[tuple[Pupil, ...]]:
        """Put a new pupil at the end of a class; fails as `client.domain.roster.added` does."""
        return self._change(class_id, lambda pupils: rules.added(pupils, name, _new_id()))

    def rename(self, class_id: ClassId, who: PupilId, name: str) -> Future[tuple[Pupil, ...]]:
        """Change a name; fails as `client.domain.roster.renamed` does."""
        return self._change(class_id, lambda pupils: rules.renamed(pupils, who, name))

    def set_present(
        self, class_id: ClassId, who: PupilId, *, is_present: bool
    ) -> Future[tuple[Pupil, ...]]:
        """Let a pupil leave or come back; name and marks are kept either way."""
        return self._change(
            class_id, lambda pupils: rules.moved(pupils, who, is_present=is_present)
        )

    def reorder(self, class_id: ClassId, order: Sequence[PupilId]) -> Future[tuple[Pupil, ...]]:
        """Give those who are present new numbers; fails as `roster.reordered` does."""
        return self._change(class_id, lambda pupils: rules.reordered(pupils, tuple(order)))

    def drop(self, class_id: ClassId) -> Future[Dropped]:
        """Delete a class's names and marks for good."""
        return self._worker.submit(self._drop, class_id)

    # --- marks ---------------------------------------------------------------------------

    def add_mark(self, mark: Mark) -> Future[None]:
        """Keep a mark. The future fails with `pupil_unknown` or `value_does_not_fit`."""
        return self._worker.submit(lambda: self._store.add_mark(rules.checked_mark(mark)))

    def marks(self, class_id: ClassId) -> Future[tuple[Mark, ...]]:
        """Give the marks of a class, oldest first."""
        return self._worker.submit(self._store.marks, class_id)

    # --- care ----------------------------------------------------------------------------

    def recovery_code(self) -> Future[str]:
        """Give the code that opens backups. `UserError("roster_none")` without a roster."""
        return self._worker.submit(self._known_code)

    def back_up(self, folder: Path) -> Future[BackedUp]:
        """Write a sealed backup into a folder on a stick or another partition.

        The future fails with `UserError`: `roster_none`, `roster_backup_folder`,
        `roster_backup_newer`; with `StorageError` if the disk refuses.
        """
        return self._worker.submit(self._back_up, folder)

    def restore(self, path: Path, code: str) -> Future[Restored]:
        """Take a backup's roster in the place of the present one, which is kept beside it.

        The future fails as `read_code`, `read_backup` and `RosterStore.replace` do.
        """
        return self._worker.submit(self._restore, path, code)

    def set_aside(self) -> Future[Path | None]:
        """Tell where a damaged roster was put since this service was made."""
        return self._worker.submit(lambda: self._store.set_aside)

    def close(self) -> None:
        """Do what was asked, then close. Idempotent."""
        self._worker.shutdown(wait=True)
        self._store.close()

    # --- on the worker -------------------------------------------------------------------

    def _change(
        self, class_id: ClassId, decide: Callable[[tuple[Pupil, ...]], Sequence[Pupil]]
    ) -> Future[tuple[Pupil, ...]]:
        return self._worker.submit(self._store.change, class_id, decide)

    def _import(self, class_id: ClassId, read: Callable[[], str]) -> Imported:
        names = rules.parse_names(read(), list_words())
        before: dict[PupilId, Pupil] = {}

        def decide(pupils: tuple[Pupil, ...]) -> tuple[Pupil, ...]:
            before.update((pupil.id, pupil) for pupil in pupils)
            return rules.relisted(pupils, names, _new_id)

        after = self._store.change(class_id, decide)
        return Imported(
            pupils=after,
            added=sum(pupil.id not in before for pupil in after),
            left=sum(not p.is_present and before[p.id].is_present for p in after),
            duplicates=names.duplicates,
            new_code=self._ensure_code(),
        )

    def _drop(self, class_id: ClassId) -> Dropped:
        return Dropped(pupils=self._store.drop(class_id), beside=self._store.beside())

    def _ensure_code(self) -> str:
        """Make the recovery code if there is none; returns it only if it was made (RV3)."""
        if self._kept_code():
            return ""
        code = new_code(secrets.token_bytes(ENTROPY_BYTES))
        self._code.save(code)
        return code

    def _known_code(self) -> str:
        self._about()
        return self._ensure_code() or self._kept_code()

    def _kept_code(self) -> str:
        """Give the code that is kept; one that nobody could type counts as lost."""
        try:
            return read_code(self._code.load())
        except UserError:
            return ""

    def _about(self) -> About:
        about = self._store.about()
        if about is None or not about.pupils:
            raise UserError("roster_none")
        return about

    def _back_up(self, folder: Path) -> BackedUp:
        about = self._about()
        if not folder.is_dir():
            raise UserError("roster_backup_folder", {"folder": folder.name})
        fresh_code = self._ensure_code()
        code = fresh_code or self._kept_code()
        contents = Contents(edition=about.edition, image=self._store.image())
        path = write_backup(folder, f"roster-{about.id}", contents, code)
        with disk_errors():
            is_same_disk = folder.stat().st_dev == self._folder.stat().st_dev
            size_bytes = path.stat().st_size
        return BackedUp(
            path=path,
            size_bytes=size_bytes,
            pupils=about.pupils,
            is_same_disk=is_same_disk,
            new_code=fresh_code,
        )

    def _restore(self, path: Path, typed: str) -> Restored:
        code = read_code(typed)
        contents = read_backup(path, code)
        try:
            replaced = self._store.replace(contents.image)
        except StorageCorruptError as error:
            raise ResourceError("roster_backup_damaged") from error
        self._code.save(code)
        about, before = self._store.about(), replaced.about
        is_same = about is not None and before is not None and before.id == about.id
        return Restored(
            pupils=about.pupils if about is not None else 0,
            kept=replaced.kept,
            is_older=is_same and before is not None and before.edition > contents.edition,
        )


@cache
def list_words(path: Path = ASSETS / "roster.toml") -> ListWords:
    """Read the words that head lists. Kept: the file does not change while running."""
    head = tomllib.loads(path.read_text(encoding="utf-8"))["head"]
    return ListWords(
        names=frozenset(fold(word) for word in head["name"]),
        numbers=frozenset(fold(word) for word in head["number"]),
    )


def _new_id() -> PupilId:
    return PupilId(secrets.token_hex(8))


def _read_list(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError("roster_unreadable", {"file": path.name}) from error
    if len(data) > _MOST_BYTES:
        raise UserError("roster_unreadable", {"file": path.name})
    return rules.decode_list(data)
