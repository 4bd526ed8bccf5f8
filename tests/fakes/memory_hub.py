"""The in-memory twins of a hub's stores."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from client.domain.errors import UserError
from sync.hub import ports
from sync.hub.ports import MAX_MACHINES, Code, Node, Role
from tests.fakes.memory_log import MemoryLog


class MemoryDirectory:
    """See `sync.hub.ports.Directory`."""

    def __init__(self) -> None:
        self._nodes: dict[bytes, Node] = {}
        self._owners: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._codes: tuple[Code, ...] = ()

    def find(self, name: bytes) -> Node | None:
        return self._nodes.get(name)

    def nodes(self) -> tuple[Node, ...]:
        return tuple(sorted(self._nodes.values(), key=lambda node: node.number))

    def enrol(self, node: Node) -> Node:
        known = self._nodes.get(node.name)
        if known is not None and known.key != node.key:
            raise UserError("node_unknown")
        kept = known or replace(node, number=len(self._nodes) + 1, machines=(), is_revoked=False)
        self._nodes[node.name] = replace(
            kept, role=node.role, site=node.site, school=node.school, room=node.room
        )
        for machine in node.machines:
            self.saw(node.name, machine)
        return self._nodes[node.name]

    def saw(self, name: bytes, machine: bytes) -> Node:
        node = self._known(name)
        if machine not in node.machines and len(node.machines) < MAX_MACHINES:
            self._nodes[name] = replace(node, machines=(*node.machines, machine))
        return self._nodes[name]

    def revoke(self, name: bytes) -> Node:
        self._nodes[name] = replace(self._known(name), is_revoked=True)
        return self._nodes[name]

    def owner(self, site: bytes, writer: bytes) -> bytes | None:
        return self._owners.get((site, writer), (None, None))[0]

    def admit(self, site: bytes, writer: bytes, key: bytes, by: Node) -> bool:
        brought = sum(name == by.name for _, name in self._owners.values())
        if by.role is Role.ROOM and brought >= ports.MAX_LOGS:
            return False
        self._owners.setdefault((site, writer), (key, by.name))
        return True

    def codes(self) -> tuple[Code, ...]:
        return self._codes

    def set_codes(self, codes: Sequence[Code]) -> None:
        self._codes = tuple(codes)

    def _known(self, name: bytes) -> Node:
        if name not in self._nodes:
            raise UserError("node_unknown")
        return self._nodes[name]


class MemoryLogs:
    """See `sync.hub.ports.Logs`."""

    def __init__(self) -> None:
        self.by_site: defaultdict[bytes, MemoryLog] = defaultdict(MemoryLog)

    def of(self, site: bytes) -> MemoryLog:
        return self.by_site[site]


class MemoryAudit:
    """See `sync.hub.ports.Audit`."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, str]]] = []

    def note(self, what: str, **values: str) -> None:
        self.lines.append((what, values))
