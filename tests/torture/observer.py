"""What somebody outside of the product noted, and what must be true of it afterwards (SYNC §2.5).

Nothing here asks the logic under test what is right: registers, facts and predecessors are judged
by the notes that were made when a simulated teacher did something.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.domain.record.fold import Fold
from client.domain.record.segment import covers
from client.domain.record.vector import Vector

REGISTERS = (EventType.SETTING, EventType.SLOT, EventType.POINTER)
FACTS = (EventType.CUE_REACHED, EventType.HEADCOUNT, EventType.PLAYED)


class Broken(AssertionError):  # noqa: N818 - it is what happened
    """An invariant does not hold; `kind` is `lost`, `diverged` or another word."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(frozen=True)
class Deed:
    """Something a teacher did: one event. `seen` are the deeds that it replaces."""

    number: int
    event: Event
    seen: tuple[bytes, ...] = ()
    is_read: bool = True
    is_register: bool = False


class Observer:
    """The list kept outside of the product."""

    def __init__(self) -> None:
        self.deeds: dict[bytes, Deed] = {}
        self.owed: dict[str, set[bytes]] = {}
        """Per machine, what its user was told is safe and no accident took since."""
        self.held: dict[str, set[bytes]] = {}
        """Per hub, what it acknowledged."""
        self.retired: list[tuple[Event, list[tuple[bytes, bytes]]]] = []
        """Beginnings of logs, and the ends of those that they go on from."""

        self.keys: dict[bytes, bytes] = {}
        """Whose key each log was written with."""
        self.enrolled: set[bytes] = set()
        """The keys that a hub ever knew."""
        self.revoked: dict[bytes, set[bytes]] = {}
        """Per key that was revoked, what hubs had of it by then."""
        self.unsigned: set[bytes] = set()
        """Deeds whose only segment rotted after its key was lost."""

    def done(self, machine: str, deed: Deed, key: bytes) -> None:
        """A deed was acknowledged as durable to the user of a machine."""
        self.deeds[deed.event.hash] = deed
        self.keys[deed.event.writer] = key
        self.owed.setdefault(machine, set()).add(deed.event.hash)

    def excuse(self, owner: str, there: set[bytes], elsewhere: set[bytes] = frozenset()) -> None:
        """An accident took what is not `there` from a machine or a hub."""
        for ledger in (self.owed, self.held):
            if owner in ledger:
                ledger[owner] &= there | elsewhere

    def acknowledged(self, hub: str, segments: Iterable[bytes]) -> None:
        """A hub promised to keep these."""
        by_id = {name[:16]: deed.event for name, deed in self.deeds.items()}
        for run in map(covers, segments):
            event = by_id.get(run.head)
            while event is not None and event.seq >= run.first:
                self.held.setdefault(hub, set()).add(event.hash)
                event = by_id.get(event.prev[:16])

    def check_promises(self, owner: str, there: set[bytes]) -> None:
        """I2, I7: what was promised is there after a start."""
        for ledger in (self.owed, self.held):
            gone = ledger.get(owner, set()) - there
            if gone:
                raise Broken("lost", f"{owner} lost {len(gone)} that were promised")

    # --- at the end ----------------------------------------------------------------------

    def judge(
        self, stores: dict[str, list[Event]], surviving: set[bytes], cut_off: set[str]
    ) -> None:
        """I1, I3, I4, I5: nothing lost, all equal, nothing silently overwritten or made up.

        What a revoked key wrote stays where it was, as does what rotted where nobody can sign it
        again; it need not come anywhere else. Nor need a log of a key that no hub ever knew, once
        only a revoked key tells that it was the school's. Machines that are `cut_off` keep what
        they have.
        """
        sets = {name: {event.hash for event in events} for name, events in stores.items()}
        for name, there in sets.items():
            self.check_promises(name, there)
            if there - self.deeds.keys():
                raise Broken("forged", f"{name} holds what nobody wrote")
        denied = self._denied()
        refused = self.unsigned | {
            one for one, deed in self.deeds.items() if deed.event.writer in denied
        }
        owed = [due for name, due in self.owed.items() if name not in cut_off]
        must = surviving.union(*owed, *self.held.values()) - refused
        joined = {name: there - refused for name, there in sets.items() if name not in cut_off}
        for name, there in joined.items():
            if must - there:
                raise Broken("lost", f"{len(must - there)} of {len(must)} are not at {name}")
        if len(set(map(frozenset, joined.values()))) > 1:
            raise Broken("diverged", "sets differ")
        self._judge_folds({name: (frozenset(sets[name]), stores[name]) for name in stores})

    def _denied(self) -> set[bytes]:
        """The logs that a hub which does not have them need not let in."""
        denied = {writer for writer, key in self.keys.items() if key in self.revoked}
        vouchers: dict[bytes, set[bytes]] = {}
        for begin, heads in self.retired:
            for writer, _ in heads:
                if self.keys.get(writer) not in self.enrolled:
                    vouchers.setdefault(writer, set()).add(begin.writer)
        while more := {one for one, by in vouchers.items() if by <= denied} - denied:
            denied |= more
        return denied

    def _judge_folds(self, stores: dict[str, tuple[frozenset[bytes], list[Event]]]) -> None:
        shown: dict[frozenset[bytes], bytes] = {}
        for there, events in stores.values():
            fold = Fold(events)
            digest = digest_of_fold(fold)
            if there not in shown:
                self._judge_fold(fold, there)
            if shown.setdefault(there, digest) != digest:
                raise Broken("diverged", "folds differ")

    def key_of(self, name: bytes) -> bytes:
        """Tell with which key a deed was signed."""
        return self.keys[self.deeds[name].event.writer]

    def check_refused(self, hub: str, there: set[bytes]) -> None:
        """A hub took nothing of a key since that was revoked, whoever brought it."""
        for key, before in self.revoked.items():
            if any(self.key_of(one) == key for one in there - before):
                raise Broken("denied", f"{hub} took what a revoked key wrote")

    def _judge_fold(self, fold: Fold, there: frozenset[bytes]) -> None:
        replaced = {name for one in there for name in self.deeds[one].seen}
        expected = {one for one in there if self.deeds[one].is_read and one not in replaced}
        shown = {entry.event.hash for entry in visible(fold)}
        if expected - shown:
            raise Broken("overwritten", f"{len(expected - shown)} vanished without being seen")
        if shown - expected:
            raise Broken("revived", f"{len(shown - expected)} came back")
        unread = sum(not self.deeds[one].is_read for one in there)
        if fold.unread != unread:
            raise Broken("unread", f"{fold.unread} instead of {unread}")

    def check_closed(self, vector: Vector, events: dict[bytes, Event]) -> None:
        """I10: a log that somebody went on from costs nothing, so vectors stay short.

        One with a gap is told: what rotted here may be somewhere else.
        """
        parents = {event.prev for event in events.values()}
        opened = {(one.writer, one.head) for one in vector.open if one.first == 1}
        for begin, heads in self.retired:
            ended = {(writer, head[:16]) for writer, head in heads if head not in parents}
            if begin.hash in events and ended & opened:
                raise Broken("unbounded", "a log that ended is told again and again")


def visible(fold: Fold) -> Iterable:
    """Everything that a fold shows."""
    for number in EventType:
        yield from fold.facts(number)
        for group in fold.registers(number):
            yield from group


def digest_of_fold(fold: Fold) -> bytes:
    """Sum up what a fold shows, in the order in which it shows it."""
    digest = hashlib.sha256(fold.unread.to_bytes(8, "big"))
    for entry in visible(fold):
        digest.update(entry.event.hash)
    return digest.digest()
