"""The pages around the school: 课程表, 班级, 设置, 体检 and first run, joined with their services.

Invariants:
  PG1  A model is made when its page is first built, so that starting pays for none of them.
  PG2  A change of the room, by whoever, is seen on every page that is open.
"""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from client.domain.availability import Decodes
from client.domain.catalogue import Book
from client.domain.ids import LessonId
from client.domain.timetable import SlotKey
from client.service.setup import SetupDesk
from client.service.station import Station as Services
from client.service.week_page import CoursePage, WeekPage
from ui.app import (
    CLASSES_ENTRY,
    SETTINGS_ENTRY,
    TIMETABLE_ENTRY,
    TODAY_ENTRY,
    MainWindow,
    Station,
)
from ui.base.context import UiContext
from ui.view.rail import RailEntry
from ui.viewmodel.classes import ClassesModel
from ui.viewmodel.doctor import DoctorModel
from ui.viewmodel.setup import SetupActions, SetupModel
from ui.viewmodel.timetable import TimetableModel

if TYPE_CHECKING:
    from client.service.doctor import Doctor
    from ui.view.first_run import FirstRunView
    from ui.view.transfer import TransferPage
    from ui.viewmodel.courier import CourierModel, StickPort
    from ui.viewmodel.folders import FoldersModel
    from ui.viewmodel.near import NearModel, NearPort
    from ui.viewmodel.take_home import HomeModel, HomePort

DOCTOR_ENTRY: Final = RailEntry(name="doctor", icon="shield-check")


class SchoolPages(QObject):
    """Builds the pages. GUI thread; `close` before the services are closed."""

    def __init__(
        self,
        services: Services,
        context: UiContext,
        actions: SetupActions,
        open_station: Callable[[str], None],
        *,
        check_address: Callable[[str], object],
        decodes: Callable[[Path], Decodes],
    ) -> None:
        super().__init__()
        self._services = services
        self._context = context
        self._actions = actions
        self._open_station = open_station
        self._check_address = check_address
        self._decodes = decodes
        self.sticks: Callable[[], StickPort] | None = None
        """Makes what does the work with sticks; set before any page is built."""
        self.near_port: NearPort | None = None
        """Asks how sharing with PCs near by stands; as above."""
        self.home_desk: Callable[[], HomePort] | None = None
        """Makes what packs lessons to take home; set before any page is built."""
        self._first_at = 0
        self._shown_class = ""
        services.room.subscribe(lambda: context.dispatcher.post(self._on_room))

    def stations(self) -> tuple[Station, ...]:
        """List the stations of these pages, in the order of the rail."""
        return (
            Station(entry=TIMETABLE_ENTRY, build=self.build_timetable),
            Station(entry=CLASSES_ENTRY, build=self._build_classes, has_records=True),
            Station(entry=SETTINGS_ENTRY, build=self._build_settings),
            Station(entry=DOCTOR_ENTRY, build=self._build_doctor, marks=SETTINGS_ENTRY.name),
        )

    @property
    def is_first_run(self) -> bool:
        """Tell whether first run should be shown; memory only."""
        return self.setup.is_first_run

    def build_first_run(self, context: UiContext, at: int = 0) -> "FirstRunView":
        """Build first run; its `finished` tells that it is over."""
        from ui.view.first_run import FirstRunView  # noqa: PLC0415 - shown once in a lifetime

        view = FirstRunView(context, self.setup, self._week_of, at=self._first_at or at)
        view.stepped.connect(self._on_stepped)
        return view

    def close(self) -> None:
        """Finish what was begun."""
        for name in ("desk", "doctor_service"):
            if name in self.__dict__:
                getattr(self, name).close()
        if self.__dict__.get("courier") is not None:
            self.__dict__["courier"].close()
        if self.__dict__.get("home") is not None:
            self.__dict__["home"].close()

    # --- sticks --------------------------------------------------------------------------

    @cached_property
    def courier(self) -> "CourierModel | None":
        """State of the stick that is plugged in."""
        if self.sticks is None:
            return None
        from ui.base.volumes import sticks  # noqa: PLC0415 - not needed to start
        from ui.viewmodel.courier import CourierModel  # noqa: PLC0415 - not needed to start

        return CourierModel(self.sticks(), sticks, self._context.dispatcher, self)

    @cached_property
    def near(self) -> "NearModel | None":
        """State of sharing with PCs near by."""
        if self.near_port is None:
            return None
        from ui.viewmodel.near import NearModel  # noqa: PLC0415 - not needed to start

        set_setting = self._services.room.set_setting
        made = NearModel(self.near_port, set_setting, self._context.dispatcher, self)
        made.stick_wanted.connect(self._on_stick_wanted)
        return made

    def _on_stick_wanted(self) -> None:
        """Go where sticks are packed; without one, say that it is to be plugged in."""
        self._open_station("transfer")
        if self.courier is None or self.courier.volume is None:
            self._context.say("transfer.plug_stick")

    def with_ways(
        self, page: "TransferPage", folders: "FoldersModel", choose: Callable[[], Path | None]
    ) -> "TransferPage":
        """Put what is told of sticks, sources and watched folders on 传输."""
        from ui.view.folders import FoldersPaper  # noqa: PLC0415 - not needed to start

        if self.near is not None:
            from ui.view.near import NearPaper  # noqa: PLC0415 - not needed to start

            page.add_beside(NearPaper(self._context, self.near))
        page.add_beside(FoldersPaper(self._context, folders, choose))
        setup, courier = self.setup, self.courier

        def show_sources() -> None:
            page.sources.show_kinds(frozenset(one.kind for one in setup.sources))

        def by_stick(anchor: QWidget) -> None:
            if courier is None or courier.volume is None:
                self._context.say("transfer.plug_stick")
                return
            from ui.view.courier_pack import PackPopover  # noqa: PLC0415 - see PG1

            PackPopover(self._context, page.window(), courier).open_at(anchor)

        setup.sources_changed.connect(show_sources)
        page.sources.stick_wanted.connect(by_stick)
        show_sources()
        if courier is not None:
            self._with_stick(page, courier)
        return page

    def _with_stick(self, page: "TransferPage", courier: "CourierModel") -> None:
        from ui.view.courier import CourierBlock  # noqa: PLC0415 - not needed to start

        block = CourierBlock(self._context, courier, page)
        page.side.insertWidget(page.side.indexOf(page.sources) + 1, block)

        def show_stick() -> None:
            name = courier.volume.name if courier.volume is not None else ""
            lessons = courier.seen.lessons if courier.seen is not None else 0
            page.sources.show_stick(name, lessons)

        courier.changed.connect(show_stick)
        show_stick()

    def start_sticks(self, taken: Callable[[], None], window: MainWindow) -> None:
        """Watch for sticks; `taken` is called when lessons may have come in."""
        courier = self.courier
        if courier is None:
            return
        from ui.view.courier import CourierEnd  # noqa: PLC0415 - not needed to start

        courier.finished.connect(taken)
        courier.finished.connect(QApplication.beep)
        window.put_above(lambda context, parent: CourierEnd(context, courier, parent))
        courier.start()

    def take_stick(self) -> bool:
        """Take in what the stick brings; false where none is plugged in."""
        courier = self.courier
        if courier is None or courier.volume is None or courier.is_gone:
            return False
        courier.take()
        return True

    # --- lessons to take home ------------------------------------------------------------

    @cached_property
    def home(self) -> "HomeModel | None":
        """State of the pack to take home."""
        if self.home_desk is None:
            return None
        from ui.view.take_home import HomeTold  # noqa: PLC0415 - not needed to start
        from ui.viewmodel.take_home import HomeModel  # noqa: PLC0415 - not needed to start

        made = HomeModel(self.home_desk(), self._context.dispatcher, self)
        HomeTold(self._context, made)
        return made

    def take_home(
        self,
        anchor: QWidget,
        first: Collection[LessonId],
        choose: Callable[[], Path | None],
    ) -> None:
        """Ask which lessons go home, these first, beside what was pressed."""
        if self.home is not None:
            from ui.view.take_home import HomePopover  # noqa: PLC0415 - see PG1

            self.home.open(first)
            HomePopover(self._context, anchor.window(), self.home, choose).open_at(anchor)

    # --- parts, made when first needed ---------------------------------------------------

    @cached_property
    def desk(self) -> SetupDesk:
        """Sources and textbooks."""
        return SetupDesk(self._services, self._check_address)

    @cached_property
    def setup(self) -> SetupModel:
        """State of first run and settings."""
        made = SetupModel(
            self._services.room,
            self.desk,
            self._actions,
            self._context.dispatcher,
            lambda: self._context.now().month,
        )
        made.setting_changed.connect(self._on_setting)
        return made

    @cached_property
    def timetable(self) -> TimetableModel:
        """State of 课程表."""
        week = _Week(self._services, self.desk)
        return TimetableModel(self._services.room, week, self._context.dispatcher, self)

    @cached_property
    def classes(self) -> ClassesModel:
        """State of 班级."""
        service, post = self._services.classes, self._context.dispatcher.post
        made = ClassesModel(service, self._context.dispatcher, self)
        made.show_class(self._shown_class)
        service.subscribe(lambda: post(made.refresh))
        return made

    @cached_property
    def doctor(self) -> DoctorModel:
        """State of 体检."""
        return DoctorModel(self.doctor_service, self._context.dispatcher)

    @cached_property
    def doctor_service(self) -> "Doctor":
        """The one who looks."""
        from client.service.doctor import station_doctor  # noqa: PLC0415 - rarely opened

        return station_doctor(self._services, self._decodes)

    # --- pages ---------------------------------------------------------------------------

    def build_timetable(self, context: UiContext) -> QWidget:
        """Build 课程表."""
        return self._week_of(context, lambda: self._open_station(SETTINGS_ENTRY.name))

    def _week_of(self, context: UiContext, to_room: Callable[[], None]) -> QWidget:
        from ui.view.timetable import TimetableView  # noqa: PLC0415 - see PG1

        view = TimetableView(context, self.timetable)
        view.settings_wanted.connect(to_room)
        return view

    def _build_classes(self, context: UiContext) -> QWidget:
        from ui.view.classes import ClassesView  # noqa: PLC0415 - see PG1

        view = ClassesView(context, self.classes)
        view.today_wanted.connect(lambda: self._open_station(TODAY_ENTRY.name))
        return view

    def _build_settings(self, context: UiContext) -> QWidget:
        from ui.view.settings import SettingsView  # noqa: PLC0415 - see PG1

        view = SettingsView(context, self.setup, self._actions.hubs, self.near)
        view.doctor_wanted.connect(lambda: self._open_station(DOCTOR_ENTRY.name))
        return view

    def _build_doctor(self, context: UiContext) -> QWidget:
        from ui.view.doctor import DoctorView  # noqa: PLC0415 - see PG1

        view = DoctorView(context, self.doctor)
        view.back_wanted.connect(lambda: self._open_station(SETTINGS_ENTRY.name))
        view.transfer_wanted.connect(lambda: self._open_station("transfer"))
        view.hubs_wanted.connect(self.open_hubs)
        view.send_wanted.connect(self.send_now)
        return view

    def send_now(self) -> None:
        """Call the hubs, and say so: an answer may take its time."""
        self._context.say("transfer.syncing")
        self._actions.sync_now()

    def open_hubs(self) -> None:
        """Go to settings, where a hub is added."""
        self._open_station(SETTINGS_ENTRY.name)
        self._actions.hubs.form_wanted.emit()

    # --- following -----------------------------------------------------------------------

    def show_class(self, class_id: str) -> None:
        """Show one class on the pages that can, empty for all."""
        self._shown_class = class_id
        if "classes" in self.__dict__:
            self.classes.show_class(class_id)

    def _on_stepped(self, at: int) -> None:
        self._first_at = at

    def _on_setting(self, name: str, value: str) -> None:
        """Follow the look after the page that asked for it is done with its click."""
        QTimer.singleShot(0, self, lambda: self._context.take_setting(name, value))

    def _on_room(self) -> None:
        for name in ("setup", "timetable"):
            if name in self.__dict__:
                getattr(self, name).refresh()


class _Week:
    """What 课程表 reads, from two services."""

    def __init__(self, services: Services, desk: SetupDesk) -> None:
        self._services = services
        self._desk = desk

    def week(self) -> Future[WeekPage]:
        """See the port."""
        return self._services.today.week()

    def course(self, key: SlotKey) -> Future[CoursePage]:
        """See the port."""
        return self._services.today.course(key)

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future[object]:
        """See the port."""
        return self._services.today.use_instead(stopped, other)

    def books(self, grade: int, subject: str) -> Future[tuple[Book, ...]]:
        """See the port."""
        return self._desk.books(grade, subject)
