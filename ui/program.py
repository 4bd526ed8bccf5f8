"""The program on screen: joins services, pages and the classroom window.

Invariants:
  PR1  The GUI thread does no IO: everything here asks services and watches futures.
  PR2  While a class is on, the main window is hidden and nothing of it can appear.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from client.domain.clock import Clock
from client.domain.ids import LessonId
from client.domain.record.bodies import Ended
from client.domain.today import Step
from client.media.port import FrameSink, Player
from client.service.api import Card, ResumeNotice, SyncStatus
from client.service.sitting import Sitting
from client.service.sitting_port import Notify, SittingPlan
from client.service.station import Station as Services
from client.service.text import Words
from ui.app import TODAY_ENTRY, MainWindow, Station
from ui.base.context import Appearance, Say, UiContext
from ui.view.classroom import ClassroomWindow
from ui.view.screens import Screens
from ui.view.today import TodayView
from ui.viewmodel.frame import FrameModel
from ui.viewmodel.today import TodayModel

PROJECTOR: Final = "projector"
"""Local row that remembers which monitor is the projector."""


class LinkPort(Protocol):
    """What the program needs of the supervisor. All methods return at once."""

    def request(self, lesson: LessonId) -> None:
        """Have a lesson brought here."""
        ...

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders."""
        ...

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> object:
        """Tell each new status, on any thread."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the program is made of. `link` is made after the first page is on screen."""

    services: Services
    clock: Clock
    player: Callable[[], Player]
    link: Callable[[], LinkPort]
    prints: Path
    """Folder for sheets to print."""
    is_mirrored: bool | None = None
    is_windowed: bool = False


class Program(QObject):
    """Owns windows and view-models. GUI thread."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        services = parts.services
        settings = services.room.snapshot().settings
        self.context = UiContext(
            Words(settings.language),
            parts.clock,
            Appearance(
                language=settings.language,
                theme=settings.theme.value,
                scale=settings.type_scale,
                is_low_power=settings.low_power,
            ),
            is_mirrored=parts.is_mirrored,
            parent=self,
        )
        self.context.apply()
        self.frame = FrameModel(self)
        self.today = TodayModel(services.today, self, self.context.dispatcher, self)
        self.frame.class_shown.connect(self.today.show_class)
        self.today.changed.connect(self._on_page)
        self.window = MainWindow(self.context, self.frame, self._stations())
        self.window.closing.connect(self.close)
        self.classroom: ClassroomWindow | None = None
        self.link: LinkPort | None = None
        self._plan: SittingPlan | None = None
        self._is_closed = False
        services.room.subscribe(lambda: self.context.dispatcher.post(self._on_room))
        services.holdings.subscribe(lambda _: self.context.dispatcher.post(self.today.refresh))
        self._on_room()

    def show(self) -> None:
        """Show 今天, and bring up the link once it is painted."""
        self.window.open_station(TODAY_ENTRY.name)
        self.window.show_fitting()
        QTimer.singleShot(0, self, self._start_link)

    def close(self) -> None:
        """Stop everything that would call back. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.classroom is not None:
            self.classroom.close()
        if self.link is not None:
            self.link.close()
        self.context.dispatcher.close()

    # --- what 今天 asks for ----------------------------------------------------------------

    def start(self, cards: Sequence[Card]) -> None:
        """Open the classroom; the first card gets the screen."""
        self._watch_plan(self._parts.services.today.sitting_plan(cards))

    def resume(self, notice: ResumeNotice) -> None:
        """Go on with the interrupted class."""
        self._watch_plan(self._parts.services.today.resume_plan(notice))

    def fetch(self, lesson: LessonId) -> None:
        """Have a lesson brought here."""
        if self.link is not None:
            self.link.request(lesson)
            self.context.say("program.fetching", tone="good")

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders; an empty sequence asks for a folder."""
        chosen = tuple(paths) or self._ask_folder()
        if chosen and self.link is not None:
            self.link.import_paths(chosen)

    def print_sheet(self, card: Card, what: str) -> None:
        """Make the sheet and hand it to the system's viewer, which prints."""
        if card.lesson is None:
            return
        services = self._parts.services
        future = services.print_desk.make(
            card.lesson, what, self._parts.prints, self.context.words, card.key.class_id
        )
        self.context.dispatcher.watch(future, done=self._on_printed, owner=self)

    def open_station(self, name: str) -> None:
        """Go to another page."""
        self.window.open_station(name)

    # --- the classroom ---------------------------------------------------------------------

    def teach(self, plan: SittingPlan) -> ClassroomWindow:
        """Open the classroom window on a plan (also used by `play`)."""
        services, parts = self._parts.services, self._parts

        def open_sitting(on_frame: FrameSink, on_change: Notify) -> Sitting:
            return Sitting(
                plan,
                services.records.recorder,
                parts.player,
                parts.clock,
                on_frame=on_frame,
                on_change=on_change,
            )

        self._plan = plan
        self.classroom = ClassroomWindow(
            self.context,
            open_sitting,
            self._on_taught,
            screens=Screens(services.room.local(PROJECTOR)),
            is_windowed=parts.is_windowed,
        )
        self.classroom.open()
        self.window.hide()
        return self.classroom

    def _watch_plan(self, future: Future[SittingPlan]) -> None:
        def teach(plan: SittingPlan) -> None:
            self.teach(plan)

        self.context.dispatcher.watch(future, done=teach, owner=self)

    def _on_taught(self, how: Ended | None) -> None:
        classroom, self.classroom = self.classroom, None
        services = self._parts.services
        if classroom is not None and classroom.screens.remembered:
            services.room.set_local(PROJECTOR, classroom.screens.remembered)
        self.window.show()
        self.window.activateWindow()
        plan, self._plan = self._plan, None
        if how is not Ended.FINISHED or plan is None:
            self.today.refresh()
            return
        for track in plan.tracks:
            step = Step(lesson=track.lesson.row.id, period=track.period)
            key = None if plan.key is None else replace(plan.key, class_id=track.class_id)
            future = services.today.finished((track.class_id,), step, key)
            self.context.dispatcher.watch(future, done=lambda _: self.today.refresh(), owner=self)

    # --- around --------------------------------------------------------------------------

    def _stations(self) -> tuple[Station, ...]:
        return (Station(entry=TODAY_ENTRY, build=self._build_today),)

    def _build_today(self, context: UiContext) -> QWidget:
        self.today.refresh()
        return TodayView(context, self.today)

    def _on_room(self) -> None:
        room = self._parts.services.room.snapshot()
        self.frame.set_room(room.room, room.classes)
        self.today.refresh()

    def _on_page(self) -> None:
        if self.today.page is not None:
            self.frame.set_time_sure(is_sure=self.today.page.is_time_sure)

    def _start_link(self) -> None:
        self.link = self._parts.link()
        post = self.context.dispatcher.post
        self.link.subscribe(lambda status: post(lambda: self.frame.set_status(status)))

    def _ask_folder(self) -> tuple[Path, ...]:
        title = self.context.words("program.choose_folder")
        chosen = QFileDialog.getExistingDirectory(self.window, title)
        return (Path(chosen),) if chosen else ()

    def _on_printed(self, path: Path) -> None:
        words = self.context.words

        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        self.context.said.emit(
            Say(
                text=words("program.printed"),
                hint=str(path),
                tone="good",
                action=words("program.open_print"),
                act=show,
            )
        )
