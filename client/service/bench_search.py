"""`bench search`: how quickly and how completely the library finds (DESIGN §4 and §5).

Works on a real library.db with a generated catalogue. The generator and the oracle that knows the
right answers live with the tests, so this bench runs from a checkout only. What was built stays in
a folder of the system's temporary files for the next run.
"""

import gc
import importlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.domain.catalogue import Lesson
from client.domain.errors import UserError
from client.domain.ids import BookId
from client.service.library import LibraryService
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from client.store.search_store import FORMAT

RESOURCES: Final = 130_000
PER_KIND: Final = 130
_ROOM_BOOKS: Final = 12


def bench_search(
    n: int = RESOURCES,
    *,
    per_kind: int = PER_KIND,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, object]:
    """Type queries of every kind and compare the answers with the oracle's.

    Args:
        n: Lessons in the catalogue.
        per_kind: Queries of each kind; their seed is fixed.
        folder: Where the catalogue is built and kept; by default among the temporary files.
        progress: Told what is being done, as a word.

    Returns:
        Per kind `p50_ms`, `p95_ms`, `cpu_p95_ms` (without waiting for a processor others use) and
        `recall`; beside them `facets_p95_ms`, `first_query_ms`,
        `build_s` (0 when it stood from before) and `queries`.

    Raises:
        UserError: The generator is not here: the program does not run from its checkout.
    """
    tools = _tools()
    place = folder or _temporary(n, tools.generator.VERSION)
    place.mkdir(parents=True, exist_ok=True)
    database = open_library(place / "library.db")
    try:
        progress("catalogue")
        lessons, build_s = _fill(CatalogueStore(database), tools.generator, n)
        books = sorted({BookId(str(lesson.book)) for lesson in lessons})
        room = tuple(books[:: max(1, len(books) // _ROOM_BOOKS)])
        holdings = HoldingStore(database, BlobStore(place / "blobs"), place / "lessons")
        library = LibraryService(database, holdings, lambda: room)
        progress("index")
        begun = time.perf_counter()
        library.refresh()
        build_s += time.perf_counter() - begun
        first_ms = library.search_now("x").elapsed_ms
        progress("oracle")
        everything = tools.oracle.known(tools.oracle.ranked(lessons))

        def right(query: str) -> set[str]:
            return set(tools.oracle.search(everything, query, room))

        queries = tools.typist.queries(lessons, per_kind)
        tried = _try_all(library, queries, right, progress)
    finally:
        database.close()
    return {one.kind: one.figures() for one in tried} | {
        "facets_p95_ms": _p95([ms for one in tried for ms in one.facets_ms]),
        "first_query_ms": round(first_ms, 2),
        "build_s": round(build_s, 2),
        "queries": per_kind * len(tried),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    generator: Any
    typist: Any
    oracle: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What the queries of one kind gave."""

    kind: str
    rows_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    facets_ms: tuple[float, ...]
    found: int
    wanted: int

    def figures(self) -> dict[str, float]:
        return {
            "p50_ms": round(statistics.median(self.rows_ms), 2),
            "p95_ms": _p95(self.rows_ms),
            "cpu_p95_ms": _p95(self.cpu_ms),
            "recall": self.found / self.wanted if self.wanted else 1.0,
        }


def _try_all(
    library: LibraryService,
    queries: Mapping[str, Sequence[str]],
    right: Callable[[str], set[str]],
    progress: Callable[[str], None],
) -> list[_Tried]:
    # Lessons and oracle are the bench's own: they shall not slow the collector down.
    gc.collect()
    gc.freeze()
    try:
        tried: list[_Tried] = []
        for kind, some in queries.items():
            progress(kind)
            tried.append(_try(library, kind, some, right))
        return tried
    finally:
        gc.unfreeze()


def _try(
    library: LibraryService, kind: str, queries: Sequence[str], right: Callable[[str], set[str]]
) -> _Tried:
    rows_ms: list[float] = []
    cpu_ms: list[float] = []
    facets_ms: list[float] = []
    found = wanted = 0
    for query in queries:
        cpu_s = time.thread_time()
        page = library.search_now(query)
        cpu_ms.append((time.thread_time() - cpu_s) * 1000)
        rows_ms.append(page.elapsed_ms)
        begun = time.perf_counter()
        library.facets_now(query)
        facets_ms.append((time.perf_counter() - begun) * 1000)
        expected = right(query)
        found += len({row.id for row in page.rows} & expected)
        wanted += len(expected)
    return _Tried(
        kind=kind,
        rows_ms=tuple(rows_ms),
        cpu_ms=tuple(cpu_ms),
        facets_ms=tuple(facets_ms),
        found=found,
        wanted=wanted,
    )


def _tools() -> _Tools:
    try:
        return _Tools(
            generator=importlib.import_module("tests.generator.lessons"),
            typist=importlib.import_module("tests.generator.queries"),
            oracle=importlib.import_module("tests.oracle.search_oracle"),
        )
    except ImportError as error:
        raise UserError("bench_needs_checkout") from error


def _temporary(n: int, version: int) -> Path:
    # The user's own folder: what another user could have put there is never opened.
    user = os.getuid() if hasattr(os, "getuid") else 0
    name = f"tongke-bench-search-{user}-{version}-{FORMAT}-{n}"
    return Path(tempfile.gettempdir()) / name


def _fill(store: CatalogueStore, generator: Any, n: int) -> tuple[list[Lesson], float]:  # noqa: ANN401 - a module of the tests
    """Make the catalogue unless it stands; seconds it took."""
    here = {book.id for book in store.books()}
    lessons: list[Lesson] = []
    begun = time.perf_counter()
    for made in generator.generate(n):
        lessons += made.lessons
        if made.book.id not in here:
            store.put_lessons(generator.SOURCE, made.lessons)
            store.put_sections(generator.SOURCE, made.book.id, made.sections)
            # The book comes last: it says that everything below it is here.
            store.put_books(generator.SOURCE, [made.book])
    return lessons, time.perf_counter() - begun if not here else 0.0


def _p95(times: Sequence[float]) -> float:
    return round(sorted(times)[int(len(times) * 0.95)], 2) if times else 0.0
