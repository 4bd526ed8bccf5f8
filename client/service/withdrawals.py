"""Lessons that must no longer be used, in this room: grace, the class that is open, and the purge.

What is listed is in library.db, which may be deleted; since when, and what was said of lessons
that are here, stands in local rows, so that a lesson does not come back with a new library.db.

Invariants:
  WS1  Nothing of a lesson stays once its grace is over and no class is open on it; a look that was
       cut off goes on at the next one.
  WS2  A grace begins when the room first hears of a withdrawal, and only then; a lesson that comes
       again after its grace goes at once.
  WS3  A class that was never ended counts as open for a day of running time, no longer: nobody
       goes on with it then.
"""

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from client.domain.catalogue import display_title
from client.domain.errors import StorageError
from client.domain.ids import LessonId, SourceId
from client.domain.withdrawal import (
    RUN_MS_A_DAY,
    Counted,
    Standing,
    Withdrawal,
    classes_left,
    ran,
    standing,
    strictest,
)
from client.service.api import Stopped
from client.service.purge import Purger
from client.service.records import RecordService
from client.service.room import RoomService
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.want_store import WantStore
from client.store.withdrawal_rows import Said, WithdrawalRows

_LOG: Final = logging.getLogger(__name__)
_NOTE: Final = "withdrawn."
_RAN: Final = "withdrawn_ran"
_KEEP_MS: Final = 600_000
"""So much running time may be lost with the power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look did. `waiting` are lessons with an open class, `unwanted` were on their way."""

    purged: tuple[LessonId, ...] = ()
    waiting: tuple[LessonId, ...] = ()
    unwanted: tuple[LessonId, ...] = ()
    freed_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalPorts:
    """What it works with. The functions block."""

    rows: WithdrawalRows
    catalogue: CatalogueStore
    holdings: HoldingStore
    wants: WantStore
    records: RecordService
    room: RoomService
    purger: Purger
    start: Callable[[], tuple[str, int]]
    """Names this start of the machine, and how long it has been running in ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is kept of a withdrawn lesson that is, or was, here."""

    said: tuple[Said, ...]
    heard: Counted
    open_since_ms: int | None = None
    """Running time when a class on it was first seen open."""


class WithdrawalService:
    """See the module. Blocking; any thread but the GUI's."""

    def __init__(self, ports: WithdrawalPorts) -> None:
        self._ports: Final = ports
        self._gate = threading.RLock()
        self._is_begun = False

    def look_now(self) -> Looked:
        """Do what is due (WS1). Call it while nothing that is withdrawn is on its way."""
        with self._gate:
            self._begin()
            unwanted = self._give_up()
            now = self._count()
            notes = self._noted(now)
            opened = self._open(notes, now)
            found = {
                lesson: standing(
                    strictest(one for _, one in note.said),
                    note.heard,
                    now,
                    is_open=lesson in opened,
                )
                for lesson, note in notes.items()
            }
            here = frozenset(self._ports.rows.here())
            over = [one for one in sorted(here & found.keys()) if found[one] is Standing.OVER]
            freed = self._ports.purger.purge(over)
            self._ports.holdings.tidy()
            return Looked(
                purged=tuple(over),
                waiting=tuple(sorted(one for one in opened if one in here)),
                unwanted=unwanted,
                freed_bytes=freed,
            )

    def try_now(self) -> Looked:
        """Do what is due as far as the disk lets; the rest waits for the next look."""
        try:
            return self.look_now()
        except StorageError:
            _LOG.exception("withdrawn lessons could not be looked at")
            return Looked()

    def stopped_now(self, lessons: Collection[LessonId]) -> Mapping[LessonId, Stopped]:
        """Tell how things stand with those of these lessons that are withdrawn."""
        said = self._ports.rows.said(lessons)
        if not said:
            return {}
        now, notes = self._counted(), self._notes()
        opened = self._interrupted()
        others = {word.replacement for word in said.values() if word.replacement is not None}
        titles = {
            one.id: display_title(one.title)
            for one in self._ports.catalogue.lessons(sorted(others))
        }
        found = {}
        for lesson, word in said.items():
            heard = notes[lesson].heard if lesson in notes else now
            found[lesson] = Stopped(
                reason=word.reason,
                standing=standing(word, heard, now, is_open=lesson in opened),
                classes_left=classes_left(word, heard, now),
                replacement=word.replacement,
                replacement_title=titles.get(word.replacement or LessonId(""), ""),
            )
        return found

    # --- inside --------------------------------------------------------------------------

    def _begin(self) -> None:
        """Go on with what an earlier life began."""
        if self._is_begun:
            return
        self._ports.purger.finish()
        self._is_begun = True

    def _give_up(self) -> tuple[LessonId, ...]:
        """Want nothing that is withdrawn any more."""
        wanted = [want.lesson for want in self._ports.wants.all()]
        unwanted = tuple(self._ports.rows.said(wanted))
        for lesson in unwanted:
            self._ports.wants.forget(lesson).result()
            self._ports.purger.forget_growing(lesson)
        return unwanted

    def _noted(self, now: Counted) -> dict[LessonId, _Note]:
        """Bring the notes up to what is said now (WS2)."""
        notes = self._notes()
        for lesson in {*notes, *self._ports.rows.here()}:
            said = self._ports.rows.words(lesson)
            before = notes.pop(lesson, None)
            if said:
                note = _Note(said=said, heard=now) if before is None else replace(before, said=said)
                notes[lesson] = note
            if said != (() if before is None else before.said):
                self._keep(lesson, notes.get(lesson))
        return notes

    def _open(self, notes: Mapping[LessonId, _Note], now: Counted) -> frozenset[LessonId]:
        """Tell on which lessons a class is open (WS3)."""
        interrupted = self._interrupted()
        found = set()
        for lesson, note in notes.items():
            since_ms = note.open_since_ms if lesson in interrupted else None
            if lesson in interrupted and since_ms is None:
                since_ms = now.ran_ms
            if since_ms != note.open_since_ms:
                self._keep(lesson, replace(note, open_since_ms=since_ms))
            if since_ms is not None and now.ran_ms - since_ms < RUN_MS_A_DAY:
                found.add(lesson)
        return frozenset(found)

    def _interrupted(self) -> frozenset[LessonId]:
        unfinished = self._ports.records.unfinished()
        return frozenset(one.point.lesson for one in unfinished if one.is_interrupted)

    def _count(self) -> Counted:
        """Count the room's classes and the running time until now, and keep the latter."""
        now, (boot, mono_ms) = self._counted(), self._ports.start()
        kept = json.loads(self._ports.room.local(_RAN) or '[0, "", 0]')
        if boot != kept[1] or now.ran_ms - kept[0] >= _KEEP_MS:
            text = json.dumps([now.ran_ms, boot, mono_ms])
            self._ports.room.set_local(_RAN, text).result()
        return now

    def _counted(self) -> Counted:
        mine = frozenset(self._ports.room.class_ids())
        classes = sum(not mine.isdisjoint(row.class_ids) for row in self._ports.records.sittings())
        start = self._ports.start()
        text = self._ports.room.local(_RAN)
        if not text:
            return Counted(classes=classes)
        ran_ms, boot, mono_ms = json.loads(text)
        return Counted(classes=classes, ran_ms=ran(ran_ms, (boot, mono_ms), start))

    def _notes(self) -> dict[LessonId, _Note]:
        found = self._ports.room.locals(_NOTE)
        return {LessonId(name): _note(name, text) for name, text in found.items() if text}

    def _keep(self, lesson: LessonId, note: _Note | None) -> None:
        text = "" if note is None else _text(note)
        self._ports.room.set_local(_NOTE + lesson, text).result()


def noted(room: RoomService) -> Iterable[tuple[LessonId, tuple[Said, ...]]]:
    """Give what was said of lessons that are here: for a library.db that is new."""
    for name, text in room.locals(_NOTE).items():
        if text:
            yield LessonId(name), _note(name, text).said


def _text(note: _Note) -> str:
    said = [
        [source, one.reason, one.grace_days, one.replacement or ""] for source, one in note.said
    ]
    heard = [note.heard.classes, note.heard.ran_ms]
    return json.dumps([said, heard, note.open_since_ms], ensure_ascii=False)


def _note(name: str, text: str) -> _Note:
    said, (classes, ran_ms), open_since_ms = json.loads(text)
    return _Note(
        said=tuple(
            (
                SourceId(source),
                Withdrawal(
                    lesson=LessonId(name),
                    reason=reason,
                    grace_days=grace_days,
                    replacement=LessonId(other) if other else None,
                ),
            )
            for source, reason, grace_days, other in said
        ),
        heard=Counted(classes=classes, ran_ms=ran_ms),
        open_since_ms=open_since_ms,
    )
