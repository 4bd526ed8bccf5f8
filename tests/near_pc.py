"""One PC of a school as a process: `python -m tests.near_pc PROFILE HUB_URL HUB_KEY NUMBER`.

It shares, and takes commands from its stdin, a JSON list in a line: `["sync"]`, `["want", TITLE]`
and `["pace", BYTES]`, which is what it gives in a second from then on.
What happens stands on stdout, one JSON object in a line: `{"heard": …}`, `{"synced": …}`,
`{"coming": bytes}` and `{"done": title}`.
"""

import functools
import json
import sys
import threading
from pathlib import Path

from client.domain.clock import SystemClock
from client.domain.ids import LessonId
from client.service.api import SyncStatus, TransferState
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import schedule
from sync.engine.hub_catalogue import add_hub_source
from sync.engine.link_desk import LinkDesk
from sync.engine.near_desk import NearDesk
from sync.hub import share
from sync.hub.serve import Place
from tests.content_world import yes


class Told:
    """Writes what happens, each thing once."""

    def __init__(self, station: Station) -> None:
        self._station, self._gate = station, threading.Lock()
        self._said: set[str] = set()

    def say(self, **what: object) -> None:
        line = json.dumps(what)
        with self._gate:
            if line not in self._said:
                self._said.add(line)
                print(line, flush=True)

    def status(self, status: SyncStatus) -> None:
        for row in status.rows:
            if row.state is TransferState.DONE:
                self.say(done=row.title)
            elif row.state is TransferState.FAILED:
                self.say(failed=row.title, reason=row.reason.code if row.reason else "")
            elif row.bytes_done:
                self.say(coming=row.title, bytes=row.bytes_done)


def title_of(station: Station, title: str) -> LessonId:
    catalogue = station.catalogue
    return next(
        lesson.id
        for book in catalogue.books()
        for lesson in catalogue.lessons_of_book(book.id)
        if lesson.title == title
    )


def main(profile: Path, url: str, key: str, number: int) -> None:
    schedule.NEAR_S = 1.0
    station = Station(Profile(profile), SystemClock())
    station.room.set_room("石板小学", f"{number}号教室").result()
    hub = KnownHub(key=bytes.fromhex(key), url=url, authority=b"", site=b"", school="", name="hub")
    station.hubs.put(hub)
    add_hub_source(station, hub)
    station.room.set_setting("lan_share", "on").result()
    told = Told(station)
    serve = functools.partial(
        share.ShareServer, clock=SystemClock(), place=Place(host=share.EVERYWHERE, port=share.PORT)
    )
    # Number 0 begins first, so that the test says who fetches.
    near = NearDesk(station, serve, delay_s=lambda _: 0.3 * number)
    near.book.subscribe(lambda: told.say(heard=len(near.book.all())))
    desk = LinkDesk(station, yes, near)
    desk.subscribe(told.status)
    for line in sys.stdin:
        match json.loads(line):
            case ["sync"]:
                told.say(synced=desk.sync().result().number)
            case ["pace", int(per_s)]:
                share.PACE_BYTES_PER_S = per_s
            case ["want", *titles]:
                for title in titles:
                    desk.request(title_of(station, title))
    desk.close()
    station.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
