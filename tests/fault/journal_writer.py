"""Records facts and tells each one that was acknowledged, until somebody kills it.

`python -m tests.fault.journal_writer FOLDER SEED` prints `<id>` lines: the observer that reads them
holds what was promised before the end.
"""

import random
import sys
from pathlib import Path

from client.domain.clock import SystemClock
from client.service.records import RecordService
from client.service.room import RoomService
from client.store.repair import open_journal


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(seed)
    opened = open_journal(folder, SystemClock())
    journal = opened.journal
    room = RoomService(journal)
    if not room.class_ids():
        room.add_class("三年级", 3, 12).result()
    records = RecordService(journal, room.class_ids)
    sitting = records.recorder.open(room.class_ids(), "L1")
    sitting.recorded.result()
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        kind, value = chance.choice(
            [
                ("headcount", str(number % 40)),
                ("note", f"n{number}"),
                ("answer", f"A={number % 50}"),
            ]
        )
        name = records.add(kind, room.class_ids()[0], value, "L1").result()
        sys.stdout.write(name.hex() + "\n")
        sys.stdout.flush()
        records.recorder.save_resume(
            sitting.sitting, part=None, position_s=float(number), is_playing=True
        )
        if number % 50 == 0:
            journal.backup()
            journal.seal()


if __name__ == "__main__":
    main()
