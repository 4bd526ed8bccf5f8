"""Fetching a lesson: from a plan to verified files with rows, documents first.

Invariants:
  E1  A part is reported present only after its file stands under its digest, was probed if it
      must decode, and its row is committed.
  E2  Each part ends in a clear state with a reason; one part's failure does not stop the next,
      unless it would fail alike (disk full, no link, login refused twice).
  E3  Files with an announced MD5, or a digest that a hub signed, are ATTESTED, others OBSERVED.
  E4  A PC near by is asked first, then a hub that attests the file, then where the catalogue says
      it is; each goes on where the one before stopped.
  E5  What another PC brings just now is not asked for over the link.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from client.domain.availability import Decodes, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Lesson, RemoteFile
from client.domain.clock import Clock
from client.domain.errors import (
    Cancelled,
    ClassroomError,
    ProtocolError,
    RefusedError,
    StorageError,
    TransportError,
)
from client.domain.failpoint import failpoint
from client.domain.holding import Blob, Holding, is_video
from client.store.blob_store import StoredFile, growing_key
from client.store.holding_store import MISSING, HoldingStore
from sync.engine.content import kind_of, require_kind
from sync.engine.download import Downloader, Wanted
from sync.engine.fetch_job import Job, Progress, outcome_of
from sync.engine.fetch_plan import (
    Choice,
    FetchPlan,
    FetchReport,
    Item,
    PartOutcome,
    PartStatus,
    plan_fetch,
)
from sync.engine.hls import ProtectedMediaError
from sync.engine.hub_content import Attests, HubContent, HubPlace, Offer, nobody
from sync.engine.mend import Mender
from sync.engine.near import Near, NearComingError, NoNear, Sought
from sync.engine.near_rules import Proof
from sync.engine.pacing import MOST_WIDTH, LinkMeter, Patience, Width
from sync.engine.rendition import RenditionFetch, Tools
from sync.transport.port import Transport
from sync.transport.session import share_window

Probe = Callable[[Path], Decodes]
"""Decodes the beginning of a file on this machine."""

_OBJECT: Final = "/v1/o/"
"""In addresses of what came from near by."""
_NEAR: Final = Patience(tries=2, first_s=0.2, most_s=0.5)
"""With PCs near by: there is another way."""


class Addresses(Protocol):
    """Where media is reached; `sync.source.addresses.AddressBook` is one."""

    def media_urls(self, file: RemoteFile) -> tuple[str, ...]:
        """Give all reachable addresses of a file, the best first."""
        ...

    def redirect(self, url: str) -> str:
        """Give the one reachable address of what a playlist names."""
        ...

    def worked(self, url: str) -> None:
        """Note an address that answered."""
        ...

    def failed(self, url: str) -> None:
        """Note an address that did not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPorts:
    """What a fetcher works with."""

    transport: Transport
    addresses: Addresses
    holdings: HoldingStore
    clock: Clock
    probe: Probe
    hubs: tuple[HubPlace, ...] = ()
    attests: Attests = nobody
    near: Near = field(default_factory=NoNear)
    near_transport: Transport | None = None
    """Carries from PCs near by, at no cost; None where there are none."""


class Fetcher:
    """Fetches one lesson at a time. `progress` and `close` may be called from any thread.

    Args:
        ports: See `FetchPorts`.
        patience: How often to try without progress.
        on_bytes: Called after bytes came, on a worker thread; it may only post.
    """

    def __init__(
        self,
        ports: FetchPorts,
        *,
        patience: Patience | None = None,
        on_bytes: Callable[[], None] | None = None,
    ) -> None:
        self._addresses = ports.addresses
        self._holdings = ports.holdings
        self._clock = ports.clock
        self._probe = ports.probe
        self._meter = LinkMeter(ports.clock, on_bytes)
        self._near = ports.near
        self._attests = ports.attests
        self._near_meter = LinkMeter(ports.clock, on_bytes)
        self._near_downloader = Downloader(
            ports.near_transport or ports.transport,
            self._near_meter,
            patience=_NEAR,
            worked=_ignore,
            failed=_ignore,
        )
        self._pool = ThreadPoolExecutor(
            MOST_WIDTH, "sync-io", initializer=share_window, initargs=(MOST_WIDTH,)
        )
        self._hubs = HubContent(
            ports.hubs,
            ports.attests,
            ports.holdings.blobs,
            self._meter,
            patience or Patience(),
            self._pool,
        )
        self._downloader = Downloader(
            ports.transport,
            self._meter,
            patience=patience or Patience(),
            worked=ports.addresses.worked,
            failed=ports.addresses.failed,
        )
        self._mender = Mender(ports.transport, self._meter)
        self._width = Width()
        self._job: Job | None = None

    @property
    def progress(self) -> Progress:
        """How far the present fetch is."""
        job, received = self._job, self._meter.total + self._near_meter.total
        if job is None:
            return Progress(bytes_received=received)
        return replace(job.progress(), bytes_received=received)

    def close(self) -> None:
        """Free the workers; a fetch under way must have been cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def fetch(self, lesson: Lesson, choice: Choice, cancel: CancelToken) -> FetchReport:
        """Bring what is chosen of a lesson (E1 to E3). Blocks.

        Args:
            lesson: With its parts.
            choice: Which parts, and how high.
            cancel: Stops at the next chunk; what came is kept for resume.

        Raises:
            Cancelled: Somebody asked to stop. Everything else is told in the report.
        """
        begun = self._clock.monotonic()
        received, lit_s = self._meter.total, self._meter.lit_s
        near = self._near_meter.total
        plan = plan_fetch(lesson, choice, self._holdings.of_lesson(lesson.id), self._is_reachable)
        job = self._job = Job(lesson, plan)
        for part in plan.unavailable:
            if part.reason == "protected":
                self._mark_protected(lesson, part)
        try:
            with self._near.visit(lesson.id, self._sought(plan), job.bytes_done, cancel) as visit:
                job.visit = visit
                for item in plan.items:
                    job.outcomes.append(job.given_up(item) or self._have(job, item, cancel))
        finally:
            self._job = None
        return FetchReport(
            id=lesson.id,
            bytes_needed=plan.bytes_needed,
            bytes_received=self._meter.total - received,
            bytes_near=self._near_meter.total - near,
            bytes_reused=job.bytes_reused,
            seconds=self._clock.monotonic() - begun,
            lit_s=self._meter.lit_s - lit_s,
            parts=_in_lesson_order(lesson, (*plan.unavailable, *job.outcomes)),
        )

    def _sought(self, plan: FetchPlan) -> list[Sought]:
        """Name what is missing, with the digests it must have."""
        return [
            Sought(
                file=item.file,
                told=frozenset(told.digest for _, told in self._attests(item.file.path)),
            )
            for item in plan.items
            if item.held is None
        ]

    # --- one part ------------------------------------------------------------------------------

    def _have(self, job: Job, item: Item, cancel: CancelToken) -> PartOutcome:
        held = item.held
        if held is not None and held.blob is not None:
            if self._holdings.blobs.has(held.blob.digest, held.blob.ext, held.blob.size_bytes):
                job.reuse(held.blob.size_bytes)
                job.finish(held.blob.size_bytes)
                # A life that ended between its row and its last step left these.
                self._holdings.blobs.clear(growing_key(item.file.path, item.file.md5))
                return _present(item, self._vouched(job, item, held.blob) or held)
            self._holdings.lose(held.blob.digest, MISSING)
        try:
            self._note(item, PartState.FETCHING)
            holding = self._bring(job, item, cancel)
        except Cancelled:
            self._note(item, PartState.ABSENT)
            raise
        except ProtectedMediaError:
            self._note(item, PartState.PROTECTED, "protected")
            return outcome_of(item, PartStatus.UNAVAILABLE, "protected")
        except ClassroomError as error:
            job.remember(error)
            with contextlib.suppress(StorageError):
                self._note(item, _state_after(error), error.code)
            return outcome_of(item, PartStatus.FAILED, error.code)
        return _present(item, holding)

    def _vouched(self, job: Job, item: Item, blob: Blob) -> Holding | None:
        """Attest what was only observed, once a hub signs for the same bytes (E3)."""
        offers = self._hubs.offers(item.file.path)
        told = {offer.attested.digest for offer in offers}
        if blob.trust is Trust.ATTESTED or blob.digest not in told:
            return None
        attested = replace(blob, trust=Trust.ATTESTED)
        return self._holdings.keep(job.lesson, item.part.id, item.file.path, attested)

    def _bring(self, job: Job, item: Item, cancel: CancelToken) -> Holding:
        self._holdings.blobs.require_room(item.file.fetch_bytes)
        failed: ClassroomError | None = None
        if (near := self._bring_near(job, item, cancel)) is not None:
            return near
        if item.file.path in job.visit.waits:
            raise NearComingError
        for offer in self._hubs.offers(item.file.path):
            try:
                return self._bring_attested(job, item, offer, cancel)
            except (TransportError, RefusedError, ProtocolError) as error:
                failed = error
        try:
            urls = self._addresses.media_urls(item.file)
        except ClassroomError as error:
            raise failed or error from failed
        if item.file.use is FileUse.RENDITION:
            return self._bring_rendition(job, item, urls, cancel)
        return self._bring_file(job, item, urls, cancel, self._downloader)

    def _bring_near(self, job: Job, item: Item, cancel: CancelToken) -> Holding | None:
        """Bring a file from PCs near by; None if nobody has it.

        Where those who had it failed, everybody who asked them looks around again before one of
        them goes on over the link (E5).
        """
        is_lost = False
        for source in job.visit.of(item.file.path):
            try:
                if source.proof is Proof.DIGEST:
                    told = source.file.digest
                    attested = next(
                        one for _, one in self._attests(item.file.path) if one.digest == told
                    )
                    offer = Offer(
                        attested=attested,
                        addresses=source.addresses,
                        downloader=self._near_downloader,
                        is_near=True,
                    )
                    return self._bring_attested(job, item, offer, cancel)
                if source.proof is Proof.MD5 and not self._is_begun(item.file):
                    url = source.addresses.object(source.file.digest)
                    return self._bring_file(job, item, (url,), cancel, self._near_downloader)
            except (TransportError, RefusedError, ProtocolError) as error:
                self._near.blame(source, error)
                is_lost = True
        if is_lost:
            raise NearComingError
        return None

    def _is_begun(self, file: RemoteFile) -> bool:
        """Tell whether the link brought some of a file whose end alone proves it.

        That is not risked on the word of a stranger.
        """
        key = growing_key(file.path, file.md5)
        with contextlib.closing(
            self._holdings.blobs.growing(key, f"{file.path} {file.md5}")
        ) as one:
            return bool(one.size) and _OBJECT not in one.url

    def _is_reachable(self, file: RemoteFile) -> bool:
        """Tell whether anybody can be asked for a file."""
        if self._hubs.offers(file.path):
            return True
        try:
            return bool(self._addresses.media_urls(file))
        except ClassroomError:
            return False

    def _bring_attested(self, job: Job, item: Item, offer: Offer, cancel: CancelToken) -> Holding:
        """Bring a file by its digest, whatever it was assembled of (E4)."""
        blobs = self._holdings.blobs
        here = self._holdings.has_blob(offer.attested.digest)
        if here is not None:
            job.reuse(here.size_bytes)
            job.finish(here.size_bytes)
            stored = StoredFile(digest=here.digest, ext=here.ext, size_bytes=here.size_bytes)
            return self._keep(job.lesson, item, stored, Trust.ATTESTED)
        growing = self._hubs.growing(offer)
        with job.following(growing):
            known = blobs.finished(growing)
            job.reuse(growing.size if known is None else known.size_bytes)
            if known is None:
                self._hubs.complete(growing, offer, cancel)
                is_film = item.file.use is FileUse.RENDITION
                known = blobs.commit(growing, ".ts" if is_film else kind_of(item.file))
            holding = self._keep(job.lesson, item, known, Trust.ATTESTED)
            self._hubs.retire(growing, offer)
            job.finish(known.size_bytes)
        return holding

    def _bring_file(
        self,
        job: Job,
        item: Item,
        urls: tuple[str, ...],
        cancel: CancelToken,
        downloader: Downloader,
    ) -> Holding:
        file = item.file
        identity = f"{file.path} {file.md5}"
        growing = self._holdings.blobs.growing(growing_key(file.path, file.md5), identity)
        with job.following(growing):
            stored = self._holdings.blobs.finished(growing)
            job.reuse(growing.size if stored is None else stored.size_bytes)
            if stored is None:
                if downloader is self._downloader:
                    salvage = self._holdings.blobs.salvage(identity)
                    job.reuse(self._mender.mend(growing, salvage, urls, cancel))
                downloader.fetch(growing, _wanted(file, urls), cancel)
                stored = self._holdings.blobs.commit(growing, kind_of(file))
            trust = Trust.ATTESTED if file.md5 else Trust.OBSERVED
            holding = self._keep(job.lesson, item, stored, trust)
            self._holdings.blobs.retire(growing)
            job.finish(stored.size_bytes)
        return holding

    def _bring_rendition(
        self, job: Job, item: Item, urls: tuple[str, ...], cancel: CancelToken
    ) -> Holding:
        blobs = self._holdings.blobs
        tools = Tools(
            downloader=self._downloader,
            blobs=blobs,
            meter=self._meter,
            pool=self._pool,
            reachable=self._addresses.redirect,
        )
        sources = job.visit.of(item.file.path)
        near = self._near.stretches(sources, self._near_meter.came, cancel)
        fetch = RenditionFetch(tools, item.file, urls, self._width, near)
        with job.following(fetch):
            stored = fetch.finished()
            kept = fetch.take_up()
            job.reuse(kept if stored is None else stored.size_bytes)
            if stored is None:
                stored = blobs.commit(fetch.run(cancel), ".ts")
                self._width = fetch.width
            holding = self._keep(job.lesson, item, stored, Trust.OBSERVED)
            fetch.retire()
            job.finish(stored.size_bytes)
        return holding

    def _keep(self, lesson: Lesson, item: Item, stored: StoredFile, trust: Trust) -> Holding:
        """Probe a committed file and record it (E1, E3)."""
        path = self._holdings.blobs.path(stored.digest, stored.ext)
        decodes = self._probe(path) if is_video(item.part) else Decodes.UNKNOWN
        failpoint("fetch.after_probe")
        blob = Blob(
            digest=stored.digest,
            ext=stored.ext,
            size_bytes=stored.size_bytes,
            trust=trust,
            decodes=decodes,
            verified_at=self._clock.wall().isoformat(timespec="seconds"),
        )
        return self._holdings.keep(lesson, item.part.id, item.file.path, blob)

    def _note(self, item: Item, state: PartState, reason: str = "") -> None:
        self._holdings.mark(item.part.lesson, item.part.id, item.file.path, state, reason)

    def _mark_protected(self, lesson: Lesson, outcome: PartOutcome) -> None:
        for part in lesson.parts:
            if part.id == outcome.id and part.files:
                self._holdings.mark(
                    lesson.id, part.id, part.files[0].path, PartState.PROTECTED, "protected"
                )


def _ignore(_: str) -> None:
    """Learn nothing of addresses: a PC has one."""


def _wanted(file: RemoteFile, urls: tuple[str, ...]) -> Wanted:
    return Wanted(
        urls=urls,
        size_bytes=file.size_bytes,
        md5=file.md5,
        check_head=lambda head: require_kind(file, head),
    )


def _state_after(error: ClassroomError) -> PartState:
    """Leave a part absent after a broken link: it will come. All else waits for somebody."""
    return PartState.ABSENT if isinstance(error, TransportError) else PartState.FAILED


def _present(item: Item, holding: Holding) -> PartOutcome:
    decodes = Decodes.UNKNOWN if holding.blob is None else holding.blob.decodes
    reason = "does_not_decode" if decodes is Decodes.NO else ""
    return outcome_of(item, PartStatus.PRESENT, reason, holding.file)


def _in_lesson_order(lesson: Lesson, outcomes: tuple[PartOutcome, ...]) -> tuple[PartOutcome, ...]:
    order = {part.id: index for index, part in enumerate(lesson.parts)}
    return tuple(sorted(outcomes, key=lambda outcome: order[outcome.id]))
