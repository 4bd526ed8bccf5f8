"""A hub's data folder: what lies in it, and how it is opened.

    hub.db  logs.db      who may speak, which hubs are above this one, and what was brought
    hub.key              the hub's own key, 0600
    tls/                 its authority and certificate, keys 0600
    content/             what it shows to everybody (sync.hub.content)
    profile/             what it publishes, unless it is told of another profile
    audit.log            who was let in, sent away or refused
    hub.lock             who has it open

Invariants:
  O1  Folder and keys can be read by their owner only.
  O2  A hub that ran once keeps its key: a folder that knows nodes or hubs and has no key is
      damaged, and is refused instead of being given a new one.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self

from client.domain.clock import Clock
from client.domain.errors import StorageCorruptError, StorageError, UserError
from client.domain.record.event import Event
from client.store.database import Database
from client.store.keyfile import KeyFile
from client.store.log_rows import select_sites
from client.store.log_store import LogStore, Quota
from client.store.presence import Presence
from client.store.schema_journal import MIGRATIONS as LOG_MIGRATIONS
from sync.hub.audit import AuditFile
from sync.hub.store import MIGRATIONS, SqliteDirectory
from sync.hub.upstreams import SqliteUpstreams

HUB_DB: Final = "hub.db"
LOGS_DB: Final = "logs.db"
KEY: Final = "hub.key"
TLS: Final = "tls"
LOCK: Final = "hub.lock"
CONTENT: Final = "content"
PROFILE: Final = "profile"
_SITES: Final = 1024
_QUOTA: Final = Quota(log_bytes=64 << 20, site_bytes=1 << 30)
"""A class writes a quarter of a megabyte in a year."""


class SqliteLogs:
    """See `sync.hub.ports.Logs`. Those that were asked for last stay at hand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gate = Lock()
        self._listener: Callable[[], None] = lambda: None
        self._known: OrderedDict[bytes, LogStore] = OrderedDict()

    def of(self, site: bytes) -> LogStore:
        """See the port."""
        with self._gate:
            log = self._known.pop(site, None) or LogStore(
                self._database, site, quota=_QUOTA, heard=self._heard
            )
            self._known[site] = log
            if len(self._known) > _SITES:
                self._known.popitem(last=False)
        return log

    def sites(self) -> tuple[bytes, ...]:
        """List the schools of which anything is held."""
        return self._database.read_here(select_sites)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on any thread, after something new was kept by this process."""
        self._listener = listener

    def _heard(self, _events: Sequence[Event]) -> None:
        self._listener()


class HubFolder:
    """An open data folder; close it, or use it as a context.

    Args:
        path: The folder.
        clock: Dates the audit.
        is_new_allowed: Make the folder where there is none.

    Raises:
        UserError: `hub_absent`: there is no hub in it, and none may be made.
        StorageError: It cannot be read, is damaged or was written by a newer program.
    """

    def __init__(self, path: Path, clock: Clock, *, is_new_allowed: bool = False) -> None:
        if not is_new_allowed and not (path / HUB_DB).exists():
            raise UserError("hub_absent", {"path": str(path)})
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            self.presence: Final = Presence(path / LOCK)
        except OSError as error:
            raise StorageError("store_failed", {"detail": str(error)}) from error
        self.presence.enter()
        self.path: Final = path
        self.database: Final = Database(path / HUB_DB, MIGRATIONS)
        self.log_database: Final = Database(path / LOGS_DB, LOG_MIGRATIONS)
        self.directory: Final = SqliteDirectory(self.database)
        self.upstreams: Final = SqliteUpstreams(self.database)
        self.logs: Final = SqliteLogs(self.log_database)
        self.audit: Final = AuditFile(path, clock)

    def key(self) -> KeyFile:
        """Read the hub's key; make it if this folder was never used (O2)."""
        known = KeyFile.load(self.path / KEY)
        if known is not None:
            return known
        if self.directory.nodes() or self.upstreams.hubs():
            raise StorageCorruptError("hub_key_lost", {"path": str(self.path / KEY)})
        return KeyFile.create(self.path / KEY)

    def close(self) -> None:
        """Bring everything to the disk and close it. Idempotent."""
        self.log_database.close()
        self.database.close()
        self.presence.close()

    def __enter__(self) -> Self:
        """Give the folder itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
