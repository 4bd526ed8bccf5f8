"""library.db: catalogue, holdings and search index. Rebuildable, deletable at any time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from client.store.database import Database, Migration
from client.store.schema_attested import m0004_attested
from client.store.schema_catalogue import m0001_catalogue
from client.store.schema_holdings import m0002_holdings
from client.store.schema_search import m0003_search
from client.store.schema_withdrawal import m0005_withdrawal

MIGRATIONS: Final[Sequence[Migration]] = (
    m0001_catalogue,
    m0002_holdings,
    m0003_search,
    m0004_attested,
    m0005_withdrawal,
)


def open_library(path: Path) -> Database:
    """Open library.db, making or migrating it.

    Raises:
        StorageTooNewError: A newer program wrote it.
        StorageCorruptError: It is damaged; it may be deleted and made anew.
    """
    return Database(path, MIGRATIONS)
