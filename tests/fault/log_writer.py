"""Records facts and takes what other machines wrote, telling what was acknowledged, until it dies.

`python -m tests.fault.log_writer FOLDER SEED` prints one `<id>` line for each event that was
promised to be kept: the observer that reads them holds the list.
"""

import random
import sys
from pathlib import Path

from client.domain.clock import SystemClock
from client.domain.record.event import NO_PREVIOUS
from client.store.keyfile import KeyFile
from client.store.repair import KEY_FILE, open_journal
from tests.journal_room import cue, theme
from tests.log_world import Key, Pen


def tell(*names: bytes) -> None:
    sys.stdout.write("".join(name.hex() + "\n" for name in names))
    sys.stdout.flush()


class Copy(Pen):
    """A copy of this machine's disk that goes on under its name: the same key, the same tip."""

    def __init__(self, journal, key: KeyFile) -> None:
        self.key, self.writer = key, journal.writer
        own = (event for _, event in journal.events() if event.writer == journal.writer)
        self.events = sorted(own, key=lambda event: event.seq)
        self.sealed = len(self.events)
        self.lc = self.events[-1].lc if self.events else 0


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(seed)
    journal = open_journal(folder, SystemClock()).journal
    print("ready", flush=True)
    pens = [Pen(Key(10_000 + seed)) for _ in range(2)]
    while True:
        match chance.randrange(12):
            case 0:
                journal.seal().result()
            case 1:
                journal.backup().result()
            case 2:
                copy = Copy(journal, KeyFile.load(folder / KEY_FILE))
                if copy.events and copy.events[0].prev == NO_PREVIOUS:
                    pens.append(copy)
            case 3:
                pens.append(chance.choice(pens).clone())
            case 4 | 5 | 6 | 7:
                take(journal, chance.choice(pens).write(*range(chance.randrange(1, 4))))
            case _:
                body = chance.choice([cue(chance.randrange(400)), theme(str(chance.random()))])
                tell(journal.append(body).result())


def take(journal, pen: Pen) -> None:
    """Let the journal keep what a pen wrote; what it says it has is promised."""
    events = pen.events[pen.sealed :]
    (code,) = journal.log.take((pen.seal(),)).result()
    assert code.is_kept, code
    tell(*(event.id for event in events))


if __name__ == "__main__":
    main()
