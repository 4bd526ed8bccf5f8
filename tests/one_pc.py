"""The program as it runs on a machine of its own: `Pc`, and the process behind it.

`python -m tests.one_pc MARKS PROFILE` takes commands of `main.py` from its stdin, one JSON list of
words in a line, and opens the profile anew for each; what it prints and then its exit code stand on
stdout. `meet FOLDER` is one more: two rooms meet with nothing but a folder. What is there is taken,
everything that is here is left. The marks of the hardware are the only thing that is not real;
where `MARKS` is `-` they are, too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import main
from client.domain.clock import SystemClock
from client.domain.record.vector import EMPTY
from client.service import station
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import hub_link
from tests.quality.sources import ROOT

ALL = 1 << 40


class Pc:
    """A machine whose program is told what to do; a context that ends its process.

    Args:
        profile: Its data.
        marks: What its hardware tells, three words with commas between; `-`: what it really tells.
        env: Added to the environment.
    """

    def __init__(
        self, profile: Path, marks: str = "-", env: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.one_pc", marks, profile],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, *words: object) -> tuple[int, dict[str, Any]]:
        """Run a command; gives its exit code and its document."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return json.loads(self._process.stdout.readline())["exit"], told

    def tell(self, *words: object) -> dict[str, Any]:
        """Run a command that must succeed; gives its document."""
        code, told = self.run(*words)
        assert code == 0, told
        return told


def as_machine(marks: tuple[str, ...]) -> None:
    """Have the hardware tell other marks than it does."""
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
    told, place = sys.argv[1:]
    if told != "-":
        as_machine(tuple(told.split(",")))
    for line in sys.stdin:
        words = json.loads(line)
        if words[0] == "meet":
            code = meet(Path(place), Path(words[1]))
        else:
            code = main.main(["--profile", place, "--json", *words])
        print(json.dumps({"exit": code}), flush=True)
