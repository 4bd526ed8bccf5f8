"""A machine that dies while a roster is restored has the old one or the new one, and no half."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from client.domain.failpoint import ROSTER_POINTS, VARIABLE
from client.domain.ids import ClassId
from client.domain.roster import Pupil, PupilId
from client.store.roster_store import FILE, RosterStore
from tests.quality.sources import ROOT

CLASS = ClassId("c3")
RESTORE = """
import sys
from pathlib import Path
from client.domain.ids import ClassId
from client.store.roster_store import RosterStore
store = RosterStore(Path(sys.argv[1]))
store.pupils(ClassId("c3"))
store.replace(Path(sys.argv[2]).read_bytes())
"""


def pupil(name: str) -> Pupil:
    return Pupil(id=PupilId(name), position=1, name=name)


@pytest.mark.skipif(os.name == "nt", reason="only on Linux")
@pytest.mark.parametrize("point", ROSTER_POINTS)
def test_a_death_in_the_middle_of_a_restore_loses_nothing(tmp_path: Path, point: str) -> None:
    """RS5 of roster_store"""
    room, image = tmp_path / "room", tmp_path / "image"
    room.mkdir()
    store = RosterStore(room)
    store.change(CLASS, lambda _: [pupil("before")])
    image.write_bytes(store.image())
    whole = store.change(CLASS, lambda _: [pupil("newer")])
    store.close()
    command = [sys.executable, "-c", RESTORE, str(room), str(image)]
    died = subprocess.run(command, cwd=ROOT, env={**os.environ, VARIABLE: point}, check=False)
    assert died.returncode == -9
    assert store.pupils(CLASS) == whole
    assert store.set_aside is None
    left = {path.name: path for path in store.beside()}
    assert left.keys() == {f"{FILE}.replaced-1", f"{FILE}.restoring"}
    assert b"newer" in left[f"{FILE}.replaced-1"].read_bytes()
    store.close()
    subprocess.run(command, cwd=ROOT, check=True)
    assert store.pupils(CLASS) == (pupil("before"),)
    assert [path.name[-1] for path in store.beside()] == ["1", "2"]
    store.close()
