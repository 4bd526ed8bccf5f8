"""Time comes through one door (client.domain.clock)."""

import ast
from datetime import UTC, datetime
from pathlib import Path

from client.domain.clock import FrozenClock, SystemClock
from tests.quality.sources import modules, name_of, tree_of

DOORS = {"client/domain/clock.py"}
WALL = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("time", "strftime"),
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
}
EVIDENCE = {
    "client/service/doctor.py",
    "client/service/scrub.py",
    "client/service/station.py",
    "client/service/today.py",
    "client/store/journal.py",
    "client/store/own_log.py",
    "sync/engine/commands.py",
    "sync/engine/demo_week.py",
    "sync/engine/exchange.py",
    "sync/engine/fetch.py",
    "sync/engine/courier_unpack.py",
    "sync/engine/folder_import.py",
    "sync/engine/hub_link.py",
    "sync/engine/supervisor.py",
    "sync/hub/audit.py",
    "sync/hub/authority.py",
    "sync/hub/publish.py",
    "sync/hub/respond.py",
    "sync/relay/upstream.py",
    "sync/transport/sign.py",
    "sync/transport/tls.py",
    "ui/base/context.py",
    "ui/bench_app.py",
}
"""Modules that read the wall clock: to write it down as evidence, to show it, to sign with it, to
check a certificate where nobody told the time (as TLS itself would), or to propose which day it is
(a person confirms, see 今天). A new one is added here on purpose."""


def names_asked(path: Path) -> set[tuple[str, str]]:
    return {
        (node.value.id, node.attr)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def reads_the_wall(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wall"
        for node in ast.walk(tree_of(path))
    )


def test_nobody_asks_the_machine_for_the_time() -> None:
    """C1"""
    asking = {name_of(path) for path in modules() if names_asked(path) & WALL}
    assert asking <= DOORS


def test_the_wall_clock_is_read_where_it_is_evidence_only() -> None:
    """C1 C2"""
    assert {name_of(path) for path in modules() if reads_the_wall(path)} <= EVIDENCE


def test_the_wall_clock_knows_its_zone() -> None:
    """C2"""
    assert SystemClock().wall().tzinfo is UTC
    assert FrozenClock(at=datetime(1999, 1, 1, tzinfo=UTC)).wall().year == 1999


def test_monotonic_time_never_steps_back() -> None:
    """C1"""
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(1000)]
    assert seen == sorted(seen)
    assert clock.boot_monotonic_ms() <= clock.boot_monotonic_ms()
