"""Calls all hubs of a room in turn, each in its time; the supervisor lends its thread.

Invariants:
  HR1  `call` raises nothing but `Cancelled`: what a hub does ends its own call.
  HR2  What was written here and has reached no hub is said once more when the program ends, for
       three seconds at most, unless the hub fails.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import BusyError, Cancelled, ClassroomError
from client.service.hubs import KnownHub
from sync.engine import hub_calls
from sync.engine.exchange import Outcome
from sync.engine.hub_calls import Call, Trigger

_LOG: Final = logging.getLogger(__name__)
_LAST_WORD_S: Final = 3.0


class Link(Protocol):
    """The way to one hub; `sync.engine.hub_link.HubLink` is one."""

    def exchange(self, cancel: CancelToken) -> Outcome:
        """Reconcile."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class HubRound:
    """See the module; a `sync.engine.supervisor.Calls`. Any thread may tell what happened.

    Args:
        hubs: Lists the hubs of the room.
        link: Makes the way to one.
        clock: Its monotonic time.
        luck: Gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        hubs: Callable[[], Sequence[KnownHub]],
        link: Callable[[KnownHub], Link],
        clock: Clock,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._hubs: Final = hubs
        self._make: Final = link
        self._clock: Final = clock
        self._luck: Final = luck
        self._gate = threading.Lock()
        self._calls: dict[bytes, Call] = {}
        self._links: dict[bytes, tuple[KnownHub, Link]] = {}
        self.look_again()

    def look_again(self) -> None:
        """Learn which hubs there are now."""
        now_s = self._clock.monotonic()
        with self._gate:
            known = {hub.key for hub in self._hubs()}
            self._calls = {
                key: self._calls.get(key) or hub_calls.first_call(now_s, self._luck())
                for key in known
            }

    def tell(self, trigger: Trigger) -> None:
        """Hear that something happened."""
        now_s = self._clock.monotonic()
        with self._gate:
            for key, call in self._calls.items():
                self._calls[key] = hub_calls.triggered(call, trigger, now_s)

    def link_up(self) -> None:
        """See `Calls`."""
        self.tell(Trigger.LINK)

    def wait_s(self) -> float | None:
        """See `Calls`."""
        with self._gate:
            return hub_calls.wait_s(self._calls, self._clock.monotonic())

    def call(self, cancel: CancelToken) -> bool:
        """See `Calls` (HR1)."""
        with self._gate:
            key = hub_calls.next_hub(self._calls, self._clock.monotonic())
        return key is not None and self._exchange(key, cancel)

    def close(self) -> None:
        """See `Calls` (HR2)."""
        cancel = CancelToken()
        clock = threading.Timer(_LAST_WORD_S, cancel.cancel)
        clock.daemon = True
        clock.start()
        with self._gate:
            waiting = [k for k, call in self._calls.items() if call.has_news and not call.failures]
        try:
            for key in waiting:
                self._exchange(key, cancel)
        except Cancelled:
            pass  # the next start says it
        finally:
            clock.cancel()
            for _, link in self._links.values():
                link.close()

    # --- inside --------------------------------------------------------------------------

    def _exchange(self, key: bytes, cancel: CancelToken) -> bool:
        with self._gate:
            had_news = self._calls[key].has_news
            self._calls[key] = replace(self._calls[key], has_news=False, is_asked=False)
        retry_after_s, outcome = 0.0, None
        try:
            outcome = self._link(key).exchange(cancel)
        except Cancelled:
            raise
        except ClassroomError as error:
            retry_after_s = error.retry_after_s if isinstance(error, BusyError) else 0.0
        except Exception:  # noqa: BLE001 - a bug ends this call, not the thread (HR1)
            _LOG.exception("an exchange with a hub failed inside")
        with self._gate:
            # News, and whoever asked, came while it ran.
            call = self._calls[key]
            planned = self._planned(call, outcome, retry_after_s, had_news=had_news)
            if call.is_asked:
                planned = hub_calls.triggered(planned, Trigger.ASKED, self._clock.monotonic())
            self._calls[key] = planned
        return outcome is not None

    def _planned(
        self, call: Call, outcome: Outcome | None, retry_after_s: float, *, had_news: bool
    ) -> Call:
        now_s, luck = self._clock.monotonic(), self._luck()
        if outcome is None or outcome.is_put_off:
            call = replace(call, has_news=call.has_news or had_news)
            return hub_calls.after_failure(call, now_s, retry_after_s, luck)
        after = hub_calls.after_exchange(now_s, outcome.next_s, luck, is_complete=outcome.is_agreed)
        return hub_calls.triggered(after, Trigger.WRITTEN, now_s) if call.has_news else after

    def _link(self, key: bytes) -> Link:
        hub = next(hub for hub in self._hubs() if hub.key == key)
        if key in self._links and self._links[key][0] != hub:
            # Enrolled with anew: it has moved, or calls this one otherwise.
            self._links.pop(key)[1].close()
        if key not in self._links:
            self._links[key] = hub, self._make(hub)
        return self._links[key][1]
