"""Publishing: the catalogue of a profile becomes an edition, its verified files become objects.

What of a file may be handed on; the first line that fits decides:

    | the file                                              | is handed on        |
    |-------------------------------------------------------|---------------------|
    | protected                                             | no: `protected`     |
    | whoever gave it said that it is not to be handed on   | no: `not_to_relay`  |
    | its bytes have the digest that somebody signed or told| yes                 |
    | a film or recording that did not decode here          | no: `not_decoded`   |
    | any other that was checked and hashed here            | yes                 |

The last line is where what was only *observed* becomes *attested*: the hub fetched it whole,
checked its kind and length, decoded it if it is to be played, hashed it, and now hashes it again as
it takes its place. From then on the hub's signature answers for the digest. A room never does this.

Invariants:
  HP1  Nothing protected and nothing that may not be handed on gets a digest or becomes an object.
  HP2  A file whose bytes are no longer those that were verified is not published.
  HP3  A lesson that was withdrawn is in no later edition, and its files are no longer shown.
  HP4  Each edition has a greater number and a later time than the one before, whatever the clock
       says, and the rows of the catalogue as they are.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.canon import encode
from client.domain.catalogue import Lesson, Part, RemoteFile
from client.domain.clock import Clock
from client.domain.edition import Attested, Group
from client.domain.errors import DigestMismatchError, ProtocolError
from client.domain.holding import Blob, is_video
from client.domain.ids import BookId, Digest, LessonId, SourceId
from client.domain.signer import Signer
from client.service.station import Station
from client.store.withdrawal_rows import WithdrawalRows
from sync.hub.authority import FIRST
from sync.hub.content import ContentFolder, Past
from sync.protocol.edition import (
    Delta,
    Head,
    NamedFile,
    pack_head,
    pack_withdrawals,
)
from sync.protocol.edition_rows import MAX_GROUP_BYTES, group_order, rows_of
from sync.protocol.row_stream import framed, packed, rows_in, steps, unpacked
from sync.source.folder import NO_RELAY

_LESSONS: Final = 200
_READ: Final = 1 << 16
_NOTHING: Final = Digest("")
_PUBLISHED: Final = SourceId("published")
"""Who says in the profile of a hub what the hub withdrew."""
_MINUTE_MS: Final = 60_000
"""Numbers begin at the minute, so that a hub that lost its editions goes on above them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that was not handed on: its address, and a message code."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What was published; the names are those of the command line's JSON."""

    number: int
    books: int
    lessons: int
    files: int
    rows: int
    catalogue_bytes: int
    delta_bytes: int
    """Of the steps from the edition before, 0 when there was none."""
    left_out: tuple[LeftOut, ...]


def why_not(part: Part, file: RemoteFile, blob: Blob) -> str:
    """Say by a code why a file is not handed on, empty if it is: the table of the module."""
    table = (
        (file.is_protected, "protected"),
        (NO_RELAY in file.flags, "not_to_relay"),
        (blob.trust is Trust.ATTESTED, ""),
        (is_video(part) and blob.decodes is not Decodes.YES, "not_decoded"),
    )
    return next((why for fits, why in table if fits), "")


class Publisher:
    """Makes editions of what one profile holds. Blocking.

    Args:
        station: The profile.
        content: Where to.
        signer: The hub's key.
        clock: Dates editions.
    """

    def __init__(
        self,
        station: Station,
        content: ContentFolder,
        signer: Signer,
        clock: Clock,
    ) -> None:
        self._station: Final = station
        self._content: Final = content
        self._signer: Final = signer
        self._clock: Final = clock
        self._left_out: list[LeftOut] = []
        self._shown: set[Digest] = set()
        self._books = self._lessons = self._rows = self._files = 0

    def publish(self, cancel: CancelToken) -> PublishReport:
        """Make the next edition and show it.

        Raises:
            ProtocolError: `too_large`: no room would take so much of one book.
            StorageError: The disk is full or failed; the edition before stays.
            Cancelled: As asked; the edition before stays.
        """
        # What is withdrawn, or taken back, holds for the profile that is published from, too.
        WithdrawalRows(self._station.database).put(_PUBLISHED, self._content.withdrawals())
        past = self._content.past()
        sums = _Sums()
        whole = self._content.put_edition_file(packed(sums.over(self._stream(cancel))))
        signed_ms = self._now_ms(past)
        number = max(signed_ms // _MINUTE_MS, past[-1].number + 1 if past else 1)
        head = Head(
            number=number,
            signed_ms=signed_ms,
            rows_digest=sums.digest,
            rows_bytes=sums.size,
            rows=self._rows,
            whole=whole,
            deltas=self._deltas(past, whole, sums.size, cancel),
            withdrawn=self._withdrawn(),
        )
        others = [delta.file.digest for delta in head.deltas]
        others += [] if head.withdrawn is None else [head.withdrawn.digest]
        self._content.release(
            pack_head(head, self._signer),
            [*past, _remembered(head, others)],
            self._shown,
            self._of_withdrawn(),
        )
        self._station.withdrawals.try_now()
        return PublishReport(
            number=number,
            books=self._books,
            lessons=self._lessons,
            files=self._files,
            rows=self._rows,
            catalogue_bytes=whole.size_bytes,
            delta_bytes=head.deltas[-1].file.size_bytes if head.deltas else 0,
            left_out=tuple(self._left_out),
        )

    def _now_ms(self, past: Sequence[Past]) -> int:
        """Date the edition: later than the one before, and than the program (HP4)."""
        wall_ms = round(self._clock.wall().timestamp() * 1000)
        before_ms = past[-1].signed_ms + 1 if past else 0
        return max(wall_ms, before_ms, round(FIRST.timestamp() * 1000))

    # --- rows -----------------------------------------------------------------------------

    def _stream(self, cancel: CancelToken) -> Iterator[bytes]:
        for group in self._groups(cancel):
            rows = [encode(row) for row in rows_of(group)]
            if sum(map(len, rows)) > MAX_GROUP_BYTES:
                raise ProtocolError("too_large")
            self._rows += len(rows)
            yield from framed(rows)

    def _groups(self, cancel: CancelToken) -> Iterator[Group]:
        """Give the catalogue book by book in the order of rows, with what may be handed on."""
        catalogue = self._station.catalogue
        kept = frozenset(lesson.id for lesson in self._station.holdings.kept_lessons())
        gone = frozenset(one.lesson for one in self._content.withdrawals())
        books = {str(book.id): book for book in catalogue.books()}
        for key in sorted(("", *books), key=group_order):
            cancel.check()
            ids = catalogue.ids_of_book(BookId(key)) if key else catalogue.loose_ids()
            lessons = tuple(self._read([id_ for id_ in ids if id_ not in gone]))
            attested = [
                one
                for lesson in lessons
                if lesson.id in kept
                for one in self._offer(lesson, cancel)
            ]
            self._books += bool(key)
            self._lessons += len(lessons)
            yield Group(
                key=key,
                book=books.get(key),
                sections=catalogue.sections(BookId(key)) if key else (),
                lessons=lessons,
                attested=tuple(attested),
            )

    def _read(self, ids: Sequence[LessonId]) -> Iterator[Lesson]:
        for at in range(0, len(ids), _LESSONS):
            yield from self._station.catalogue.lessons(ids[at : at + _LESSONS])

    def _offer(self, lesson: Lesson, cancel: CancelToken) -> Iterator[Attested]:
        """Put what is here of a lesson among the objects, as far as it may be (HP1, HP2)."""
        held = {
            (one.part, one.path): one.blob
            for one in self._station.holdings.of_lesson(lesson.id)
            if one.blob is not None
        }
        for part in lesson.parts:
            for file in part.files:
                blob = held.get((part.id, file.path))
                if blob is None:
                    continue
                why = why_not(part, file, blob)
                manifest = _NOTHING if why else self._put(blob, cancel)
                if manifest is None:
                    why, manifest = "damaged", _NOTHING
                if why:
                    self._left_out.append(LeftOut(what=file.path, why=why))
                    yield _refused(file.path)
                    continue
                self._files += 1
                self._shown.add(blob.digest)
                yield Attested(
                    path=file.path,
                    digest=blob.digest,
                    size_bytes=blob.size_bytes,
                    manifest=manifest,
                )

    def _put(self, blob: Blob, cancel: CancelToken) -> Digest | None:
        """Make an object of a blob; None where its bytes are not those any more (HP2)."""
        source = self._station.blobs.path(blob.digest, blob.ext)
        try:
            return self._content.put_object(source, blob.digest, cancel)
        except DigestMismatchError:
            return None

    # --- what else a head names -----------------------------------------------------------

    def _deltas(
        self, past: Sequence[Past], whole: NamedFile, size: int, cancel: CancelToken
    ) -> tuple[Delta, ...]:
        """Make steps from each edition that is kept; the last is from the one before."""
        made = []
        for one in past:
            cancel.check()
            sums = _Sums()
            base, target = self._rows_in(one.whole, one.rows_bytes), self._rows_in(whole, size)
            file = self._content.put_edition_file(packed(sums.over(framed(steps(base, target)))))
            if file.size_bytes < whole.size_bytes:
                made.append(Delta(base=one.number, file=file, unpacked_bytes=sums.size))
        return tuple(made)

    def _rows_in(self, file: NamedFile, size: int) -> Iterator[bytes]:
        return rows_in(unpacked(_pieces(self._content, file), size))

    def _of_withdrawn(self) -> frozenset[Digest]:
        lessons = [one.lesson for one in self._content.withdrawals()]
        held = self._station.holdings.of_lessons(lessons)
        return frozenset(one.blob.digest for one in held if one.blob is not None)

    def _withdrawn(self) -> NamedFile | None:
        found = self._content.withdrawals()
        return self._content.put_edition_file([pack_withdrawals(found)]) if found else None


class _Sums:
    """Digest and length of what flows by."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> Digest:
        """SHA-256 of everything so far."""
        return Digest(self._hash.hexdigest())

    def over(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Hand on each piece after counting it."""
        for piece in pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece


def _pieces(content: ContentFolder, file: NamedFile) -> Iterator[bytes]:
    with content.edition_file(file.digest).open("rb") as reader:
        while piece := reader.read(_READ):
            yield piece


def _refused(path: str) -> Attested:
    return Attested(path=path, digest=_NOTHING, size_bytes=0, manifest=_NOTHING, may_relay=False)


def _remembered(head: Head, others: Sequence[Digest]) -> Past:
    return Past(
        number=head.number,
        signed_ms=head.signed_ms,
        rows_digest=head.rows_digest,
        rows_bytes=head.rows_bytes,
        whole=head.whole,
        others=tuple(others),
    )
