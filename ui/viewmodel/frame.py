"""State of the window around the pages: room, classes, link, clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from client.domain.timetable import ClassGroup, Room
from client.service.api import HubRow, SyncStatus, TransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """What the link chip says: message keys and figures, never an alarm."""

    icon: str
    kind_key: str
    waiting: int
    bytes_received: int
    last_contact_ms: int | None


def link_line(status: SyncStatus, hubs: Sequence[HubRow] = ()) -> LinkLine:
    """Put the supervisor's status into the one line of the chip.

    | paused | online | icon   | word        |
    |--------|--------|--------|-------------|
    | yes    | any    | pause  | paused      |
    | no     | None   | cable  | not asked   |
    | no     | True   | link   | connected   |
    | no     | False  | unplug | offline     |

    A hub that answers is a connection too; one that lacks something is one thing that waits.
    """
    answers = [status.is_online, *(hub.answers for hub in hubs)]
    last = [status.last_contact_ms, *(hub.last_contact_ms for hub in hubs)]
    is_online = True if True in answers else False if False in answers else None
    if status.is_paused:
        icon, key = "pause", "frame.link_paused"
    elif is_online is None:
        icon, key = "cable", "frame.link_unknown"
    elif is_online:
        icon, key = "link", "frame.online"
    else:
        icon, key = "unplug", "frame.offline"
    return LinkLine(
        icon=icon,
        kind_key=key,
        waiting=sum(row.state is not TransferState.DONE for row in status.rows)
        + sum(bool(hub.waiting) for hub in hubs),
        bytes_received=status.bytes_received,
        last_contact_ms=max((at for at in last if at is not None), default=None),
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
        self._status = SyncStatus()
        self._hubs: tuple[HubRow, ...] = ()
        self.link = link_line(self._status)
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
        self._status = status
        self._show_link()

    def set_hubs(self, hubs: Sequence[HubRow]) -> None:
        """Show the newest figures of the hubs."""
        self._hubs = tuple(hubs)
        self._show_link()

    def _show_link(self) -> None:
        link = link_line(self._status, self._hubs)
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
