"""`bench scrub`: reading verified files again, as fast as the machine can and as the program does.

The program reads at most 5 MB/s beside other work; `core_share` is what that takes of one core.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.service.scrub import Pace
from client.store.blob_store import BlobStore, StoredFile

FILES: Final = 8
QUICK_FILES: Final = 2
_PIECE: Final = 1 << 20
_PIECES: Final = 32
_MB: Final = 1000 * 1000


def bench_scrub(files: int = FILES, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """Lay files of 32 MiB and read them twice. Blocking.

    Returns:
        `mb_per_s` as fast as it goes, `paced_mb_per_s` and `core_share` as the program reads.
    """
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        store = BlobStore(Path(folder) / "blobs", floor_bytes=0)
        laid = [_lay(store, number) for number in range(files)]
        progress(f"scrub: {files} files laid")
        begun = clock.monotonic()
        bad = sum(not store.matches(one.digest, one.ext) for one in laid)
        seconds = clock.monotonic() - begun
        progress(f"scrub: {sum(one.size_bytes for one in laid) / _MB / seconds:.0f} MB/s")
        one = laid[0]
        token = CancelToken()
        begun, used = clock.monotonic(), time.process_time()
        bad += not store.matches(one.digest, one.ext, token, Pace(clock, token, _always).read)
        paced = clock.monotonic() - begun
        share = (time.process_time() - used) / paced
    return {
        "mb_per_s": round(sum(one.size_bytes for one in laid) / _MB / seconds, 1),
        "paced_mb_per_s": round(one.size_bytes / _MB / paced, 2),
        "core_share": round(share, 4),
        "bad": bad,
    }


def _lay(store: BlobStore, number: int) -> StoredFile:
    growing = store.growing(f"bench-{number}", str(number), 0)
    for _ in range(_PIECES):
        growing.write(os.urandom(_PIECE))
    stored = store.commit(growing, ".ts")
    growing.discard()
    return stored


def _always() -> bool:
    return True
