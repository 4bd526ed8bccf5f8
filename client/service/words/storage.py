"""What is said of the room that lessons take."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "storage.title": "Room on this PC",
    "storage.used": "{used} of {total} used",
    "storage.coming": "{size} for the next ten school days",
    "storage.pinned": "{size} pinned",
    "storage.other": "{size} that stays besides",
    "storage.may_go": "{size} that may go",
    "storage.rest": "{size} of other files",
    "storage.nothing_to_free": "Nothing here may go.",
    "storage.free": "Free {size}",
    "storage.free_sure": (
        "{n} lesson goes, {size}. It can be fetched again.",
        "{n} lessons go, {size}. They can be fetched again.",
    ),
    "storage.free_now": "Let them go",
    "storage.stay": "Keep them",
    "storage.freed": "{size} is free now.",
    "storage.quota": "Lessons may take",
    "storage.quota_none": "no limit",
    "storage.floor": "and leave free",
    "storage.floor_auto": "by the disk",
    "storage.no_book": "Without a textbook",
    "storage.lessons": (
        "{n} lesson",
        "{n} lessons",
    ),
    "storage.more": "Show the lessons of {book}",
    "storage.less": "Hide the lessons of {book}",
    "storage.pin": "Pin",
    "storage.unpin": "Unpin",
    "storage.stays_teaching": "Stays: a class on it is not over",
    "storage.stays_coming": "Stays: taught within ten school days",
    "storage.stays_pinned": "Stays: pinned",
    "storage.stays_wanted": "Stays: on its way",
    "storage.stays_only_copy": "Stays: no source gives it again",
    "storage.withdrawn": "May go first: withdrawn",
    "storage.never_used": "May go: never taught here",
    "storage.long_unused": "May go: taught a while ago",
}
