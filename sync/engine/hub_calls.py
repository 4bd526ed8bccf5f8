"""When to speak to which hub: pure decisions.

| what happens                              | the hub is called                                    |
|-------------------------------------------|------------------------------------------------------|
| the program starts                        | within half a minute                                 |
| an exchange ended, nothing is left        | after what the hub asks for, give or take half of it |
| an exchange ended, more is left           | after five seconds                                   |
| it failed for the n-th time               | after 5 s * 2^n, at most an hour; luck shortens it   |
| the hub asked to wait                     | not before, whatever happens                         |
| a class ended                             | now, unless the hub fails                            |
| a fact was written                        | within a minute, unless the hub fails                |
| the link changed, somebody asks           | now; failures are forgotten                          |

Invariants:
  HC1  A hub that fails is called less and less, up to once an hour; one that asked to be left
       alone is left alone.
  HC2  Hubs are called in turn: the one that is due longest comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from sync.engine.pacing import Patience, backoff_s

PATIENCE: Final = Patience(first_s=5.0, most_s=3600.0)
START_S: Final = 30.0
SOON_S: Final = 5.0
LEAST_S: Final = 60
MOST_S: Final = 7200
"""Bounds of what a hub may ask for."""


class Trigger(Enum):
    """Why to call a hub before its time."""

    CLASS_ENDED = "class_ended"
    WRITTEN = "written"
    LINK = "link"
    ASKED = "asked"


_WAIT_S: Final = {
    Trigger.CLASS_ENDED: 0.0,
    Trigger.WRITTEN: 60.0,
    Trigger.LINK: 0.0,
    Trigger.ASKED: 0.0,
}
_BEGINS_ANEW: Final = frozenset({Trigger.LINK, Trigger.ASKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The next call of one hub. Times are monotonic seconds."""

    due_s: float
    not_before_s: float = 0.0
    """The hub asked to be left alone until then."""
    failures: int = 0
    has_news: bool = False
    """Something was written that the hub has not got."""
    is_asked: bool = False
    """Somebody asked for it, or the link changed, since it was called."""

    @property
    def at_s(self) -> float:
        """When to call."""
        return max(self.due_s, self.not_before_s)


def first_call(now_s: float, luck: float) -> Call:
    """Plan the first call after the program began.

    Args:
        now_s: Monotonic seconds.
        luck: A random number from 0 to 1, so that many rooms do not come together.
    """
    return Call(due_s=now_s + luck * START_S, has_news=True)


def after_exchange(now_s: float, next_s: int, luck: float, *, is_complete: bool) -> Call:
    """Plan the call after one that succeeded."""
    if not is_complete:
        return Call(due_s=now_s + SOON_S, has_news=True)
    asked_s = min(max(next_s, LEAST_S), MOST_S)
    return Call(due_s=now_s + asked_s * (0.5 + luck))


def after_failure(call: Call, now_s: float, retry_after_s: float, luck: float) -> Call:
    """Plan the call after one that failed (HC1)."""
    failures = call.failures + 1
    wait_s = backoff_s(PATIENCE, failures, 0.0, luck)
    return replace(
        call,
        due_s=now_s + wait_s,
        failures=failures,
        not_before_s=max(call.not_before_s, now_s + min(retry_after_s, PATIENCE.most_s)),
    )


def triggered(call: Call, trigger: Trigger, now_s: float) -> Call:
    """Call earlier because something happened; the lines of the module's table."""
    has_news = call.has_news or trigger in (Trigger.WRITTEN, Trigger.CLASS_ENDED)
    if call.failures and trigger not in _BEGINS_ANEW:
        return replace(call, has_news=has_news)
    due_s = min(call.due_s, now_s + _WAIT_S[trigger])
    is_asked = call.is_asked or trigger in _BEGINS_ANEW
    return replace(call, due_s=due_s, failures=0, has_news=has_news, is_asked=is_asked)


def next_hub(calls: Mapping[bytes, Call], now_s: float) -> bytes | None:
    """Choose whom to call now (HC2); None when nobody is due."""
    due = [(call.at_s, key) for key, call in calls.items() if call.at_s <= now_s]
    return min(due)[1] if due else None


def wait_s(calls: Mapping[bytes, Call], now_s: float) -> float | None:
    """Tell in how many seconds somebody is due; None where there is no hub."""
    waits = [call.at_s - now_s for call in calls.values()]
    return max(0.0, min(waits)) if waits else None
