"""Everything that may go wrong in a way somebody can name.

* ClassroomError
  x UserError            the teacher can put it right                        exit 3
    + UsageError         the command line was wrong                          exit 2
  x ResourceError        disk, network or player failed; may heal            exit 4
    + StorageError       - StorageFullError  - StorageCorruptError  - StorageTooNewError
    + TransportError     - UnreachableError  - TimedOutError  - RefusedError  - BusyError
    + PlayerError
  x ProtocolError        the other side broke its contract; never retried    exit 5
    + DigestMismatchError
    + VersionUnsupportedError
  x Cancelled            a request that was met, not a failure               exit 130

An error carries a message key and values, never a sentence; `client.service.text` turns
the key into words. Foreign exceptions become these once, at the border that meets them.
Anything else that is raised is a bug.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class ClassroomError(Exception):
    """Base of all errors that are shown to people.

    Args:
        code: Message key such as `disk_full`; `error.<code>` and `hint.<code>` are its words.
        values: Named values for the words, e.g. `{"free_mb": 12}`.
    """

    kind: ClassVar[str] = "resource"
    exit_code: ClassVar[int] = 4

    def __init__(self, code: str, values: Mapping[str, object] = _NOTHING) -> None:
        super().__init__(code, dict(values))
        self.code = code
        self.values = values


class UserError(ClassroomError):
    """The teacher can put it right."""

    kind = "user"
    exit_code = 3


class UsageError(UserError):
    """The command line was wrong."""

    exit_code = 2


class ResourceError(ClassroomError):
    """Disk, network or player failed; it may heal by itself."""


class StorageError(ResourceError):
    """The database or a file could not be read or written."""


class StorageFullError(StorageError):
    """No room is left on the disk."""


class StorageCorruptError(StorageError):
    """A database file is damaged."""


class StorageTooNewError(StorageError):
    """A newer version of the program wrote this database."""


class TransportError(ResourceError):
    """A request did not get its answer. The only family that is retried by itself."""


class UnreachableError(TransportError):
    """No connection, or it broke."""


class TimedOutError(TransportError):
    """Nothing arrived for too long."""


class BusyError(TransportError):
    """429 or 5xx. `retry_after_s` is what the peer asked for, 0.0 if it did not say."""

    def __init__(self, code: str, values: Mapping[str, object] = _NOTHING) -> None:
        super().__init__(code, values)
        self.retry_after_s = float(str(values.get("retry_after_s", 0.0)))


class RefusedError(ResourceError):
    """400, 401, 403, 404 or 410: asking again changes nothing until something else does."""

    def __init__(self, code: str, values: Mapping[str, object] = _NOTHING) -> None:
        super().__init__(code, values)
        self.status = int(str(values.get("status", 0)))


class PlayerError(ResourceError):
    """The media could not be opened or decoded."""


class ProtocolError(ClassroomError):
    """The other side sent something its contract forbids."""

    kind = "protocol"
    exit_code = 5


class DigestMismatchError(ProtocolError):
    """Bytes do not match the digest they were announced with."""


class VersionUnsupportedError(ProtocolError):
    """The other side speaks a version this program cannot."""


class Cancelled(ClassroomError):  # noqa: N818 - control flow: a request that was met
    """The operation was asked to stop, and did."""

    kind = "cancelled"
    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")
