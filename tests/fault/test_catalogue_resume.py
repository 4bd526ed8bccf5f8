"""Y1: a sync that was cut off goes on; the oracle of "not twice" is the replica's own count."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.errors import Cancelled, TransportError
from client.domain.ids import BookId, LessonId
from sync.engine.catalogue_sync import CatalogueProgress, Phase, Wanted
from tests.platform_room import ALL, Room, room
from tests.replica import Replica, Replicas

pytestmark = pytest.mark.shared


@pytest.fixture
def small(replicas: Replicas) -> Replica:
    return replicas("--books", "2", "--lessons-per-book", "6")


def _bodies(replica: Replica) -> int:
    """Answers with a body, by the replica's count."""
    classes = replica.stats()["classes"]
    return sum(
        int(found["statuses"].get("200", 0))
        for name, found in classes.items()
        if name.startswith("catalogue.")
    )


def _documents(replica: Replica, folder: Path) -> int:
    """How many documents one undisturbed sync reads."""
    with room(folder, replica) as other:
        other.sync(ALL)
    count = _bodies(replica)
    replica.reset("stats")
    return count


def test_a_second_sync_asks_but_receives_nothing(tmp_path: Path, replica: Replica) -> None:
    with room(tmp_path, replica) as here:
        here.sync(ALL)
        replica.reset("stats")
        report = here.sync(ALL)
        assert _bodies(replica) == 0
        assert report.bytes_received == replica.body_bytes()
        assert (report.added, report.changed, report.withdrawn) == (0, 0, 0)


@pytest.mark.parametrize("noise", ["reorder-noise", "version-bump"])
@pytest.mark.parametrize("options", [(), ("--no-validators",)])
def test_noise_writes_nothing(
    tmp_path: Path, replicas: Replicas, noise: str, options: tuple[str, ...]
) -> None:
    """C1: no row of the catalogue differs, and no lesson counts as changed."""
    replica = replicas("--books", "2", "--lessons-per-book", "6", *options)
    with room(tmp_path, replica) as here:
        here.sync(ALL)
        before, cursor = _rows(here), here.store.changed_since(0).cursor
        replica.mutate(noise)
        report = here.sync(ALL)
        assert (report.added, report.changed, report.withdrawn) == (0, 0, 0)
        assert _rows(here) == before
        assert here.store.changed_since(cursor).rows == ()


def _rows(here: Room) -> list[str]:
    """Everything but what documents are recognised by."""
    dump = here.db.read_here(lambda c: list(c.iterdump()))
    return [line for line in dump if not line.startswith('INSERT INTO "seen"')]


@pytest.mark.parametrize("phase", list(Phase))
def test_cancelled_in_any_phase_it_goes_on_where_it_stopped(
    tmp_path: Path, small: Replica, phase: Phase
) -> None:
    replica = small
    whole = _documents(replica, _made(tmp_path / "other"))
    cancel = CancelToken()

    def stop(step: CatalogueProgress) -> None:
        if step.phase is phase and step.done * 2 >= step.total:
            cancel.cancel()

    with room(tmp_path, replica) as here:
        with pytest.raises(Cancelled):
            here.sync(ALL, progress=stop, cancel=cancel)
        here.sync(ALL)
        assert here.differences(replica) == []
        # A document under way when it was stopped is read again: two connections at most.
        assert whole <= _bodies(replica) <= whole + 2


def test_a_link_that_dies_again_and_again_reads_nothing_twice(
    tmp_path: Path, small: Replica
) -> None:
    replica = small
    whole = _documents(replica, _made(tmp_path / "other"))
    with room(tmp_path, replica) as here:
        for _ in range(6):
            replica.fault("flaky-5xx", match=r"details/[0-7]|trees/[0-7]|part_", probability=0.7)
            with suppress(TransportError):
                here.sync(ALL)
        replica.faults()
        here.sync(ALL)
        assert here.differences(replica) == []
        assert _bodies(replica) == whole


_CHILD = """
import sys
from pathlib import Path
from sync.engine.catalogue_sync import sync_catalogue
from tests.platform_room import ALL, Room
from client.store.catalogue_store import CatalogueStore
from client.store.library import open_library
db = open_library(Path(sys.argv[1]) / "library.db")
here = Room(db, CatalogueStore(db), sys.argv[2])
here.sync(ALL, progress=lambda step: print(step.phase.value, step.done, flush=True))
"""


@pytest.mark.parametrize("after", [2, 5, 9, 15])
def test_killed_it_goes_on_where_it_stopped(
    tmp_path: Path, small: Replica, project_root: Path, after: int
) -> None:
    """kill -9 after so many steps, as the child reports them."""
    replica = small
    whole = _documents(replica, _made(tmp_path / "other"))
    environment = {**os.environ, "PYTHONPATH": str(project_root)}
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path), replica.base],
        stdout=subprocess.PIPE,
        cwd=project_root,
        env=environment,
    ) as child:
        assert child.stdout is not None
        for _ in range(after):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    with room(tmp_path, replica) as here:
        here.sync(ALL)
        assert here.differences(replica) == []
        assert whole <= _bodies(replica) <= whole + 3


def test_a_room_reads_only_the_books_it_chose(tmp_path: Path, replica: Replica) -> None:
    with room(tmp_path, replica) as here:
        report = here.sync(Wanted(books=()))
        assert (report.books, report.lessons) == (replica.truth(files=False)["totals"]["books"], 0)
        assert replica.requests("catalogue.tree") == replica.requests("catalogue.detail") == 0
        book = next(b for b in replica.truth(files=False)["books"] if b["lessons"])
        lesson = LessonId(book["lessons"][0]["id"])
        here.sync(Wanted(books=(BookId(book["id"]),), detail_ids=(lesson,)))
        assert replica.requests("catalogue.tree") == replica.requests("catalogue.detail") == 1
        held = here.store.lesson(lesson)
        assert held is not None
        assert held.has_detail


def test_a_platform_that_limits_requests_is_waited_for(tmp_path: Path, replicas: Replicas) -> None:
    """429 with Retry-After."""
    small = ("--books", "1", "--lessons-per-book", "4")
    replica = replicas(*small, "--rate-limit", "10", "--rate-burst", "5")
    with room(tmp_path, replica) as here:
        here.sync(ALL)
        assert here.differences(replica) == []
    assert int(replica.stats()["statuses"].get("429", 0)) > 0


def test_nothing_but_the_catalogue_is_ever_asked_for(tmp_path: Path, replica: Replica) -> None:
    """S3: no key, no playlist, no segment."""
    with room(tmp_path, replica) as here:
        here.sync(ALL)
        replica.mutate("withdraw")
        here.sync(ALL)
    classes = replica.stats()["classes"]
    assert all(name.startswith(("catalogue.", "control")) for name in classes)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
