"""A hub without a network and rooms that speak to it, for tests of what they say."""

from dataclasses import dataclass, field

from client.domain.clock import FrozenClock
from client.domain.record.log import Introduction, Log
from client.domain.record.vector import Vector
from client.store.keyfile import verify
from sync.hub.ports import Directory, Node, Role
from sync.hub.respond import POLICY, Policy, Responder
from sync.protocol.exchange import (
    MAX_PUSH_BYTES,
    Reading,
    Reply,
    Request,
    node_of,
    open_reply,
    pack_request,
)
from tests.fakes.memory_hub import MemoryDirectory, MemoryLogs
from tests.fakes.memory_log import MemoryLog
from tests.log_world import Key

SITE, OTHER_SITE = b"school-1", b"school-2"


@dataclass
class Hub:
    """A responder on stores in memory."""

    key: Key = field(default_factory=Key)
    directory: Directory = field(default_factory=MemoryDirectory)
    logs: MemoryLogs = field(default_factory=MemoryLogs)
    clock: FrozenClock = field(default_factory=FrozenClock)
    policy: Policy = POLICY

    def __post_init__(self) -> None:
        self.responder = Responder(
            self.key,
            self.directory,
            self.logs,
            self.clock,
            verify,
            self.policy,
        )

    def enrol(self, key: Key, site: bytes = SITE, role: Role = Role.ROOM) -> Node:
        return self.directory.enrol(
            Node(key=key.public_key, role=role, site=site, school="", room="")
        )


@dataclass
class Room:
    """A room with its log; `say` is one exchange, `sync` as many as it takes."""

    hub: Hub
    key: Key = field(default_factory=Key)
    log: Log = field(default_factory=MemoryLog)
    site: bytes = SITE
    machine: bytes = b"machine1"

    def ask(
        self,
        have: bytes | Vector | None = None,
        *segments: bytes,
        introductions: tuple[Introduction, ...] = (),
        max_bytes: int = MAX_PUSH_BYTES,
    ) -> bytes:
        request = Request(
            site=self.site,
            node=node_of(self.key.public_key),
            machine=self.machine,
            have=self.log.vector().summary if have is None else have,
            segments=segments,
            introductions=introductions,
            max_bytes=max_bytes,
            clock=Reading(boot=1, mono_ms=2, wall_ms=3),
        )
        return pack_request(request, self.hub.key.public_key, self.key)

    def say(self, *args, **kwargs) -> Reply:
        envelope = self.ask(*args, **kwargs)
        answer = self.hub.responder.answer(envelope)
        return open_reply(answer, envelope, self.hub.key.public_key, verify)
