"""The smallest exchange that is right: a reference beside the one of the program."""

from dataclasses import dataclass, replace

from client.domain.errors import ProtocolError
from client.domain.record.log import Log
from client.domain.record.vector import Stretch, Vector
from client.domain.signer import Signer, Verify
from sync.protocol.exchange import (
    HubTime,
    Reading,
    Reply,
    Request,
    Status,
    check_request,
    digest_of,
    node_of,
    open_reply,
    pack_reply,
    pack_request,
    read_request,
)

SITE = b"school-1"


@dataclass(frozen=True)
class Memory:
    """What a room remembers of one hub: what it told, and what it acknowledged since."""

    told: Vector | None = None
    sent: tuple[Stretch, ...] = ()
    tells_all: bool = False


class Caller:
    """Asks one hub: `ask` gives a request, `hear` takes the reply to it."""

    def __init__(self, log: Log, key: Signer, hub_key: bytes, verify: Verify) -> None:
        self._log, self._key, self._hub_key, self._verify = log, key, hub_key, verify
        self._pending: tuple[bytes, ...] = ()
        self._asked = b""

    def ask(self, memory: Memory, clock: Reading, portion: int) -> bytes:
        """Make the next request."""
        here = self._log.vector()
        told = memory.told
        lacking = () if told is None else self._log.missing(told, portion, sent=memory.sent)
        is_quiet = told is not None and not lacking and told.summary == here.summary
        all_of_it = here if memory.tells_all else replace(here, closed=None)
        self._pending = lacking
        request = Request(
            site=SITE,
            node=node_of(self._key.public_key),
            machine=bytes(8),
            have=here.summary if is_quiet else all_of_it,
            segments=lacking,
            introductions=self._log.introductions(lacking),
            max_bytes=portion,
            clock=clock,
        )
        self._asked = pack_request(request, self._hub_key, self._key)
        return self._asked

    def hear(self, memory: Memory, envelope: bytes) -> tuple[Memory, bool]:
        """Take a reply; tells what to remember, and whether to ask again.

        Raises:
            ProtocolError: It is no reply of this hub to this request.
        """
        reply = open_reply(envelope, self._asked, self._hub_key, self._verify)
        if len(reply.codes) != len(self._pending):
            raise ProtocolError("message_invalid")
        codes = zip(self._pending, reply.codes, strict=True)
        kept = [data for data, code in codes if code.is_kept]
        sent = memory.sent + self._log.stretches(kept)
        if reply.segments:
            self._log.take(reply.segments, reply.introductions).result()
        if reply.status is not Status.DONE or isinstance(reply.have, bytes):
            wants_all = reply.status is Status.CLOSED_WANTED
            told = memory.told if isinstance(reply.have, bytes) else reply.have
            return Memory(told=told, sent=sent, tells_all=wants_all), told is not memory.told
        # What it told is newer than what it acknowledged before.
        return Memory(told=reply.have), bool(kept or reply.segments or memory.told is None)


class Answerer:
    """A hub's side over any store of logs."""

    def __init__(self, log: Log, key: Signer, verify: Verify, keys: dict[bytes, bytes]) -> None:
        self.log, self._key, self._verify, self._keys = log, key, verify, keys

    def answer(self, envelope: bytes) -> bytes:
        """Answer one request.

        Raises:
            ProtocolError: It is refused.
        """
        request = read_request(envelope)
        key = self._keys.get(request.node)
        if key is None:
            raise ProtocolError("signature_bad")
        check_request(envelope, key, self._key.public_key, self._verify)
        codes = self.log.take(request.segments, request.introductions).result()
        here, there = self.log.vector(), request.have
        segments: tuple[bytes, ...] = ()
        have: bytes | Vector = replace(here, closed=None)
        if isinstance(there, bytes):
            status = Status.DONE if there == here.summary else Status.VECTOR_WANTED
            have = there if there == here.summary else have
        elif there.closed is None and there.closed_digest != here.closed_digest:
            status = Status.CLOSED_WANTED
        else:
            status = Status.DONE
            segments = self.log.missing(there, request.max_bytes)
            have = here if there.closed is not None else have
        reply = Reply(
            status=status,
            request=digest_of(envelope),
            have=have,
            codes=codes,
            segments=segments,
            introductions=self.log.introductions(segments),
            clock=HubTime(came_ms=0, left_ms=0, err_ms=-1),
            next_s=600,
        )
        return pack_reply(reply, self._key)
