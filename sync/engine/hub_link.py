"""Speaking to hubs: enrolling with one, and exchanging with one over HTTP or by folder.

Invariants:
  HL1  A hub is kept only after it proved to know the code, and its answer proved which key and
       which authority are its own: whoever sits in between learns nothing and changes nothing.
  HL2  How each call went is kept; no call depends on it. Each request is paid for.
  HL3  The hub's time becomes an anchor of this start of the machine; certificates are checked
       against anchors alone.
"""

import secrets
from dataclasses import replace
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import ClassroomError, UserError
from client.domain.record.anchors import AnchorKind
from client.domain.record.dates import Quality
from client.domain.record.log import Taken
from client.domain.signer import Signer
from client.service.hubs import KnownHub
from client.service.station import Station
from client.store.disk import disk_errors
from client.store.durable import write_file
from client.store.keyfile import verify
from client.store.machine import machine_name, read_marks
from sync.engine.exchange import (
    Carrier,
    ExchangePorts,
    Exchanger,
    Here,
    Outcome,
    TimeSample,
)
from sync.engine.folder_exchange import exchange_by_folder
from sync.engine.hub_till import PaidCarrier
from sync.protocol.enrol import (
    NONCE_BYTES,
    Applicant,
    code_key,
    open_grant,
    pack_enrol,
    read_hello,
)
from sync.protocol.exchange import digest_of
from sync.transport.folder_carrier import FolderCarrier
from sync.transport.hub_http import HubHttp
from sync.transport.tls import TrustedTime

REFUSED: Final = "refused"
"""Folder of the profile for segments that a hub calls damaged."""


def no_time() -> None:
    """Know nothing of the time: a `TrustedTime`."""


def trusted_time(station: Station) -> TrustedTime:
    """Give the time as far as somebody told it; the machine's own clock is nothing to rely on."""

    def now() -> tuple[int, int] | None:
        dated, _ = station.records.now()
        is_told = dated.quality is Quality.EXACT
        return (dated.earliest_ms, dated.latest_ms) if is_told else None

    return now


def enrol(station: Station, url: str, code: str, cancel: CancelToken) -> KnownHub:
    """Make this room and the hub at `url` known to each other (HL1). Blocking.

    Raises:
        UserError: `code_invalid`, `code_unknown`, `room_unnamed` or `node_revoked`.
        TransportError: No hub answered.
        ProtocolError: `proof_bad`: who answered does not know the code.
    """
    room = station.room.snapshot().room
    if room is None:
        raise UserError("room_unnamed")
    hub = enrol_with(url, code, station.journal.signer, (room.school, room.room), cancel)
    station.hubs.put(hub)
    return hub


def enrol_with(
    url: str, code: str, signer: Signer, names: tuple[str, str], cancel: CancelToken
) -> KnownHub:
    """Make the owner of a key and the hub at `url` known to each other (HL1). Blocking.

    Args:
        url: The hub's address.
        code: As somebody typed it.
        signer: Whose key.
        names: School and room, as people call them.
        cancel: Stops it.

    Raises:
        ClassroomError: As `enrol`.
    """
    key = code_key(code)
    applicant = Applicant(
        key=signer.public_key,
        nonce=secrets.token_bytes(NONCE_BYTES),
        machine=machine_name(read_marks(), signer.public_key),
        school=names[0],
        room=names[1],
    )
    http = HubHttp(url, b"", no_time)
    try:
        hello = read_hello(http.hello(cancel))
        reply = http.enrol(pack_enrol(applicant, hello, key, signer), cancel)
    finally:
        http.close()
    grant = open_grant(reply, applicant, hello, key, verify)
    return KnownHub(
        key=hello.key,
        url=url.rstrip("/"),
        authority=hello.certificate,
        site=grant.site,
        school=grant.school,
        name=hello.name,
    )


class HubLink:
    """The way to one hub; keeps its connection open between calls. One thread at a time.

    Args:
        station: The room.
        hub: Which hub.
    """

    def __init__(self, station: Station, hub: KnownHub) -> None:
        self._station: Final = station
        self._http: Final = HubHttp(hub.url, hub.authority, trusted_time(station))
        self.hub: Final = hub

    def exchange(self, cancel: CancelToken) -> Outcome:
        """Reconcile with the hub, and note how it went (HL2).

        Raises:
            ClassroomError: See `sync.engine.exchange.Exchanger.run`.
        """
        carrier = PaidCarrier(
            lambda envelope: self._http.exchange(envelope, cancel), self._station.purse
        )
        book, key = self._station.hubs, self.hub.key
        before = book.contact(key)
        try:
            outcome = Exchanger(ports_for(self._station, self.hub, carrier), cancel).run()
        except ClassroomError as error:
            if error.code != "cancelled":
                book.note_contact(key, before.failed(error.code))
            raise
        book.note_contact(key, before.answered(self._station.clock.wall()))
        if outcome.held:
            self._station.journal.acknowledge(outcome.held).result()
        if outcome.anchor is not None and outcome.is_agreed:
            # Only now: a log that was set back has got back what it lacked and has a new name.
            self._note_time(outcome.anchor)
        return outcome

    def _note_time(self, sample: TimeSample) -> None:
        """Keep what time the hub said it was (HL3)."""
        journal = self._station.journal
        then = replace(journal.present(), mono_ms=sample.mono_ms)
        journal.note_anchor(then.anchor(AnchorKind.HUB, sample.utc_ms, sample.err_ms)).result()

    def by_folder(self, carrier: FolderCarrier) -> Outcome:
        """Take up answers of the hub in a folder and leave what is to be said.

        Raises:
            StorageError: The folder or the log cannot keep it.
        """
        return exchange_by_folder(ports_for(self._station, self.hub), carrier)

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self._http.close()


def no_way(_: bytes) -> bytes:
    """Carry nothing: a `Carrier`."""
    raise UserError("no_hub")


def ports_for(station: Station, hub: KnownHub, carrier: Carrier = no_way) -> ExchangePorts:
    """Join a room's log with one hub."""
    journal = station.journal
    folder = station.profile.folder / REFUSED

    def keep(segment: bytes, _code: Taken) -> None:
        with disk_errors():
            folder.mkdir(exist_ok=True)
            write_file(folder / f"{digest_of(segment).hex()}.segment", segment)

    def seal() -> None:
        journal.seal().result()

    return ExchangePorts(
        log=journal.log,
        seal=seal,
        signer=journal.signer,
        verify=verify,
        hub_key=hub.key,
        here=Here(
            site=hub.site,
            machine=machine_name(read_marks(), journal.signer.public_key),
            boot=journal.present().boot,
        ),
        carrier=carrier,
        memory=_Memory(station, hub.key),
        on_refused=keep,
        clock=station.clock,
    )


class _Memory:
    """See `sync.engine.exchange.Memory`."""

    def __init__(self, station: Station, key: bytes) -> None:
        self._book, self._key = station.hubs, key

    def load(self) -> bytes:
        """See the port."""
        return self._book.belief(self._key)

    def save(self, blob: bytes) -> None:
        """See the port."""
        self._book.save_belief(self._key, blob)
