"""The commands `hub …` of a hub by itself; `sync.relay.commands` adds those for hubs above it."""

import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock, SystemClock
from client.domain.errors import UsageError, UserError
from client.domain.ids import LessonId
from client.domain.withdrawal import URGENT, Withdrawal
from client.service.command.documents import Listing, Outcome
from client.service.command.parse import Invocation
from client.service.station import Station
from client.store.disk import disk_errors
from client.store.keyfile import verify
from sync.hub.authority import FIRST
from sync.hub.care import backup, check, restore
from sync.hub.content import ContentFolder
from sync.hub.enrolment import (
    add_code,
    close_codes,
    new_site,
    revoke,
    sites_named,
    the_site,
)
from sync.hub.folder import CONTENT, HubFolder
from sync.hub.ports import Node, Role
from sync.hub.publish import Publisher, PublishReport
from sync.hub.respond import Policy, Responder
from sync.protocol.edition import MAX_GRACE_DAYS, MAX_REASON, open_head
from sync.transport.folder_carrier import answer_folder

_NOT_COPIED: Final = ("profile", "content/public")
"""Lessons, and what was published of them: no backup has them."""
_DAMAGED: Final = 4
"""Exit code of a check that found damage."""


Beside = Callable[[HubFolder, Clock], contextlib.AbstractContextManager[object]]
"""What runs as long as a hub does."""


def run_hub(call: Invocation, beside: Beside) -> None:
    """`hub`: runs until it is asked to stop; its first line is its base URL."""
    from sync.hub.serve import LOOPBACK, PORT, HubServer, Place, first_code  # noqa: PLC0415 - heavy

    clock = SystemClock()
    place = Place(host=call.text("host", LOOPBACK), port=call.number("port", PORT))
    with HubFolder(call.needed_path("data"), clock, is_new_allowed=True) as folder:
        first_code(folder, call.path("admin_code_file"))
        server = HubServer(folder, place, clock)
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        with beside(folder, clock):
            server.run()


def answer_in_folder(call: Invocation) -> object:
    """`hub answer`: what rooms left in a folder, while the hub need not run."""
    with open_folder(call) as folder:
        hub = responder(folder)
        return answer_folder(call.needed_path("dir").absolute(), hub.answer, hub.has_answered)


def responder(folder: HubFolder) -> Responder:
    """Make what answers requests that were carried here."""
    policy = Policy(floor_ms=round(FIRST.timestamp() * 1000))
    parts = (folder.key(), folder.directory, folder.logs, SystemClock(), verify)
    return Responder(*parts, policy)


def make_backup(call: Invocation) -> object:
    """`hub backup`."""
    with open_folder(call) as folder:
        made = backup(folder, call.needed_path("dir").absolute())
    return {
        "path": made.path,
        "files": made.files,
        "size_bytes": made.size_bytes,
        "without": _NOT_COPIED,
    }


def put_back(call: Invocation) -> object:
    """`hub restore`."""
    made = restore(call.needed_path("dir"), call.needed_path("data").absolute())
    return {
        "path": made.path,
        "files": made.files,
        "size_bytes": made.size_bytes,
        "set_aside": made.set_aside,
    }


def check_all(call: Invocation) -> object:
    """`hub fsck`."""
    with open_folder(call) as folder:
        found = check(folder)
    value = {
        "sound": found.is_sound,
        "sites": found.sites,
        "logs": found.logs,
        "segments": found.segments,
        "events": found.events,
        "nodes": found.nodes,
        "damaged": found.damaged,
    }
    return Outcome(value=value, exit_code=0 if found.is_sound else _DAMAGED)


def revoke_node(call: Invocation) -> object:
    """`hub revoke`."""
    with open_folder(call) as folder:
        return _row(revoke(folder.directory, folder.audit, call.text("node")))


def publish(station: Station, call: Invocation, cancel: CancelToken) -> PublishReport:
    """`hub publish`: what a profile holds becomes the next edition."""
    clock = SystemClock()
    with HubFolder(call.needed_path("data"), clock, is_new_allowed=True) as folder:
        content = ContentFolder(folder.path / CONTENT)
        return Publisher(station, content, folder.key(), clock).publish(cancel)


def word_of(folder: HubFolder) -> tuple[bytes, bytes] | None:
    """Give the newest head and the list of withdrawals it names, None before the first edition."""
    content = ContentFolder(folder.path / CONTENT)
    with disk_errors():
        if not content.head.exists():
            return None
        data = content.head.read_bytes()
        named = open_head(data, folder.key().public_key, verify).withdrawn
        return data, b"" if named is None else content.edition_file(named.digest).read_bytes()


def withdraw(call: Invocation) -> object:
    """`hub withdraw`: holds from the next edition on; with `--undo` it is taken back."""
    replacement, lesson = call.text("replacement"), LessonId(call.text("id"))
    reason = call.text("reason")[:MAX_REASON]
    with open_folder(call) as folder:
        content = ContentFolder(folder.path / CONTENT)
        if call.flag("undo"):
            content.offer_again(lesson)
            return {"lesson": lesson, "offered": True}
        if not reason:
            raise UsageError("usage", {"detail": "--reason"})
        days = min(call.number("grace", 0), MAX_GRACE_DAYS)
        one = Withdrawal(
            lesson=lesson,
            reason=reason,
            grace_days=0 if reason in URGENT else days,
            replacement=LessonId(replacement) if replacement else None,
        )
        content.withdraw(one)
    return {
        "lesson": one.lesson,
        "reason": one.reason,
        "grace_days": one.grace_days,
        "replacement": one.replacement,
    }


def list_nodes(call: Invocation) -> object:
    """`hub nodes`."""
    with open_folder(call) as folder:
        return Listing(name="nodes", rows=[_row(node) for node in folder.directory.nodes()])


def make_code(call: Invocation) -> object:
    """`hub code`: one more, or none at all any more."""
    with open_folder(call) as folder:
        if call.flag("close"):
            return {"closed": close_codes(folder.directory, folder.audit)}
        role = Role.HUB if call.flag("for_hub") else Role.ROOM
        site, school = _school(folder, call)
        code = add_code(folder.directory, folder.audit, site=site, school=school, role=role)
    return {"code": code, "site": site.hex(), "school": school, "role": role}


def _school(folder: HubFolder, call: Invocation) -> tuple[bytes, str]:
    """Find the school that a code shall hold for: its id and its name; both empty for any.

    | named | `--site` | `--namesake` | the school                                       |
    |-------|----------|--------------|--------------------------------------------------|
    | no    | -        | -            | any                                              |
    | yes   | no       | no           | the one of this name, a new one if there is none |
    | yes   | yes      | -            | that one of this name                            |
    | yes   | no       | yes          | another one of this name                         |
    """
    school, site = call.text("school"), call.text("site")
    if not school:
        return b"", ""
    if site:
        named = {one.hex(): one for one in sites_named(folder.directory, school)}
        if site not in named:
            raise UserError("school_absent", {"school": school, "site": site})
        return named[site], school
    if call.flag("namesake"):
        return new_site(), school
    return the_site(folder.directory, school), school


def open_folder(call: Invocation) -> HubFolder:
    """Open the hub of `--data`.

    Raises:
        UserError: `hub_absent`.
        StorageError: See `HubFolder`.
    """
    return HubFolder(call.needed_path("data"), SystemClock())


def _row(node: Node) -> dict[str, object]:
    return {
        "node": node.name.hex(),
        "role": node.role,
        "site": node.site.hex(),
        "school": node.school,
        "room": node.room,
        "machines": len(node.machines),
        "revoked": node.is_revoked,
    }


COMMANDS: Final[Mapping[str, Callable[[Invocation], object]]] = {
    "hub answer": answer_in_folder,
    "hub backup": make_backup,
    "hub restore": put_back,
    "hub fsck": check_all,
    "hub revoke": revoke_node,
    "hub nodes": list_nodes,
    "hub code": make_code,
    "hub withdraw": withdraw,
}
