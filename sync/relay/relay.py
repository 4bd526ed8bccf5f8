"""The thread of a running hub that calls the hubs above it, each in its time.

When which is called is decided by `sync.engine.hub_calls`, as in a room: soon after a room brought
something, less and less often while a hub fails, and by running time alone.

Invariants:
  RT1  Nothing that a hub above does or says keeps this one from answering its rooms.
  RT2  Hubs that a command line added or removed beside the running hub are called, or called no
       more, a minute later.
"""

import contextlib
import logging
import random
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Final, Self

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import Cancelled, StorageError
from sync.engine.hub_calls import Trigger
from sync.engine.hub_round import HubRound
from sync.hub.folder import HubFolder
from sync.relay.upstream import ToldTime, UpstreamLink

_LOOK_S: Final = 60.0

_log = logging.getLogger(__name__)


class Relay:
    """Calls while it is used as a context.

    Args:
        folder: The hub's data; open until the context is left.
        clock: Its running time.
        luck: Gives random numbers from 0 to 1.
    """

    def __init__(
        self, folder: HubFolder, clock: Clock, luck: Callable[[], float] = random.random
    ) -> None:
        time = ToldTime(clock)
        self._folder: Final = folder
        self._round: Final = HubRound(
            folder.upstreams.hubs,
            lambda hub: UpstreamLink(folder, hub, clock, time),
            clock,
            luck,
        )
        self._cancel: Final = CancelToken()
        self._ended: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="relay")

    def __enter__(self) -> Self:
        """Begin."""
        # Nobody is woken: what is written is told within a minute, and looked at as often.
        self._folder.logs.listen(partial(self._round.tell, Trigger.WRITTEN))
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop, and say in a few seconds at most what no hub above has got yet."""
        self._cancel.cancel()
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(StorageError):
            self._round.look_again()
        self._round.close()

    def _run(self) -> None:
        while not self._cancel.is_cancelled:
            wait_s: float | None = None
            try:
                self._round.look_again()
                wait_s = self._round.wait_s()
                if wait_s == 0.0:
                    self._round.call(self._cancel)
                    continue
            except Cancelled:
                return
            except StorageError:
                _log.exception("the hubs above cannot be read; looked at again later")
            self._ended.wait(_LOOK_S if wait_s is None else min(wait_s, _LOOK_S))
