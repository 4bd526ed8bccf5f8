"""The program as it runs on a machine of its own: `python -m tests.cloned_pc MARK PROFILE`

Each line of stdin is a command of `main.py`, a JSON list of words, and opens the profile anew; its
document and then its exit code stand on stdout. `meet FOLDER` is one more: two rooms meet with
nothing but a folder. What is there is taken, everything that is here is left. The marks of the
hardware are the only thing that is not real; where `MARK` is `-` they are, too.
"""

import json
import sys
from pathlib import Path

import main
from client.domain.clock import SystemClock
from client.domain.record.vector import EMPTY
from client.service import station
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import hub_link

ALL = 1 << 40


def as_machine(mark: str) -> None:
    """Have the hardware tell other marks than it does."""
    marks = (f"installation {mark}", f"board {mark}", f"card {mark}")
    for module in (station, hub_link):
        module.read_marks = lambda: marks


def meet(profile: Path, folder: Path) -> int:
    """Take the segments that lie in a folder and leave all of one's own."""
    opened = Station(Profile(profile), SystemClock())
    try:
        journal = opened.journal
        found = [path.read_bytes() for path in sorted(folder.glob("*.segment"))]
        codes = journal.log.take(found).result()
        assert all(code.is_kept for code in codes), codes
        journal.seal().result()
        for number, data in enumerate(journal.log.missing(EMPTY, ALL)):
            (folder / f"{number:03d}-{journal.writer.hex()}.segment").write_bytes(data)
        told = {"vector": journal.log.vector().summary.hex()}
    finally:
        opened.close()
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    mark, place = sys.argv[1:]
    if mark != "-":
        as_machine(mark)
    for line in sys.stdin:
        words = json.loads(line)
        if words[0] == "meet":
            code = meet(Path(place), Path(words[1]))
        else:
            code = main.main(["--profile", place, "--json", *words])
        print(json.dumps({"exit": code}), flush=True)
