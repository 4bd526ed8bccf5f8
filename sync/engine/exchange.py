"""A room's side of an exchange with one hub: as many requests as it takes, and no more.

What a request holds follows from what is believed of the hub; the first line that fits decides:

| known                                              | told           | pushed             |
|----------------------------------------------------|----------------|--------------------|
| nothing is new here since both agreed              | its summary    | nothing            |
| what the hub holds is not known, or not in full    | everything     | nothing            |
| else                                               | everything     | what it lacks      |

Invariants:
  EX1  Nothing of a reply is believed before its signature held and it answers this request.
  EX2  What the hub acknowledged is remembered before the next request leaves: an exchange that
      breaks anywhere goes on behind the last acknowledged segment.
  EX3  Where nothing is new on either side, one request is made.
  EX4  Each request but the first few brings something new for somebody, or it is the last one.
  EX5  What the hub refuses stays here, is told, and holds up nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import ProtocolError, UnreachableError
from client.domain.record.log import Log, Taken
from client.domain.record.segment import covers, peek
from client.domain.record.vector import EMPTY, Stretch, Vector
from client.domain.signer import Signer, Verify
from sync.engine.belief import HeldBack, acknowledged, pack_belief, read_belief, told
from sync.protocol.exchange import (
    MAX_PUSH_BYTES,
    Have,
    HubTime,
    Reading,
    Reply,
    Request,
    Status,
    fitting,
    node_of,
    open_reply,
    pack_request,
)

MAX_ROUNDS: Final = 64
"""Requests of one exchange; a larger backlog goes on with the next."""
MAX_AT_ONCE: Final = 16
"""Requests that may leave before the first answer comes, where answers take days."""
_MAX_FRUITLESS: Final = 4
"""So many requests may bring nothing: a summary, everything, the closed logs, and one to spare."""
_NEVER: Final = frozenset({Taken.SIGNATURE_BAD, Taken.CHAIN_BROKEN, Taken.INVALID})
"""A segment of this store that answers so is damaged, here or there."""
_FORGED: Final = frozenset({"not_canonical", "too_large", "signature_bad", "reply_to_another"})
"""What a login page, a cache or a stranger in between gives."""

_NOT_TAKEN: Final = "segment_not_taken"

Carrier = Callable[[bytes], bytes]
"""Brings an envelope to the hub and its answer back. Raises `TransportError`."""


class Memory(Protocol):
    """Keeps the belief about one hub."""

    def load(self) -> bytes:
        """Give the blob that was saved last, empty at first."""
        ...

    def save(self, blob: bytes) -> None:
        """Keep a blob; it need not be on the disk yet (B1)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Who asks: the room's site and machine, and which start of the machine this is."""

    site: bytes
    machine: bytes
    boot: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePorts:
    """What an exchange works with."""

    log: Log
    seal: Callable[[], None]
    """Seals what no segment holds yet. Blocking."""
    signer: Signer
    verify: Verify
    hub_key: bytes
    here: Here
    carrier: Carrier
    memory: Memory
    on_refused: Callable[[bytes, Taken], None]
    """Keeps a copy of a segment that the hub calls damaged, for somebody to look at."""
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSample:
    """The hub's time at one moment of this machine: UTC milliseconds, give or take `err_ms`."""

    mono_ms: int
    utc_ms: int
    err_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an exchange did. Bytes are those of whole messages, without their carrier's."""

    pushed_events: int = 0
    pulled_events: int = 0
    left_events: int = 0
    """Left where somebody carries them; not acknowledged yet."""
    pushed_bytes: int = 0
    pulled_bytes: int = 0
    requests: int = 0
    anchor: TimeSample | None = None
    """The best sample of the hub's time."""
    notes: tuple[str, ...] = ()
    """Message codes: `notice.<code>` are their words."""
    next_s: int = 0
    """After how many seconds the hub wants to hear again."""
    is_agreed: bool = False
    """Neither side has anything more for the other."""
    is_put_off: bool = False
    """The hub is full for now."""
    held: bytes = b""
    """Summary of what was here, once the hub signed that it holds exactly this."""


class Exchanger:
    """See the module. Synchronous; used by one thread at a time."""

    def __init__(self, ports: ExchangePorts, cancel: CancelToken | None = None) -> None:
        self._ports = ports
        self._cancel = cancel or CancelToken()

    def run(self) -> Outcome:
        """Reconcile with the hub.

        Raises:
            TransportError: No way to the hub; what it acknowledged counts.
            ProtocolError: The hub broke the protocol under its own signature.
            StorageError: What came could not be kept.
            Cancelled: As above, by request.
        """
        self._ports.seal()
        turn = Turn(self._ports)
        ask: Ask | None = turn.ask()
        while ask is not None and turn.outcome.requests < MAX_ROUNDS:
            self._cancel.check()
            ask = turn.round(ask)
        return turn.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one request holds, and what was here when it was made."""

    have: Have
    here: Vector
    segments: tuple[bytes, ...] = ()
    max_bytes: int = MAX_PUSH_BYTES
    """Segments that the reply may hold together."""


class Turn:
    """One exchange while it runs; `sync.engine.folder_exchange` takes the same steps slower."""

    def __init__(self, ports: ExchangePorts) -> None:
        self._ports = ports
        self._belief = read_belief(ports.memory.load())
        self._skipped: tuple[Stretch, ...] = ()
        """What the hub would not take this time."""
        self._acked: frozenset[Stretch] = frozenset()
        self._moved = (self._acked, 0)
        """What it had acknowledged, and how much had come, when that was offered again."""
        self._held_back = HeldBack()
        self._fruitless = 0
        """Requests in a row that brought nothing new."""
        self._tells_closed = False
        self._lacks_beginning = False
        """The hub sent later segments of a log whose beginning it took for known here."""
        self._is_patient = True
        """Logs of which the hub told more than is known here wait until that came."""
        self._has_begun_anew = False
        self._has_doubted = False
        self.outcome = Outcome()

    def ask(self) -> Ask:
        """Choose what the next request holds: the table of the module."""
        here, belief = self._ports.log.vector(), self._belief
        if belief.agreed is not None and belief.agreed[0] == here.summary:
            return Ask(have=belief.agreed[1], here=here)
        there, had_told = belief.there, self._tells_closed
        if there is not None and there.closed is None:
            self._tells_closed = True
        have = self._held_back.told(here)
        if not self._tells_closed:
            have = replace(have, closed_digest=here.closed_digest, closed=None)
        if there is None or self._tells_closed != had_told:
            return Ask(have=have, here=here)
        return Ask(have=have, here=here, segments=self._missing(there, MAX_PUSH_BYTES))

    def round(self, ask: Ask) -> Ask | None:
        """Make one request and take in its answer; gives the next one if it is worth it (EX4)."""
        reply = self._carry(ask)
        has_moved, has_pulled = self.take_in(ask, reply)
        is_over = self._is_over(ask, reply, has_pulled=has_pulled)
        self._save()
        self._fruitless = 0 if has_moved or has_pulled else self._fruitless + 1
        return None if is_over or self._fruitless >= _MAX_FRUITLESS else self.ask()

    # --- asking --------------------------------------------------------------------------

    def everything(self) -> Iterator[Ask]:
        """Yield requests that stand for themselves: no answer comes before the next leaves."""
        here, belief = self._ports.log.vector(), self._belief
        there, sent, first = belief.there or EMPTY, (*belief.sent, *belief.refused), True
        for _ in range(MAX_AT_ONCE):
            segments = fitting(self._ports.log.missing(there, MAX_PUSH_BYTES, sent=sent))
            if not segments and not first:
                break
            limit = MAX_PUSH_BYTES if first else 0
            yield Ask(have=here, here=here, segments=segments, max_bytes=limit)
            sent, first = (*sent, *map(covers, segments)), False

    def _missing(self, there: Vector, max_bytes: int) -> tuple[bytes, ...]:
        if self.outcome.is_put_off:
            return ()
        belief = self._belief
        lacking = self._ports.log.missing(
            there,
            max_bytes,
            sent=(*belief.sent, *belief.refused, *self._skipped),
            is_patient=self._is_patient,
        )
        return fitting(lacking)

    def envelope(self, ask: Ask) -> bytes:
        """Give the envelope of a request; it is counted as sent."""
        ports, clock = self._ports, self._ports.clock
        request = Request(
            site=ports.here.site,
            node=node_of(ports.signer.public_key),
            machine=ports.here.machine,
            have=ask.have,
            segments=ask.segments,
            introductions=ports.log.introductions(ask.segments),
            max_bytes=ask.max_bytes,
            clock=Reading(
                boot=ports.here.boot,
                mono_ms=clock.boot_monotonic_ms(),
                wall_ms=int(clock.wall().timestamp() * 1000),
            ),
        )
        envelope = pack_request(request, ports.hub_key, ports.signer)
        before = self.outcome
        self.outcome = replace(
            before,
            requests=before.requests + 1,
            pushed_bytes=before.pushed_bytes + len(envelope),
        )
        return envelope

    def _carry(self, ask: Ask) -> Reply:
        ports, clock = self._ports, self._ports.clock
        envelope = self.envelope(ask)
        left_ms = clock.boot_monotonic_ms()
        answer = ports.carrier(envelope)
        reply = opened(answer, envelope, ports.hub_key, ports.verify)
        sample = sample_of(reply.clock, left_ms, clock.boot_monotonic_ms())
        self.outcome = replace(
            self.outcome,
            pulled_bytes=self.outcome.pulled_bytes + len(answer),
            anchor=better(self.outcome.anchor, sample),
        )
        return reply

    # --- taking in what came -----------------------------------------------------------------

    def take_in(self, ask: Ask, reply: Reply) -> tuple[bool, bool]:
        """Keep and remember what a reply brings (EX2).

        Returns:
            Whether anything was acknowledged anew, and whether anything new came.
        """
        has_moved = self._take_codes(ask, reply)
        has_pulled = self._take_segments(reply)
        self._learn(reply)
        notes = dict.fromkeys((*self.outcome.notes, *reply.notes))
        self.outcome = replace(self.outcome, notes=tuple(notes), next_s=reply.next_s)
        self._save()
        return has_moved, has_pulled

    def _save(self) -> None:
        self._ports.memory.save(pack_belief(self._belief))

    def _take_codes(self, ask: Ask, reply: Reply) -> bool:
        """Note what became of what was pushed; tells whether anything was acknowledged anew."""
        if not reply.codes:
            return False
        if len(reply.codes) != len(ask.segments):
            raise ProtocolError("message_invalid")
        known, pushed = self._acked, 0
        for data, code in zip(ask.segments, reply.codes, strict=True):
            stretch = covers(data)
            if not code.is_kept:
                self._turned_down(data, stretch, code)
                continue
            self._acked |= {stretch}
            sent = acknowledged(self._belief.sent, stretch, peek(data).prev)
            self._belief = replace(self._belief, sent=sent)
            if code is Taken.STORED:
                pushed += _count(stretch)
        has_moved = self._acked != known
        if Taken.FULL in reply.codes and not has_moved:
            self.outcome = replace(self.outcome, is_put_off=True)
            self._note("hub_full")
        self.outcome = replace(self.outcome, pushed_events=self.outcome.pushed_events + pushed)
        return has_moved

    def _turned_down(self, data: bytes, stretch: Stretch, code: Taken) -> None:
        """Decide what becomes of a segment that the hub did not keep (EX5).

        | code                             | then                                           |
        |----------------------------------|------------------------------------------------|
        | damaged                          | a copy is put aside; never offered again       |
        | full                             | offered again, unless nothing was taken at all |
        | writer unknown, the first time   | the belief was wrong: what is there is asked   |
        | else                             | not offered again this time                    |
        """
        if code in _NEVER:
            self._ports.on_refused(data, code)
            self._belief = replace(self._belief, refused=(*self._belief.refused, stretch))
            self._note("segment_refused")
        elif code is Taken.FULL:
            return
        elif code is Taken.WRITER_UNKNOWN and not self._has_begun_anew:
            self._has_begun_anew = True
            self._belief = replace(self._belief, there=None, sent=())
        else:
            self._skipped = (*self._skipped, stretch)
            self._note(_NOT_TAKEN)

    def _take_segments(self, reply: Reply) -> bool:
        """Keep what came; tells whether anything of it was new."""
        log = self._ports.log
        codes = log.take(reply.segments, reply.introductions).result() if reply.segments else ()
        pairs = tuple(zip(reply.segments, codes, strict=True))
        fresh = log.stretches(tuple(data for data, code in pairs if code is Taken.STORED))
        if not all(code.is_kept for code in codes):
            self._note("hub_segment_refused")
        # The hub guessed that both know the same closed logs; told in full, it need not guess.
        self._lacks_beginning = Taken.WRITER_UNKNOWN in codes and not self._tells_closed
        self._tells_closed |= self._lacks_beginning
        pulled = self.outcome.pulled_events + sum(map(_count, fresh))
        self.outcome = replace(self.outcome, pulled_events=pulled)
        before = self._held_back
        for data, code in pairs:
            if code.is_kept:
                self._held_back = self._held_back.took(data)
        # A portion that was here already is progress where it shows the hub how far it came.
        return bool(fresh) or self._held_back != before

    def _learn(self, reply: Reply) -> None:
        """Bring the belief up to date with what the hub told it holds."""
        here, belief = self._ports.log.vector(), self._belief
        if isinstance(reply.have, Vector):
            self._belief = told(belief, reply.have, here)
        elif reply.have == here.summary:
            self._belief = told(belief, here, here)
        elif belief.there is None or reply.have != belief.there.summary:
            self._belief = replace(belief, there=None)
        if reply.status is not Status.DONE:
            self._tells_closed |= reply.status is Status.CLOSED_WANTED
            self._belief = replace(self._belief, agreed=None)

    def _is_over(self, ask: Ask, reply: Reply, *, has_pulled: bool) -> bool:
        """Tell whether neither side has anything more; the first line that fits decides.

        | the reply                                               | over                      |
        |---------------------------------------------------------|---------------------------|
        | wants to be told more, or told nothing of what is there | no                        |
        | gave a log without its beginning, for the first time    | no                        |
        | the summary was right                                   | yes                       |
        | both hold the same                                      | yes, agreed               |
        | something new came                                      | no                        |
        | something is left to push                               | no                        |
        | as before, after a second look (`_has_more`)            | no                        |
        | the hub tells what it does not give, for the first time | no                        |
        | the hub is full                                         | yes                       |
        | else                                                    | yes, agreed               |
        """
        there, here = self._belief.there, self._ports.log.vector()
        if reply.status is not Status.DONE or there is None or self._lacks_beginning:
            return False
        if self._belief.agreed is not None and ask.have == self._belief.agreed[1]:
            here_then, there_then = self._belief.agreed
            held = here_then if here_then == there_then else b""
            self.outcome = replace(self.outcome, is_agreed=not has_pulled, held=held)
            return not has_pulled
        if there.summary == here.summary:
            return self._agree(here, there)
        if has_pulled or self._missing(there, 1) or self._has_more(there):
            return False
        before, self._held_back = (
            self._held_back,
            self._held_back.more(self._ports.log.lacks(there)),
        )
        if self._held_back != before:
            return False
        return self.outcome.is_put_off or self._agree(ask.here, there)

    def _has_more(self, there: Vector) -> bool:
        """Look again at what seemed to be there: first with less patience, then with less faith.

        What was not taken is offered once more if something else was taken or came since: it may
        be what the hub had to know first, such as the log that goes on from a lost key's.

        Both sides have given what they had, so what the hub holds is known here and its vector
        alone tells it. Acknowledgements that it does not bear out are those of a hub that was set
        back to an older state, and count no more.
        """
        moved = self._acked, self.outcome.pulled_events
        if moved != self._moved:
            self._skipped, self._moved = (), moved
            notes = (code for code in self.outcome.notes if code != _NOT_TAKEN)
            self.outcome = replace(self.outcome, notes=tuple(notes))
        self._is_patient = False
        if self._missing(there, 1):
            return True
        if self._has_doubted:
            return False
        self._has_doubted = True
        self._belief = replace(self._belief, sent=())
        return bool(self._missing(there, 1))

    def _agree(self, here: Vector, there: Vector) -> bool:
        """Note that neither has more for the other."""
        agreed = (here.summary, there.summary)
        self._belief = replace(self._belief, sent=(), agreed=agreed)
        held = here.summary if here.summary == there.summary else b""
        self.outcome = replace(self.outcome, is_agreed=True, held=held)
        return True

    def _note(self, code: str) -> None:
        notes = dict.fromkeys((*self.outcome.notes, code))
        self.outcome = replace(self.outcome, notes=tuple(notes))


def opened(answer: bytes, envelope: bytes, hub_key: bytes, verify: Verify) -> Reply:
    """Read a reply (EX1).

    Raises:
        UnreachableError: It is not from the hub, or not to this request.
        ProtocolError: The hub itself broke the protocol.
    """
    try:
        return open_reply(answer, envelope, hub_key, verify)
    except ProtocolError as error:
        if error.code in _FORGED:
            raise UnreachableError("not_the_hub") from error
        raise


def sample_of(told_by_hub: HubTime, left_ms: int, back_ms: int) -> TimeSample | None:
    """Work out the hub's time in the middle of a request; None where it does not know itself.

    Args:
        told_by_hub: Its own times.
        left_ms: Running time of this machine when the request left.
        back_ms: And when the answer was here.
    """
    there_ms = told_by_hub.left_ms - told_by_hub.came_ms
    road_ms = back_ms - left_ms - there_ms
    if told_by_hub.err_ms < 0 or told_by_hub.came_ms < 0 or there_ms < 0 or road_ms < 0:
        return None
    return TimeSample(
        mono_ms=(left_ms + back_ms) // 2,
        utc_ms=(told_by_hub.came_ms + told_by_hub.left_ms) // 2,
        err_ms=(road_ms + 1) // 2 + 1 + told_by_hub.err_ms,
    )


def better(one: TimeSample | None, other: TimeSample | None) -> TimeSample | None:
    """Choose the surer of two samples."""
    if one is None or other is None:
        return one or other
    return other if other.err_ms < one.err_ms else one


def _count(stretch: Stretch) -> int:
    return stretch.seq - stretch.first + 1
