"""When a file that somebody else writes is whole: it stood still, look after look. Pure.

Satellite receivers and slow copies write for minutes and tell nobody when they are done.

Invariants:
  LK1  A file counts only after `LOOKS` looks in a row and `still_s` seconds of running time in
       which neither its size nor its time changed; a change begins anew. No wall clock is asked.
  LK2  A folder where nothing changes is looked at less and less often; one where something does,
       often again. While a class is on it is looked at rarely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

LOOKS: Final = 3
STILL_S: Final = 30.0
OFTEN_S: Final = 5.0
RARELY_S: Final = 300.0
_SLOWER: Final = 2.0


class Stamp(NamedTuple):
    """What a listing tells of a file. The time is compared for sameness only."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look saw."""

    still: frozenset[str]
    """Paths of files that count."""
    moving: frozenset[str]
    """Paths of files that do not count yet."""
    has_changed: bool
    """Whether anything came, went or changed since the look before."""


class _Since(NamedTuple):
    """Since when a file is as it is."""

    stamp: Stamp
    at_s: float
    looks: int


class Looks:
    """Remembers the looks at one folder."""

    def __init__(self, still_s: float = STILL_S) -> None:
        self._still_s = still_s
        self._files: dict[str, _Since] = {}

    def look(self, listing: Mapping[str, Stamp], now_s: float) -> Looked:
        """Compare a listing with those before (LK1). `now_s` is running time."""
        before, self._files = self._files, {}
        for path, stamp in listing.items():
            known = before.get(path)
            if known is None or known.stamp != stamp:
                known = _Since(stamp, now_s, 0)
            self._files[path] = known._replace(looks=known.looks + 1)
        still = frozenset(
            path
            for path, since in self._files.items()
            if since.looks >= LOOKS and now_s - since.at_s >= self._still_s
        )
        return Looked(
            still=still,
            moving=frozenset(self._files) - still,
            has_changed={path: one.stamp for path, one in before.items()} != dict(listing),
        )


def next_wait_s(before_s: float, *, has_changed: bool, is_moving: bool, in_class: bool) -> float:
    """Say how long to wait before the next look (LK2); the first line that fits decides.

    | condition                               | seconds             |
    |-----------------------------------------|---------------------|
    | a class is on                           | `RARELY_S`          |
    | something changed or does not count yet | `OFTEN_S`           |
    | else                                    | twice, `RARELY_S` at most |
    """
    if in_class:
        return RARELY_S
    if has_changed or is_moving:
        return OFTEN_S
    return min(RARELY_S, before_s * _SLOWER)
