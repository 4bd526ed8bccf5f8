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
from client.domain.record.log import Log, Taken
from client.domain.record.vector import Vector
from client.domain.signer import Signer, Verify
from sync.hub.admission import Admission
from sync.hub.ports import Directory, Logs, Node
from sync.protocol.exchange import (
    MAX_PUSH_BYTES,
    HubTime,
    Reply,
    Request,
    Status,
    check_request,
    digest_of,
    fitting,
    open_reply,
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
        self._admission = Admission(directory, verify)
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
        codes = self._admission.take(
            node, request.site, log, request.segments, request.introductions
        )
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

    def has_answered(self, envelope: bytes, reply: bytes) -> bool:
        """Tell whether a reply that lies beside a request is this hub's to just that."""
        try:
            open_reply(reply, envelope, self._signer.public_key, self._verify)
        except ProtocolError:
            return False
        return True

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


def next_s(digest: bytes) -> int:
    """Choose after how many seconds to come again, spread evenly by what `digest` happens to be.

    Rooms that asked at the same moment (eight o'clock) come back at different ones.
    """
    share = int.from_bytes(digest[:4], "big") / (1 << 32)
    return SOONEST_S + int(share * (LATEST_S - SOONEST_S))
