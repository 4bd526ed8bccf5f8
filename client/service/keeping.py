"""Will what is recorded now still be here tomorrow? What 体检 and the banner say about it.

Invariants:
  KE1  One table decides for both: they never say different things.
  KE2  A state ends with its cause: a disk that refused is tried again at every look.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from client.domain.errors import StorageError
from client.service.checks import Check, CheckState, Fix, make_check
from client.store.journal import Journal

_FULL: Final = "disk_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingFacts:
    """What was looked at."""

    refusal: str = ""
    """Message code of what kept the last write from the disk."""
    is_low: bool = False
    """Hardly any room is left for records."""
    forgets: bool = False
    """The disk is set back at every start of the machine."""
    hubs: int = 0
    """How many hubs the room is enrolled with."""
    is_sent: bool = False
    """A hub is known to hold everything that is here."""


def keeping(facts: KeepingFacts) -> tuple[Check, ...]:
    """Say what threatens the records, the worst first. Pure (KE1).

    | the disk             | and                    | line             | what helps         |
    |----------------------|------------------------|------------------|--------------------|
    | refused, being full  | -                      | journal_full     | in words           |
    | refused otherwise    | -                      | journal_refused  | in words           |
    | has hardly any room  | -                      | journal_low      | in words           |
    | forgets              | no hub                 | restore_alone    | add a hub          |
    | forgets              | a hub lacks something  | restore_forgets  | send it now        |
    | forgets              | a hub has everything   | restore_sent     | in words           |
    """
    found: list[Check] = []
    if facts.refusal == _FULL:
        found.append(make_check("journal", CheckState.BAD, "full"))
    elif facts.refusal:
        found.append(make_check("journal", CheckState.BAD, "refused"))
    elif facts.is_low:
        found.append(make_check("journal", CheckState.BAD, "low"))
    if facts.forgets and not facts.hubs:
        alone = make_check("restore", CheckState.BAD, "alone")
        found.append(replace(alone, fix=Fix.OPEN_SETTINGS))
    elif facts.forgets and not facts.is_sent:
        unsent = make_check("restore", CheckState.BAD, "forgets")
        found.append(replace(unsent, fix=Fix.SEND))
    elif facts.forgets:
        found.append(make_check("restore", CheckState.ADVICE, "sent"))
    return tuple(found)


class Keeping:
    """Looks on a worker thread of its own: a disk that hangs holds up nobody else.

    Args:
        journal: The room's journal.
        hubs: Counts the hubs the room is enrolled with. Blocking.
    """

    def __init__(self, journal: Journal, hubs: Callable[[], int]) -> None:
        self._journal: Final = journal
        self._hubs: Final = hubs
        self._worker: Final = ThreadPoolExecutor(1, thread_name_prefix="keeping")

    def look(self) -> Future[tuple[Check, ...]]:
        """Answer what threatens the records now; empty when nothing does."""
        return self._worker.submit(lambda: keeping(self.facts_now()))

    def facts_now(self) -> KeepingFacts:
        """Look on the calling thread (KE2). Blocking; a disk that cannot be read refused."""
        journal = self._journal
        if journal.refusal:
            journal.try_disk()
        try:
            hubs, is_sent = self._hubs(), journal.forgets and journal.is_acknowledged()
        except StorageError as error:
            return KeepingFacts(refusal=error.code)
        return KeepingFacts(
            refusal=journal.refusal,
            is_low=journal.ballast.is_low(),
            forgets=journal.forgets,
            hubs=hubs,
            is_sent=is_sent,
        )

    def close(self) -> None:
        """Finish what was begun, then stop."""
        self._worker.shutdown(wait=True, cancel_futures=True)
