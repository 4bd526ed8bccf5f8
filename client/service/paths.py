"""Where things are: the profile of a room, and what comes with the program.

A profile is one folder that holds everything of one room; removing it removes the room.

    journal.db     what classes did, timetable, settings: precious; its key and copies beside it
    library.db     catalogue, search, what is held: can be deleted at any time
    roster.db      names and marks of pupils, of this machine only; not there before a name is
    blobs/         verified files by digest
    lessons/       what is known of each cached lesson, so that library.db can be made anew
    vouched/       what hubs signed of lessons that came by stick, to be passed on
    keys/          secrets, readable by their user only
    prints/        sheets on their way to a printer
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.errors import StorageError

APP: Final = "tongke"
PROFILE_VARIABLE: Final = "TONGKE_PROFILE"
ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout, or the folder a bundle was unpacked to."""
ASSETS: Final = ROOT / "assets"


@dataclass(frozen=True, slots=True)
class Profile:
    """The places of one room. Nothing is made before `prepare`."""

    folder: Path

    @property
    def library_db(self) -> Path:
        """Catalogue, search and holdings: rebuildable."""
        return self.folder / "library.db"

    @property
    def blobs(self) -> Path:
        """Verified files."""
        return self.folder / "blobs"

    @property
    def lessons(self) -> Path:
        """What is known of cached lessons, beside the database."""
        return self.folder / "lessons"

    @property
    def vouched(self) -> Path:
        """What hubs signed of lessons, to be passed on by stick."""
        return self.folder / "vouched"

    @property
    def prints(self) -> Path:
        """Sheets on their way to a printer."""
        return self.folder / "prints"

    @property
    def keys(self) -> Path:
        """Keys and secrets: nobody else may read them."""
        return self.folder / "keys"

    def prepare(self) -> "Profile":
        """Make the folders that every part expects.

        Raises:
            StorageError: `profile_unusable`: the folder cannot be made or written.
        """
        try:
            for folder in (self.folder, self.lessons):
                folder.mkdir(parents=True, exist_ok=True)
            self.keys.mkdir(mode=0o700, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(self.folder)
        except OSError as error:
            raise StorageError("profile_unusable", {"path": str(self.folder)}) from error
        return self


def profile_at(asked: Path | None = None) -> Profile:
    """Choose the profile: the one asked for, else `TONGKE_PROFILE`, else the user's own."""
    if asked is not None:
        return Profile(asked.expanduser().absolute())
    if named := os.environ.get(PROFILE_VARIABLE):
        return Profile(Path(named).expanduser().absolute())
    import appdirs  # noqa: PLC0415 - only where nothing else was said

    return Profile(Path(appdirs.user_data_dir(APP, appauthor=False)))
