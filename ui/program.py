"""The program on screen: joins services, pages and the classroom window.

Invariants:
  PR1  The GUI thread does no IO: everything here asks services and watches futures.
  PR2  While a class is on, the main window is hidden and nothing of it can appear.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from client.domain.availability import Decodes
from client.domain.catalogue import Role
from client.domain.clock import Clock
from client.domain.errors import ClassroomError, UserError
from client.domain.ids import ClassId, LessonId
from client.domain.record.bodies import Ended
from client.domain.today import Step
from client.media.port import FrameSink, Player
from client.service.api import Card, LessonDetail, ResumeNotice, SyncStatus
from client.service.checks import Fix
from client.service.sitting_port import Notify, Recorder, SittingPlan, TrackPlan
from client.service.station import Station as Services
from client.service.text import Words
from ui.app import (
    LIBRARY_ENTRY,
    TODAY_ENTRY,
    TRANSFER_ENTRY,
    MainWindow,
    Station,
)
from ui.base.context import Appearance, Say, UiContext
from ui.base.garbage import Collector
from ui.base.timing import FIRST_PAINT, PICTURE, USABLE, Moments
from ui.pages import SchoolPages
from ui.view.importing import Importing
from ui.view.today import TodayView
from ui.viewmodel.frame import FrameModel
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.keeping import KeepingModel
from ui.viewmodel.link import LinkCalls, LinkPort, needs_of
from ui.viewmodel.today import TodayModel
from ui.viewmodel.transfer import TransferModel

if TYPE_CHECKING:
    from client.service.sitting import Sitting
    from ui.view.classroom import ClassroomWindow
    from ui.viewmodel.courier import StickPort
    from ui.viewmodel.library import LibraryModel
    from ui.viewmodel.storage import StorageModel
    from ui.viewmodel.take_home import HomePort

PROJECTOR: Final = "projector"
"""Local row that remembers which monitor is the projector."""

LINK_AFTER_MS: Final = 50
"""The link comes up this long after the first page, so that the page is painted before."""
LINK_LATEST_MS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the program is made of. `link` is made after the first page is on screen."""

    services: Services
    clock: Clock
    player: Callable[[], Player]
    link: Callable[[], LinkPort]
    prints: Path
    """Folder for sheets to print."""
    demo: Path
    """Folder of the demo lessons; it may not have been made."""
    check_address: Callable[[str], object]
    """Refuses an address that no platform can have."""
    decodes: Callable[[Path], Decodes]
    """Tries whether a file plays here; blocking."""
    is_mirrored: bool | None = None
    is_windowed: bool = False
    sticks: "Callable[[], StickPort] | None" = None
    """Makes what does the work with sticks; None where no stick is looked for."""
    home: "Callable[[], HomePort] | None" = None
    """Makes what packs lessons to take home."""


class Program(QObject):
    """Owns windows and view-models. GUI thread."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._collector = Collector(self)
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
        self.link: LinkPort | None = None
        self._calls = LinkCalls(lambda: self.link)
        self.hubs = HubsModel(self._calls, self.context.dispatcher, self)
        self.pages = SchoolPages(
            services,
            self.context,
            self,
            self.open_station,
            check_address=parts.check_address,
            decodes=parts.decodes,
        )
        self.frame.class_shown.connect(self.pages.show_class)
        self.pages.sticks, self.pages.home_desk = parts.sticks, parts.home
        self.pages.near_port = self._calls
        self.hubs.changed.connect(lambda: self.frame.set_hubs(self.hubs.rows or ()))
        self.keeping = KeepingModel(services.keeping, self.context.dispatcher, self)
        self.window = MainWindow(self.context, self.frame, self.keeping, self._stations())
        self.window.closing.connect(self.close)
        self.window.fix_wanted.connect(self._on_fix)
        self.importing = Importing(self.context, self.window, services.room)
        self.importing.ended.connect(self._on_imported)
        self.classroom: ClassroomWindow | None = None
        self._plan: SittingPlan | None = None
        self._is_closed = False
        self._promises: Mapping[LessonId, object] = {}
        self._moments = Moments()
        self._notices = services.notices
        services.room.subscribe(lambda: self.context.dispatcher.post(self._on_room))
        services.holdings.subscribe(lambda _: self.context.dispatcher.post(self.today.refresh))
        self._on_room()

    def show(self) -> None:
        """Show 今天, and bring up the link once it is painted."""
        self.window.open_station(TODAY_ENTRY.name)
        if self.pages.is_first_run:
            self.window.cover(self._build_first_run)
        self._moments.reached(FIRST_PAINT)
        self.window.show_fitting()
        self._tell_notices()
        self.keeping.begin()
        # The page calls for the link; should it never come, the link comes all the same.
        QTimer.singleShot(LINK_LATEST_MS, self, self._start_link)

    def _tell_notices(self) -> None:
        """Say what was found and mended when the profile was opened; 体检 keeps it."""
        words = self.context.words
        said = [words(f"notice.{one.code}", **dict(one.values)) for one in self._notices]
        if said:
            self.context.said.emit(Say(text=said[0], hint="\n".join(said[1:]), tone="amber"))

    def close(self) -> None:
        """Stop everything that would call back. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.classroom is not None:
            self.classroom.close()
        if self.link is not None:
            self.link.close()
        self.keeping.end()
        self.hubs.end()
        self.pages.close()
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
        self.fetch_parts(lesson, "", frozenset())

    def fetch_parts(self, lesson: LessonId, rendition: str, roles: frozenset[Role]) -> None:
        """Have these parts of a lesson brought here, the film in that rendition."""
        if self.link is not None:
            self.link.request(lesson, rendition, roles)
            self.context.say("program.fetching", tone="good")

    def import_stick(self) -> None:
        """Take lessons from the stick that is plugged in, else from a folder that is asked for."""
        if self.pages.take_stick():
            self.open_station(TRANSFER_ENTRY.name)
        else:
            self.import_paths(())

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders; an empty sequence asks for a folder."""
        chosen = tuple(paths) or self._ask_folder()
        if chosen and self.link is not None:
            self.importing.watch(self.link.import_paths(chosen))

    def print_sheet(self, card: Card, what: str) -> None:
        """Make the sheet and hand it to the system's viewer, which prints."""
        if card.lesson is not None:
            self._print(card.lesson, what, card.key.class_id)

    def print_task(self, lesson: LessonId) -> None:
        """Print the task sheet of a lesson."""
        self._print(lesson, "task", None)

    def preview(self, lesson: LessonDetail) -> None:
        """Show what is here of a lesson in the classroom window; nothing is recorded."""
        from client.service.unrecorded import Unrecorded  # noqa: PLC0415 - not needed to start

        if self.classroom is not None:
            return
        track = TrackPlan(class_id=ClassId(""), class_name="", lesson=lesson)
        window = self._open_classroom(SittingPlan(tracks=(track,)), Unrecorded())
        window.model.ended.connect(window.close)

    def open_station(self, name: str) -> None:
        """Go to another page."""
        self.window.open_station(name)

    # --- what first run and settings ask for -----------------------------------------------

    def import_folder(self) -> None:
        """Ask for a folder and take lessons from it."""
        self.import_paths(())

    def import_demo(self) -> None:
        """Put the demo lessons in."""
        if not self._parts.demo.is_dir():
            self.context.say_error(UserError("no_demo"))
            return
        self.import_paths((self._parts.demo,))

    def choose_token_file(self) -> Path | None:
        """Ask for a token file."""
        title = self.context.words("program.choose_token")
        chosen, _ = QFileDialog.getOpenFileName(self.window, title, "", "*.json")
        return Path(chosen) if chosen else None

    def sync_now(self) -> None:
        """Call the hubs; read the catalogue of the sources, then choose the books wished for."""
        if self.link is None:
            return
        self.link.call_hubs()
        self.context.dispatcher.watch(
            self.link.sync(), done=self._on_synced, failed=self._on_not_synced, owner=self
        )

    # --- the classroom ---------------------------------------------------------------------

    def teach(self, plan: SittingPlan) -> "ClassroomWindow":
        """Open the classroom window on a plan (also used by `play`), or give the open one.

        A second press comes before the first has brought up the class.
        """
        if self.classroom is not None:
            return self.classroom
        self._plan = plan
        return self._open_classroom(plan, self._parts.services.records.recorder)

    def _open_classroom(self, plan: SittingPlan, recorder: Recorder) -> "ClassroomWindow":
        from client.service.sitting import Sitting  # noqa: PLC0415 - not needed to start
        from ui.view.classroom import ClassroomWindow  # noqa: PLC0415 - not needed to start
        from ui.view.screens import Screens  # noqa: PLC0415 - not needed to start

        services, parts = self._parts.services, self._parts
        services.scrub.rest()

        def open_sitting(on_frame: FrameSink, on_change: Notify) -> "Sitting":
            return Sitting(
                plan,
                recorder,
                parts.player,
                parts.clock,
                on_frame=on_frame,
                on_change=on_change,
            )

        self.classroom = ClassroomWindow(
            self.context,
            open_sitting,
            self._on_taught,
            screens=Screens(services.room.local(PROJECTOR)),
            is_windowed=parts.is_windowed,
        )
        self._moments.watch(self.classroom.model.pictured, PICTURE)
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
        services.scrub.go_on()
        if classroom is not None and classroom.screens.remembered:
            services.room.set_local(PROJECTOR, classroom.screens.remembered)
        self.window.show()
        self.window.activateWindow()
        if classroom is not None:
            # Only now, lest pupils see the desktop between the two.
            classroom.hide()
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
        timetable, classes, *rest = self.pages.stations()
        return (
            Station(entry=TODAY_ENTRY, build=self._build_today, has_records=True),
            Station(entry=LIBRARY_ENTRY, build=self._build_library),
            timetable,
            classes,
            Station(entry=TRANSFER_ENTRY, build=self._build_transfer, has_records=True),
            *rest,
        )

    @cached_property
    def library(self) -> "LibraryModel":
        """State of 课程库."""
        from client.service.placing import Placing  # noqa: PLC0415 - not needed to start
        from ui.viewmodel.library import LibraryModel, LibraryPorts  # noqa: PLC0415 - see above

        services = self._parts.services
        ports = LibraryPorts(
            library=services.library,
            placing=Placing(services.room),
            memory=services.room,
            actions=self,
        )
        return LibraryModel(ports, self.context.dispatcher, self)

    @cached_property
    def transfer(self) -> TransferModel:
        """State of 传输."""
        return TransferModel(self._calls, self)

    @cached_property
    def storage(self) -> "StorageModel":
        """State of 本机空间."""
        from ui.viewmodel.storage import StorageModel  # noqa: PLC0415 - not needed to start

        return StorageModel(self._parts.services.storage, self.context.dispatcher, self)

    def _build_today(self, context: UiContext) -> QWidget:
        return TodayView(context, self.today)

    def _build_library(self, context: UiContext) -> QWidget:
        from ui.view.library import LibraryView  # noqa: PLC0415 - not needed to start

        self.library.refresh()
        view = LibraryView(context, self.library, can_take_home=self._parts.home is not None)
        view.home_wanted.connect(
            lambda anchor, first: self.pages.take_home(anchor, first, self._ask_place)
        )
        view.follow(self.hubs)
        return view

    def _build_transfer(self, context: UiContext) -> QWidget:
        from ui.view.storage import StoragePaper  # noqa: PLC0415 - not needed to start
        from ui.view.transfer import TransferPage  # noqa: PLC0415 - not needed to start
        from ui.viewmodel.folders import FoldersModel  # noqa: PLC0415 - not needed to start

        page = TransferPage(context, self.transfer, self.hubs)
        page.settings_wanted.connect(self.pages.open_hubs)
        page.sync_wanted.connect(self.pages.send_now)
        page.add_beside(StoragePaper(context, self.storage))
        folders = FoldersModel(self._calls, self.context.dispatcher, page)
        return self.pages.with_ways(page, folders, self._ask_place)

    def _build_first_run(self, context: UiContext) -> QWidget:
        view = self.pages.build_first_run(context)
        view.finished.connect(self._on_first_run_over)
        return view

    def _on_first_run_over(self) -> None:
        self.window.uncover()
        self.sync_now()

    def _on_room(self) -> None:
        room = self._parts.services.room.snapshot()
        self.frame.set_room(room.room, room.classes)
        self.today.refresh()

    def _on_page(self) -> None:
        page = self.today.page
        if page is not None:
            self._moments.reached(USABLE)
            QTimer.singleShot(LINK_AFTER_MS, self, self._start_link)
            self.frame.set_time_sure(is_sure=page.is_time_sure)
            self.transfer.set_needs(needs_of(page))

    def _start_link(self) -> None:
        if self.link is not None or self._is_closed:
            return
        self.link = self._parts.link()
        self.pages.start_sticks(self._on_imported, self.window)
        post = self.context.dispatcher.post
        self.hubs.begin()
        self.link.subscribe(lambda status: post(lambda: self._on_status(status)))

    def _on_status(self, status: SyncStatus) -> None:
        promises = {row.lesson: row.promise for row in status.rows}
        if promises != self._promises:
            self._promises = promises
            self.today.refresh()
        self.frame.set_status(status)
        self.transfer.set_status(status)

    def _on_synced(self, _report: object) -> None:
        future = self.pages.desk.meet_wishes()
        self.context.dispatcher.watch(future, done=self._on_wishes_met, owner=self)

    def _on_not_synced(self, error: ClassroomError) -> None:
        """Tell why; a room that has hubs and no other source got what it asked for."""
        if error.code != "no_source" or not self.hubs.rows:
            self.context.say_error(error)

    def _on_fix(self, fix: Fix) -> None:
        """Do what a button of the banner says."""
        if fix is Fix.SEND:
            self.pages.send_now()
        elif fix is Fix.OPEN_SETTINGS:
            self.pages.open_hubs()

    def _on_imported(self) -> None:
        """Choose the books that were wished for and came with the files."""
        future = self.pages.desk.meet_wishes()
        self.context.dispatcher.watch(future, done=self._on_catalogue, owner=self)

    def _on_wishes_met(self, met: Sequence[object]) -> None:
        if met and self.link is not None:
            # The lists of books that were chosen just now are not here yet.
            self.context.dispatcher.watch(self.link.sync(), done=self._on_catalogue, owner=self)
        self._on_catalogue(None)

    def _on_catalogue(self, _report: object) -> None:
        self.today.refresh()
        if "library" in self.__dict__:
            self.library.refresh()

    def _ask_place(self) -> Path | None:
        return next(iter(self._ask_folder()), None)

    def _ask_folder(self) -> tuple[Path, ...]:
        title = self.context.words("program.choose_folder")
        chosen = QFileDialog.getExistingDirectory(self.window, title)
        return (Path(chosen),) if chosen else ()

    def _print(self, lesson: LessonId, what: str, class_id: ClassId | None) -> None:
        desk = self._parts.services.print_desk
        future = desk.make(lesson, what, self._parts.prints, self.context.words, class_id)
        self.context.dispatcher.watch(future, done=self._on_printed, owner=self)

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
