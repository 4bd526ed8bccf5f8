"""What a hub lets in: which logs a node may bring (H3 of `sync.hub.respond`).

The same rules hold for what rooms and hubs push here and for what this hub fetches from another.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.record.log import Introduction, Log, Taken, refused
from client.domain.record.segment import peek, unseal
from client.domain.record.vector import Stretch, Vector
from client.domain.signer import Verify
from sync.hub.ports import Directory, Node, Role
from sync.protocol.exchange import fitting, node_of


class Admission:
    """See the module. Any thread may call.

    Args:
        directory: Who is enrolled, and whose each log is.
        verify: Checks signatures.
    """

    def __init__(self, directory: Directory, verify: Verify) -> None:
        self._directory = directory
        self._verify = verify

    def take(
        self,
        sender: Node,
        site: bytes,
        log: Log,
        segments: Sequence[bytes],
        introductions: Sequence[Introduction],
    ) -> tuple[Taken, ...]:
        """Let `log`, that of the school `site`, take the segments that are let in.

        Returns:
            One answer for each segment, once what was taken is on the disk.

        Raises:
            StorageError: The disk refused; nothing was acknowledged.
        """
        if not segments:
            return ()
        known = tuple(
            one
            for one in introductions
            if self._is_let_in(sender, log, site, one.writer, one.public_key)
        )
        keys = {one.writer: one.public_key for one in introductions}
        first = fitting(segments)
        refusals = [self._refusal(sender, site, log, data, keys) for data in first]
        refusals += [Taken.FULL] * (len(segments) - len(first))
        both = zip(segments, refusals, strict=True)
        allowed = [data for data, refusal in both if refusal is None]
        answers = iter(log.take(allowed, known).result() if allowed else ())
        return tuple(next(answers) if one is None else one for one in refusals)

    def _refusal(
        self, sender: Node, site: bytes, log: Log, data: bytes, keys: dict[bytes, bytes]
    ) -> Taken | None:
        """Decide whether a segment's log is let in; None if it is, or if the log shall decide."""
        try:
            claim = peek(data)
        except ProtocolError as error:
            return refused(error)
        owner = self._directory.owner(site, claim.writer)
        if owner is not None:
            is_refused = owner != sender.key and self._is_revoked(owner)
            return Taken.DENIED if is_refused else None
        key = keys.get(claim.writer)
        if key is None and claim.seq == 1:
            try:
                key = _introduced(data, self._verify)
            except ProtocolError as error:
                # Not left to the log: unpacking is the dearest part of what a peer can ask for.
                return refused(error)
        if key is None:
            return None
        if not self._is_let_in(sender, log, site, claim.writer, key):
            return Taken.DENIED
        is_room = self._directory.admit(site, claim.writer, key, sender)
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


class VettedLog:
    """The log of a school as another hub may add to it: a `client.domain.record.log.Log`.

    Args:
        log: What is held here.
        admission: Decides what is taken.
        sender: The other hub.
        site: The school, as this hub calls it.
    """

    def __init__(self, log: Log, admission: Admission, sender: Node, site: bytes) -> None:
        self._log: Final = log
        self._admission: Final = admission
        self._sender: Final = sender
        self._site: Final = site

    def take(
        self, segments: Sequence[bytes], introductions: Sequence[Introduction] = ()
    ) -> "Future[tuple[Taken, ...]]":
        """See the port. Blocking."""
        parts = (self._sender, self._site, self._log, segments, introductions)
        answer: Future[tuple[Taken, ...]] = Future()
        answer.set_result(self._admission.take(*parts))
        return answer

    def vector(self) -> Vector:
        """See the port."""
        return self._log.vector()

    def missing(
        self,
        there: Vector,
        max_bytes: int,
        *,
        sent: Sequence[Stretch] = (),
        is_patient: bool = False,
    ) -> tuple[bytes, ...]:
        """See the port."""
        return self._log.missing(there, max_bytes, sent=sent, is_patient=is_patient)

    def lacks(self, there: Vector) -> frozenset[bytes]:
        """See the port."""
        return self._log.lacks(there)

    def is_continued(self, writer: bytes) -> bool:
        """See the port."""
        return self._log.is_continued(writer)

    def stretches(self, segments: Sequence[bytes]) -> tuple[Stretch, ...]:
        """See the port."""
        return self._log.stretches(segments)

    def introductions(self, segments: Sequence[bytes]) -> tuple[Introduction, ...]:
        """See the port."""
        return self._log.introductions(segments)


def _introduced(data: bytes, verify: Verify) -> bytes:
    """Return the key that the first segment of a log introduces and is signed with."""
    keys: list[bytes] = []

    def hear(key: bytes, signature: bytes, message: bytes) -> bool:
        keys.append(key)
        return verify(key, signature, message)

    unseal(data, lambda _: None, hear)
    return keys[0]
