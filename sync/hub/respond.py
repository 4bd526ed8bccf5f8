"""One exchange as the hub sees it, whatever carried it: an envelope in, an envelope out.

    read -> who? -> revoked? -> signature -> this school? -> take segments -> compare -> reply

    | told by the room     | after taking                   | status        | have    | segments |
    |----------------------|--------------------------------|---------------|---------|----------|
    | summary              | equal to ours                  | DONE          | summary | -        |
    | summary              | differs                        | VECTOR_WANTED | all     | -        |
    | all                  | equal to ours                  | DONE          | summary | -        |
    | all, closed as digest | only the closed logs differ   | CLOSED_WANTED | all     | -        |
    | all                  | differs                        | DONE          | all     | lacking  |

`all` of ours tells the closed logs in full to whoever told theirs, else as digest.

Invariants:
  H1  Nothing is kept, told or given before the signature of an enrolled, unrevoked key held.
  H2  A code of the reply says kept only once the future of `take` is done: it is on the disk.
  H3  A room brings logs of keys that are enrolled for its school, those that a log which is held
      here goes on from (of a key that was lost before it was enrolled), and those that were let in
      before, and not without end new ones; a hub vouches for what it brings; a revoked key writes
      nothing any more, whoever brings it.
  H4  The same request again changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.clock import Clock
from client.domain.errors import BusyError, ProtocolError, UserError
from client.domain.record.log import Log, Taken, refused
from client.domain.record.segment import peek, unseal
from client.domain.record.vector import Vector
from client.domain.signer import Signer, Verify
from sync.hub.ports import Directory, Logs, Node, Role
from sync.protocol.exchange import (
    MAX_PUSH_BYTES,
    HubTime,
    Reply,
    Request,
    Status,
    check_request,
    digest_of,
    fitting,
    node_of,
    pack_reply,
    read_request,
)

TWO_MACHINES: Final = "key_on_two_machines"
"""Note: two machines use one key, so one is a copy of the other. Both are taken, people look."""

SOONEST_S: Final = 600
LATEST_S: Final = 1800
_ERROR_MS: Final = 2000
"""How far off a hub's clock may be that is kept right by its system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a hub may decide for itself."""

    spend: Callable[[bytes, int], int] = lambda _name, _size: 0
    """Told each node and the size of its request, once it is known to be the node's; gives the
    seconds to wait where that is too much, else 0."""
    floor_ms: int = 0
    """Unix milliseconds that are surely past; a date before it is not believed."""


POLICY: Final = Policy()
"""No limits, and every date is believed."""


class Responder:
    """See the module.

    Args:
        signer: The hub's key.
        directory: Who may speak.
        logs: What is held.
        clock: Gives the dates of the reply.
        verify: Checks signatures.
        policy: See `Policy`.
    """

    def __init__(
        self,
        signer: Signer,
        directory: Directory,
        logs: Logs,
        clock: Clock,
        verify: Verify,
        policy: Policy = POLICY,
    ) -> None:
        self._signer = signer
        self._directory = directory
        self._logs = logs
        self._clock = clock
        self._verify = verify
        self._policy = policy

    def answer(self, envelope: bytes) -> bytes:
        """Take what a request brings and give the envelope of the reply.

        Raises:
            ProtocolError: `not_canonical`, `message_invalid`, `too_large`, `version_unknown` or
                `signature_bad`.
            UserError: `node_unknown`, `node_revoked` or `site_denied`.
            BusyError: `too_often`, with the seconds to wait.
            StorageError: The disk refused; nothing was acknowledged.
        """
        came_ms = self._now_ms()
        request = read_request(envelope)
        node = self._sender(request, envelope)
        log = self._logs.of(request.site)
        codes = self._take(node, request, log)
        mine = log.vector()
        status, given = self._give(request, codes, log, mine)
        left_ms = self._now_ms()
        is_sure = min(came_ms, left_ms) >= self._policy.floor_ms
        reply = Reply(
            status=status,
            request=digest_of(envelope),
            have=_told(request, mine),
            codes=codes,
            segments=given,
            introductions=log.introductions(given) if given else (),
            clock=HubTime(came_ms=came_ms, left_ms=left_ms, err_ms=_ERROR_MS if is_sure else -1),
            next_s=next_s(digest_of(envelope)),
            notes=(TWO_MACHINES,) if len(node.machines) > 1 else (),
        )
        return pack_reply(reply, self._signer)

    def _sender(self, request: Request, envelope: bytes) -> Node:
        """Find out who asks and whether it may (H1)."""
        node = self._directory.find(request.node)
        if node is None:
            raise UserError("node_unknown")
        if node.is_revoked:
            raise UserError("node_revoked")
        check_request(envelope, node.key, self._signer.public_key, self._verify)
        if not node.may_reach(request.site):
            raise UserError("site_denied")
        wait_s = self._policy.spend(node.name, len(envelope))
        if wait_s:
            raise BusyError("too_often", {"retry_after_s": wait_s})
        if request.machine in node.machines:
            return node
        return self._directory.saw(node.name, request.machine)

    def _take(self, node: Node, request: Request, log: Log) -> tuple[Taken, ...]:
        """Take the segments whose logs are let in, one answer each (H2, H3)."""
        if not request.segments:
            return ()
        known = tuple(
            one
            for one in request.introductions
            if self._is_let_in(node, log, request.site, one.writer, one.public_key)
        )
        first = fitting(request.segments)
        refusals = [self._refusal(node, request, log, data) for data in first]
        refusals += [Taken.FULL] * (len(request.segments) - len(first))
        both = zip(request.segments, refusals, strict=True)
        allowed = [data for data, refusal in both if refusal is None]
        answers = iter(log.take(allowed, known).result() if allowed else ())
        return tuple(next(answers) if one is None else one for one in refusals)

    def _refusal(self, node: Node, request: Request, log: Log, data: bytes) -> Taken | None:
        """Decide whether a segment's log is let in; None if it is, or if the log shall decide."""
        try:
            claim = peek(data)
        except ProtocolError as error:
            return refused(error)
        owner = self._directory.owner(request.site, claim.writer)
        if owner is not None:
            is_refused = owner != node.key and self._is_revoked(owner)
            return Taken.DENIED if is_refused else None
        keys = {one.writer: one.public_key for one in request.introductions}
        key = keys.get(claim.writer)
        if key is None and claim.seq == 1:
            try:
                key = _introduced(data, self._verify)
            except ProtocolError as error:
                # Not left to the log: unpacking is the dearest part of what a peer can ask for.
                return refused(error)
        if key is None:
            return None
        if not self._is_let_in(node, log, request.site, claim.writer, key):
            return Taken.DENIED
        is_room = self._directory.admit(request.site, claim.writer, key, node)
        return None if is_room else Taken.FULL

    def _is_let_in(self, sender: Node, log: Log, site: bytes, writer: bytes, key: bytes) -> bool:
        """Decide about a log that was never here.

        What a log of this school goes on from is its own past, said under the signature of a key
        that was let in; nobody else can make it say so.

        | enrolled | revoked | for this school | brought by a hub | gone on from here | let in |
        |----------|---------|-----------------|------------------|-------------------|--------|
        | yes      | yes     | -               | -                | -                 | no     |
        | yes      | no      | yes             | -                | -                 | yes    |
        | -        | no      | no              | yes              | -                 | yes    |
        | -        | no      | no              | no               | yes               | yes    |
        | -        | no      | no              | no               | no                | no     |
        """
        owner = self._directory.find(node_of(key))
        if owner is not None and owner.key == key:
            if owner.is_revoked:
                return False
            if owner.may_reach(site):
                return True
        return sender.role is Role.HUB or log.is_continued(writer)

    def _is_revoked(self, key: bytes) -> bool:
        owner = self._directory.find(node_of(key))
        return owner is not None and owner.key == key and owner.is_revoked

    def _give(
        self, request: Request, codes: Sequence[Taken], log: Log, mine: Vector
    ) -> tuple[Status, tuple[bytes, ...]]:
        """Choose status and segments; see the table of the module."""
        there = request.have
        if isinstance(there, bytes):
            return (Status.DONE if there == mine.summary else Status.VECTOR_WANTED), ()
        if there.summary == mine.summary:
            return Status.DONE, ()
        is_guess = there.closed is None and there.closed_digest != mine.closed_digest
        if is_guess:
            # As long as something else is to be told, the digests may differ for that alone: a
            # rotation which only one side knows. So the closed logs are taken for equal first.
            there = Vector(open=there.open, closed_digest=mine.closed_digest)
        limit = min(request.max_bytes, MAX_PUSH_BYTES)
        given = fitting(log.missing(there, limit, is_patient=True)) if limit else ()
        if is_guess and not given and Taken.STORED not in codes:
            return Status.CLOSED_WANTED, ()
        return Status.DONE, given

    def _now_ms(self) -> int:
        return round(self._clock.wall().timestamp() * 1000)


def _told(request: Request, mine: Vector) -> bytes | Vector:
    """Say what is held: shortly where that is enough, with the closed logs where they were told."""
    there = request.have
    if (there if isinstance(there, bytes) else there.summary) == mine.summary:
        return mine.summary
    if isinstance(there, Vector) and there.closed is not None:
        return mine
    return Vector(open=mine.open, closed_digest=mine.closed_digest)


def _introduced(data: bytes, verify: Verify) -> bytes:
    """Return the key that the first segment of a log introduces and is signed with."""
    keys: list[bytes] = []

    def hear(key: bytes, signature: bytes, message: bytes) -> bool:
        keys.append(key)
        return verify(key, signature, message)

    unseal(data, lambda _: None, hear)
    return keys[0]


def next_s(digest: bytes) -> int:
    """Choose after how many seconds to come again, spread evenly by what `digest` happens to be.

    Rooms that asked at the same moment (eight o'clock) come back at different ones.
    """
    share = int.from_bytes(digest[:4], "big") / (1 << 32)
    return SOONEST_S + int(share * (LATEST_S - SOONEST_S))
