"""Disks of rooms that are copied and set back, for tests of what that does to their logs."""

import shutil

from client.domain.clock import FrozenClock
from client.domain.record.bodies import EventType
from client.domain.record.fold import read
from client.service.bench_boots import exchange
from client.store.own_log import Start
from tests.journal_room import cue, make_journal


class Disk:
    """A room's disk that can be copied and set back; what was promised is kept outside of it."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.promised = set()
        self.journal = None
        self.boots = 0
        self.open()

    def open(self):
        self.boots += 1
        self.journal = make_journal(self.folder, FrozenClock(), Start(boot_key=str(self.boots)))

    def write(self, *ordinals):
        for n in ordinals:
            self.promised.add(self.journal.append(cue(n)).result())

    def copy(self, target):
        """What an image of the disk holds, while it is in use or not."""
        self.journal._database.write(lambda _: None).result()
        shutil.copytree(self.folder, target)

    def set_back(self, image):
        self.journal.close()
        shutil.rmtree(self.folder)
        shutil.copytree(image, self.folder)
        self.open()

    def ids(self):
        return {event.id for _, event in self.journal.events()}

    def begun(self):
        """The INCARNATION of the log that is written now."""
        return next(
            read(event).body
            for _, event in self.journal.events([EventType.INCARNATION])
            if event.writer == self.journal.writer
        )


def settle(hub, *disks):
    """Exchange until nobody has anything to say."""
    for _ in range(3):
        for one in disks:
            exchange(one.journal, hub)
