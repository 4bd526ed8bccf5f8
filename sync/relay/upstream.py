"""Speaking to a hub above: enrolling with it, and exchanging each school's logs with it.

A hub is to the one above what a room is to it: the same messages, the same exchange. What comes
down is let in as if that hub had brought it here.

Invariants:
  RY1  Of each school that is here, and of no other, everything goes up and everything comes down.
  RY2  Which school is meant is decided by ids and by what people chose; where that does not tell
       it, nothing is exchanged.
  RY3  A call that is cut short goes on, the next time, with the schools it did not reach.
"""

import socket
from dataclasses import replace
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import ClassroomError, UserError
from client.domain.record.log import Taken
from client.service.hubs import KnownHub
from client.store.disk import disk_errors
from client.store.durable import write_file
from client.store.keyfile import verify
from client.store.machine import machine_name, read_marks
from sync.engine.exchange import ExchangePorts, Exchanger, Here, Outcome, TimeSample, better
from sync.engine.hub_link import REFUSED, enrol_with
from sync.hub.admission import Admission, VettedLog
from sync.hub.enrolment import sites_named
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.protocol.exchange import digest_of
from sync.transport.hub_http import HubHttp

_NEXT_S: Final = 600
"""When to look again where no school is here yet."""
_DRIFT: Final = 2000
"""Running time is taken to be good to one in so many."""


def enrol_above(
    folder: HubFolder, url: str, code: str, school: str, cancel: CancelToken
) -> KnownHub:
    """Make this hub and the one at `url` known to each other. Blocking.

    Args:
        folder: This hub's.
        url: Address of the other.
        code: Drawn there with `hub code --for-hub`.
        school: Which school of this hub a code for one school is about; empty for the one that is
            called as there.
        cancel: Stops it.

    Raises:
        UserError: `code_invalid`, `code_unknown`, `code_for_rooms` or `node_revoked`.
        TransportError: No hub answered.
        ProtocolError: `proof_bad`: who answered does not know the code.
    """
    own = f"hub {socket.gethostname()}"
    hub = enrol_with(url, code, folder.key(), (own, ""), cancel)
    if hub.school == own:
        # Only rooms are enrolled under the name they give.
        raise UserError("code_for_rooms")
    hub = replace(hub, school=school) if school and hub.site else hub
    folder.upstreams.put(hub)
    folder.audit.note("upstream_added", url=hub.url, school=hub.school)
    return hub


def schools_for(folder: HubFolder, hub: KnownHub) -> tuple[tuple[bytes, bytes], ...]:
    """List the schools to speak of with a hub: each as it is called here, and as it is there (RY2).

    | the hub above knows this hub for    | schools                          |
    |-------------------------------------|----------------------------------|
    | all schools                         | all that are here, by their ids  |
    | one, whose id is here               | that one                         |
    | one, and one here has its name      | that one, with both ids          |
    | else                                | none                             |

    Raises:
        UserError: `school_not_here`.
    """
    here = _sites(folder)
    if not hub.site:
        return tuple((site, site) for site in here)
    if hub.site in here:
        return ((hub.site, hub.site),)
    named = sites_named(folder.directory, hub.school)
    if len(named) != 1:
        raise UserError("school_not_here", {"school": hub.school})
    return ((named[0], hub.site),)


class ToldTime:
    """The time that hubs above told, as long as this program runs: a `TrustedTime`."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._told: TimeSample | None = None

    def hear(self, sample: TimeSample | None) -> None:
        """Take the newest sample."""
        self._told = sample or self._told

    def __call__(self) -> tuple[int, int] | None:
        """Give the earliest and latest UTC milliseconds that it can be."""
        told = self._told
        if told is None:
            return None
        since_ms = self._clock.boot_monotonic_ms() - told.mono_ms
        err_ms = told.err_ms + since_ms // _DRIFT
        return told.utc_ms + since_ms - err_ms, told.utc_ms + since_ms + err_ms


class UpstreamLink:
    """The way to one hub above; keeps its connection open between calls. One thread at a time.

    Args:
        folder: This hub's.
        hub: The other.
        clock: Measures and dates.
        time: Checks certificates; hears what time the other says it is.
    """

    def __init__(self, folder: HubFolder, hub: KnownHub, clock: Clock, time: ToldTime) -> None:
        self._folder: Final = folder
        self._hub: Final = hub
        self._clock: Final = clock
        self._time: Final = time
        self._http: Final = HubHttp(hub.url, hub.authority, time)
        self._key: Final = folder.key()
        self._machine: Final = machine_name(read_marks(), self._key.public_key)
        self._done: list[bytes] = []
        """Schools, those that were reached last at the end."""

    def exchange(self, cancel: CancelToken) -> Outcome:
        """Reconcile every school (RY1), and note how it went.

        Raises:
            UserError: `school_not_here`.
            ClassroomError: See `sync.engine.exchange.Exchanger.run`.
        """
        book, key = self._folder.upstreams, self._hub.key
        before = book.contact(key)
        try:
            outcome = self._all(cancel)
        except ClassroomError as error:
            if error.code != "cancelled":
                book.note_contact(key, before.failed(error.code))
            raise
        book.note_contact(key, before.answered(self._clock.wall()))
        return outcome

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self._http.close()

    def _all(self, cancel: CancelToken) -> Outcome:
        total = Outcome(next_s=_NEXT_S, is_agreed=True)
        pairs = schools_for(self._folder, self._hub)
        for local, remote in sorted(pairs, key=lambda pair: self._turn(pair[0])):
            outcome = Exchanger(self._ports(local, remote, cancel), cancel).run()
            self._time.hear(outcome.anchor)
            self._done = [*(site for site in self._done if site != local), local]
            total = joined(total, outcome)
        return total

    def _turn(self, site: bytes) -> int:
        """Put the schools first that were not reached the last time (RY3)."""
        return self._done.index(site) if site in self._done else -1

    def _ports(self, local: bytes, remote: bytes, cancel: CancelToken) -> ExchangePorts:
        folder, hub = self._folder, self._hub
        sender = Node(key=hub.key, role=Role.HUB, site=local, school=hub.school, room="")
        admission = Admission(folder.directory, verify)
        return ExchangePorts(
            log=VettedLog(folder.logs.of(local), admission, sender, local),
            seal=lambda: None,
            signer=self._key,
            verify=verify,
            hub_key=hub.key,
            here=Here(site=remote, machine=self._machine),
            carrier=lambda envelope: self._http.exchange(envelope, cancel),
            memory=_Memory(folder, hub.key, local),
            on_refused=self._keep,
            clock=self._clock,
        )

    def _keep(self, segment: bytes, _code: Taken) -> None:
        path = self._folder.path / REFUSED
        with disk_errors():
            path.mkdir(exist_ok=True)
            write_file(path / f"{digest_of(segment).hex()}.segment", segment)


def joined(one: Outcome, other: Outcome) -> Outcome:
    """Sum up what two exchanges with a hub did."""
    return replace(
        one,
        pushed_events=one.pushed_events + other.pushed_events,
        pulled_events=one.pulled_events + other.pulled_events,
        pushed_bytes=one.pushed_bytes + other.pushed_bytes,
        pulled_bytes=one.pulled_bytes + other.pulled_bytes,
        requests=one.requests + other.requests,
        anchor=better(one.anchor, other.anchor),
        notes=tuple(dict.fromkeys((*one.notes, *other.notes))),
        next_s=other.next_s,
        is_agreed=one.is_agreed and other.is_agreed,
        is_put_off=one.is_put_off or other.is_put_off,
    )


def _sites(folder: HubFolder) -> tuple[bytes, ...]:
    """List the schools of which anything is or may be here."""
    nodes = {node.site for node in folder.directory.nodes()}
    codes = {code.site for code in folder.directory.codes()}
    return tuple(sorted({*folder.logs.sites(), *nodes, *codes} - {b""}))


class _Memory:
    """See `sync.engine.exchange.Memory`."""

    def __init__(self, folder: HubFolder, key: bytes, site: bytes) -> None:
        self._book, self._key, self._site = folder.upstreams, key, site

    def load(self) -> bytes:
        """See the port."""
        return self._book.belief(self._key, self._site)

    def save(self, blob: bytes) -> None:
        """See the port."""
        self._book.save_belief(self._key, self._site, blob)
