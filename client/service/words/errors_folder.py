"""Why something in a folder was not taken, and what to do."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.folder_missing": "There is no folder {path}",
    "hint.folder_missing": "Plug the disk in again, or choose another folder",
    "error.file_unreadable": "{name} cannot be read",
    "hint.file_unreadable": "Copy it from its source again",
    "error.file_changes": "{name} is still being written",
    "hint.file_changes": "Wait until it is complete, then import again",
    "rejected.kind_unknown": "not a film, sound, picture or PDF",
    "rejected.is_link": "only a link to another place",
    "rejected.unreadable": "cannot be read",
    "rejected.empty": "empty",
    "rejected.too_large": "too large",
    "rejected.too_many_files": "too many files in one folder; choose a smaller one",
    "rejected.too_deep": "too many folders inside each other",
    "rejected.file_changes": "still being written; import it again later",
    "rejected.description_broken": "its description is broken; the names of the files were used",
    "rejected.not_the_file": "its content is not what its name says",
    "rejected.file_unreadable": "cannot be read",
}
