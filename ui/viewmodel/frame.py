"""State of the window around the pages: room, classes, link, clock."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from client.domain.timetable import ClassGroup, Room
from client.service.api import SyncStatus, TransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """What the link chip says: message keys and figures, never an alarm."""

    icon: str
    kind_key: str
    waiting: int
    bytes_received: int
    last_contact_ms: int | None


def link_line(status: SyncStatus) -> LinkLine:
    """Put the supervisor's status into the one line of the chip.

    | paused | online | icon   | word        |
    |--------|--------|--------|-------------|
    | yes    | any    | pause  | paused      |
    | no     | None   | cable  | not asked   |
    | no     | True   | link   | connected   |
    | no     | False  | unplug | offline     |
    """
    if status.is_paused:
        icon, key = "pause", "frame.link_paused"
    elif status.is_online is None:
        icon, key = "cable", "frame.link_unknown"
    elif status.is_online:
        icon, key = "link", "frame.online"
    else:
        icon, key = "unplug", "frame.offline"
    return LinkLine(
        icon=icon,
        kind_key=key,
        waiting=sum(row.state is not TransferState.DONE for row in status.rows),
        bytes_received=status.bytes_received,
        last_contact_ms=status.last_contact_ms,
    )


class FrameModel(QObject):
    """What the frame shows beside the page. GUI thread."""

    changed = Signal()
    class_shown = Signal(str)
    """Id of the class a person chose to see, empty for all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.room: Room | None = None
        self.classes: tuple[ClassGroup, ...] = ()
        self.link = link_line(SyncStatus())
        self.is_time_sure = True
        self.shown_class = ""

    def set_room(self, room: Room | None, classes: tuple[ClassGroup, ...]) -> None:
        """Show another room or other classes."""
        if (room, classes) == (self.room, self.classes):
            return
        self.room, self.classes = room, classes
        if self.shown_class not in {group.id for group in classes}:
            self.show_class("")
        self.changed.emit()

    def set_status(self, status: SyncStatus) -> None:
        """Show the supervisor's newest status."""
        link = link_line(status)
        if link != self.link:
            self.link = link
            self.changed.emit()

    def set_time_sure(self, *, is_sure: bool) -> None:
        """Show or hide the mark beside the clock."""
        if is_sure != self.is_time_sure:
            self.is_time_sure = is_sure
            self.changed.emit()

    def show_class(self, class_id: str) -> None:
        """Choose the class shown; empty for all side by side."""
        if class_id != self.shown_class:
            self.shown_class = class_id
            self.class_shown.emit(class_id)
