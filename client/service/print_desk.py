"""Makes sheets to print, one after the other, off the GUI thread.

Invariants:
  PD1  Whatever a catalogue calls a lesson, its sheet is a file in the folder asked for.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from client.domain.catalogue import Lesson
from client.domain.cues import default_cues
from client.domain.errors import UserError
from client.domain.ids import ClassId, LessonId
from client.service.api import LessonDetail
from client.service.room import RoomService
from client.service.text import Words
from client.store.sidecar import file_name


def sheet_name(lesson: LessonId, what: str) -> str:
    """Name the file of a sheet (PD1)."""
    return f"{Path(file_name(lesson)).stem}-{what}.pdf"


class PrintDesk:
    """Any thread may ask; `close` waits for what is being made.

    Args:
        room: Gives headcounts.
        detail: Reads one lesson with its files.
        lesson: Reads one lesson of the catalogue.
    """

    def __init__(
        self,
        room: RoomService,
        detail: Callable[[LessonId], LessonDetail],
        lesson: Callable[[LessonId], Lesson | None],
    ) -> None:
        self._room: Final = room
        self._detail: Final = detail
        self._lesson: Final = lesson
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="print")

    def make(
        self, lesson: LessonId, what: str, folder: Path, words: Words, class_id: ClassId | None
    ) -> Future[Path]:
        """Make `task`, `steps` or `slides` of a lesson in `folder`; task sheets for all pupils.

        The future fails as `client.service.print_kit.print_pdf` does.
        """
        return self._worker.submit(self._make, lesson, what, folder, words, class_id)

    def close(self) -> None:
        """Finish and stop."""
        self._worker.shutdown(wait=True)

    def _make(
        self, lesson: LessonId, what: str, folder: Path, words: Words, class_id: ClassId | None
    ) -> Path:
        from client.service.print_kit import Sheet, print_pdf  # noqa: PLC0415 - heavy

        groups = {group.id: group for group in self._room.snapshot().classes}
        group = groups.get(class_id) if class_id is not None else None
        known = self._lesson(lesson)
        if known is None:
            raise UserError("lesson_unknown", {"id": lesson})
        folder.mkdir(parents=True, exist_ok=True)
        return print_pdf(
            Sheet(what),
            self._detail(lesson),
            folder / sheet_name(lesson, what),
            words=words,
            cues=default_cues(known),
            copies=max(1, group.headcount) if group is not None else 1,
        )
