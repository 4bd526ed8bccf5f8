"""State of first run and settings: room, classes, covers of textbooks, sources, look.

Invariants:
  SM1  Every touch is saved at once; what is shown is what the room then says.
"""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from client.domain.errors import ClassroomError, UserError
from client.domain.ids import ClassId, EventId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import ChosenBook
from client.service.school import grade_name
from client.service.secrets import SecretPlace
from client.service.setup import SourceLine
from client.service.wishes import Wish, load_offers
from ui.base.dispatch import Latest, UiDispatcher
from ui.viewmodel.hubs import HubsModel

T = TypeVar("T")
FIRST_RUN: Final = "first_run"
"""Local value of the room: how first run ended."""


class SetupRoom(Protocol):
    """What is changed of the room (client.service.room)."""

    def snapshot(self) -> RoomSnapshot:
        """Return the room as it is now; memory only."""
        ...

    def set_room(self, school: str, room: str) -> Future[EventId]:
        """Name school and room."""
        ...

    def add_class(self, name: str, grade: int, headcount: int = 0) -> Future[ClassId]:
        """Add a class."""
        ...

    def set_headcount(self, class_id: ClassId, headcount: int) -> Future[EventId]:
        """Change the assumed number of pupils."""
        ...

    def remove_class(self, class_id: ClassId) -> Future[EventId]:
        """Take a class out; its records stay."""
        ...

    def set_setting(self, name: str, value: str) -> Future[EventId]:
        """Change one setting."""
        ...

    def undo(self, name: EventId) -> Future[EventId]:
        """Take a change back."""
        ...

    def local(self, name: str) -> str:
        """Return a value of this machine."""
        ...

    def set_local(self, name: str, value: str) -> Future[None]:
        """Remember a value of this machine."""
        ...


class SetupPort(Protocol):
    """Sources and textbooks (client.service.setup)."""

    def sources(self) -> Future[tuple[SourceLine, ...]]:
        """List where lessons come from."""
        ...

    def add_platform(self, base: str, token_file: Path | None) -> Future[SecretPlace | None]:
        """Add the platform."""
        ...

    def wish(self, wishes: tuple[Wish, ...]) -> Future[tuple[ChosenBook, ...]]:
        """Keep what stands on the covers."""
        ...

    def wishes(self) -> tuple[Wish, ...]:
        """List what was wished for."""
        ...


class SetupActions(Protocol):
    """What the program around does. GUI thread."""

    @property
    def hubs(self) -> HubsModel:
        """State of the hubs of this room."""
        ...

    def import_folder(self) -> None:
        """Ask for a folder and take lessons from it."""
        ...

    def import_demo(self) -> None:
        """Put the demo lessons in."""
        ...

    def choose_token_file(self) -> Path | None:
        """Ask for a token file."""
        ...

    def sync_now(self) -> None:
        """Call the hubs, and read the catalogue of the sources."""
        ...


class SetupModel(QObject):
    """See the module. GUI thread."""

    changed = Signal()
    sources_changed = Signal()
    wishes_changed = Signal()
    platform_added = Signal(object)
    """Where the token was put, None without one."""
    class_removed = Signal(str, object)
    """Name of the class, and what undoes it."""
    setting_changed = Signal(str, str)
    failed = Signal(object)

    def __init__(
        self,
        room: SetupRoom,
        desk: SetupPort,
        actions: SetupActions,
        dispatcher: UiDispatcher,
        month: Callable[[], int],
    ) -> None:
        super().__init__()
        self.actions = actions
        self.room: RoomSnapshot = room.snapshot()
        self.sources: tuple[SourceLine, ...] = ()
        self.offers = load_offers()
        self._room_port = room
        self._desk = desk
        self._dispatcher = dispatcher
        self._listed = Latest(dispatcher, self)
        self._editions: dict[tuple[str, str], str] = {}
        self.volume = self.offers.volume_in(month())
        for wish in desk.wishes():
            self._editions[(wish.class_id, wish.subject)] = wish.edition
            self.volume = wish.volume

    # --- room and classes ----------------------------------------------------------------

    def refresh(self) -> None:
        """Read the room and the sources again."""
        self.room = self._room_port.snapshot()
        self._listed.ask(self._desk.sources(), self._on_sources, self._on_failed)
        self.changed.emit()

    def name_room(self, school: str, room: str) -> None:
        """Name school and room; an empty school is left as it is."""
        before = self.room.room
        if school.strip() and (before is None or (school, room) != (before.school, before.room)):
            self._watch(lambda: self._room_port.set_room(school, room))

    def has_grade(self, grade: int) -> bool:
        """Tell whether a grade is taught here."""
        return any(group.grade == grade for group in self.room.classes)

    def toggle_grade(self, grade: int) -> None:
        """Add a class of that grade, or take the classes of it out."""
        present = [group for group in self.room.classes if group.grade == grade]
        if not present:
            self._watch(lambda: self._room_port.add_class(grade_name(grade), grade))
        for group in present:
            self.remove_class(group.id)

    def remove_class(self, class_id: ClassId) -> None:
        """Take a class out; it can be undone."""
        group = next(one for one in self.room.classes if one.id == class_id)

        def removed(name: EventId) -> None:
            self.refresh()
            self.class_removed.emit(group.name, name)

        future = self._room_port.remove_class(class_id)
        self._dispatcher.watch(future, done=removed, failed=self._on_failed, owner=self)

    def undo(self, name: EventId) -> None:
        """Take a change back."""
        self._watch(lambda: self._room_port.undo(name))

    def set_headcount(self, class_id: ClassId, count: int) -> None:
        """Change the assumed number of pupils."""
        self._watch(lambda: self._room_port.set_headcount(class_id, count))

    def set_setting(self, name: str, value: str) -> None:
        """Change one setting."""

        def done(_name: EventId) -> None:
            self.refresh()
            self.setting_changed.emit(name, value)

        try:
            future = self._room_port.set_setting(name, value)
        except UserError as error:
            self._on_failed(error)
            return
        self._dispatcher.watch(future, done=done, failed=self._on_failed, owner=self)

    # --- covers --------------------------------------------------------------------------

    def edition(self, class_id: ClassId, subject: str) -> str:
        """Tell the edition a class is to have: what was chosen, else the usual one."""
        usual = dict(self.offers.editions).get(subject, ("",))[0]
        return self._editions.get((class_id, subject), usual)

    def choose_edition(self, class_id: ClassId, subject: str, edition: str) -> None:
        """Say what stands on the cover."""
        self._editions[(class_id, subject)] = edition
        self.save_covers()

    def choose_volume(self, volume: str) -> None:
        """Say which half of the year it is."""
        self.volume = volume
        self.save_covers()

    def wishes(self) -> tuple[Wish, ...]:
        """List the covers of all classes."""
        return tuple(
            Wish(
                class_id=group.id,
                grade=grade_name(group.grade),
                subject=subject,
                edition=self.edition(group.id, subject),
                volume=self.volume,
            )
            for group in self.room.classes
            for subject, _ in self.offers.editions
        )

    def save_covers(self) -> None:
        """Keep the covers, and choose the books that are known already."""

        def done(_met: tuple[ChosenBook, ...]) -> None:
            self.refresh()
            self.wishes_changed.emit()

        self._dispatcher.watch(
            self._desk.wish(self.wishes()), done=done, failed=self._on_failed, owner=self
        )

    def is_met(self, wish: Wish) -> bool:
        """Tell whether a class has its book."""
        return any(
            (chosen.class_id, chosen.subject) == (wish.class_id, wish.subject)
            for chosen in self.room.chosen_books
        )

    # --- sources -------------------------------------------------------------------------

    def add_platform(self, base: str, token_file: Path | None) -> None:
        """Add the platform, and read its catalogue."""

        def done(place: SecretPlace | None) -> None:
            self.platform_added.emit(place)
            self.refresh()
            self.actions.sync_now()

        future = self._desk.add_platform(base, token_file)
        self._dispatcher.watch(future, done=done, failed=self._on_failed, owner=self)

    # --- first run -----------------------------------------------------------------------

    @property
    def is_first_run(self) -> bool:
        """Tell whether nobody has gone through, or past, the first steps."""
        return not self._room_port.local(FIRST_RUN) and not self.room.classes

    def end_first_run(self) -> None:
        """Remember that it is over."""
        future = self._room_port.set_local(FIRST_RUN, "done")
        self._dispatcher.watch(future, failed=self._on_failed, owner=self)

    # --- inside --------------------------------------------------------------------------

    def _watch(self, write: "Callable[[], Future[T]]") -> None:
        try:
            future = write()
        except UserError as error:
            self._on_failed(error)
            return
        self._dispatcher.watch(
            future,
            done=lambda _: self.refresh(),
            failed=self._on_failed,
            owner=self,
        )

    def _on_sources(self, sources: tuple[SourceLine, ...]) -> None:
        self.sources = sources
        self.sources_changed.emit()

    def _on_failed(self, error: ClassroomError) -> None:
        self.failed.emit(error)
