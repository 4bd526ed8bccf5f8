"""PCs near by as a fetch sees them: what they have of a lesson, and whether to wait for them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from client.domain.cancel import CancelToken
from client.domain.catalogue import RemoteFile
from client.domain.errors import ClassroomError, TransportError
from client.domain.ids import Digest, LessonId
from sync.engine.near_book import Peer
from sync.engine.near_rules import Proof
from sync.engine.rendition import Stretches
from sync.engine.schedule import NEAR
from sync.protocol.near import NearFile
from sync.source.hub import HubAddresses


class NearComingError(TransportError):
    """Another PC brings it just now, or was to give it and is gone: look around again."""

    def __init__(self) -> None:
        super().__init__(NEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """One file that is wanted, and the digests that hubs of this room signed for it."""

    file: RemoteFile
    told: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearSource:
    """One PC that has a file, and by what the file proves itself."""

    peer: Peer
    file: NearFile
    proof: Proof

    @property
    def addresses(self) -> HubAddresses:
        """Where its files are: it is a hub that can only be read."""
        return HubAddresses(base=self.peer.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was found of one lesson; belongs to one fetch."""

    sources: dict[str, tuple[NearSource, ...]] = field(default_factory=dict)
    """By the paths of files, whom to ask first in front."""
    waits: frozenset[str] = frozenset()
    """Paths that another PC brings just now."""

    def of(self, path: str) -> tuple[NearSource, ...]:
        """Give those who have a file."""
        return self.sources.get(path, ())


class Near(Protocol):
    """The PCs near by; `sync.engine.near_link.NearLink` is one."""

    def visit(
        self,
        lesson: LessonId,
        sought: Sequence[Sought],
        done: Callable[[], int],
        cancel: CancelToken,
    ) -> AbstractContextManager[Visit]:
        """Look around before a fetch, and tell others of it while it runs. Blocking.

        Args:
            lesson: Which one.
            sought: What is missing of it.
            done: Tells how many bytes came so far, from any thread.
            cancel: Stops looking.
        """
        ...

    def blame(self, source: NearSource, error: ClassroomError) -> None:
        """Learn that somebody did not give what it said it has."""
        ...

    def stretches(
        self, sources: Sequence[NearSource], came: Callable[[int], None], cancel: CancelToken
    ) -> Stretches | None:
        """Give the segments of a film from whoever has them, None if nobody does. Blocking.

        Args:
            sources: Those who said so.
            came: Told the bytes that come.
            cancel: Stops asking.
        """
        ...


class NoNear:
    """Nobody is near: a `Near`."""

    @contextmanager
    def visit(
        self, _lesson: LessonId, _sought: object, _done: object, _cancel: CancelToken
    ) -> Iterator[Visit]:
        """See the port."""
        yield Visit()

    def blame(self, source: NearSource, error: ClassroomError) -> None:
        """See the port; nobody was asked."""

    def stretches(self, _sources: object, _came: object, _cancel: CancelToken) -> Stretches | None:
        """See the port."""
        return None
