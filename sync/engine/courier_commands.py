"""The commands `courier …`, as the composition root calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.ids import LessonId
from client.domain.signer import Signer
from client.service.command.documents import Outcome
from client.service.command.parse import Invocation
from client.service.command.room_commands import Command
from client.service.station import Station
from client.service.text import Words
from sync.engine.carried_list import leave_list
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_pack import Labels
from sync.engine.fetch import Probe
from sync.transport.stick import Stick

Say = Callable[[str], None]
"""Writes one line of progress to stderr."""

_FAILED: Final = 4
_LANGUAGE: Final = "zh_CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSide:
    """A hub whose keeper packs: who signs, and what answers requests that lie in a folder."""

    signer: Signer
    answer: Callable[[Path], int]
    """Gives how many requests it answered."""
    word: tuple[bytes, bytes] | None = None
    """Its newest signed head and the list that it names, where it published anything."""


def labels_of(words: Words) -> Labels:
    """Take the words of a stick's folders from a language."""
    return Labels(
        role=lambda role: words(f"role.{role.value}"), elsewhere=words("courier.elsewhere")
    )


class CourierDesk:
    """Commands of a room for its sticks.

    Args:
        probe: Tells whether a file decodes on this machine.
        say: Progress for people.
        cancel: Cancelled by Ctrl-C.
    """

    def __init__(self, probe: Probe, say: Say, cancel: CancelToken) -> None:
        self._probe = probe
        self._say = say
        self._cancel = cancel

    def commands(self, hub: HubSide | None = None) -> dict[str, Command]:
        """Give the commands; with a hub, `courier pack` packs in its name."""

        def pack(station: Station, call: Invocation) -> object:
            return self.pack(station, call, hub)

        return {
            "courier pack": pack,
            "courier unpack": self.unpack,
            "courier inspect": self.inspect,
        }

    def pack(self, station: Station, call: Invocation, hub: HubSide | None = None) -> object:
        """`courier pack`: 4 when a lesson that was asked for is not on the stick."""
        begun, folder = station.clock.monotonic(), call.needed_path("dir").absolute()
        words = Words(call.language or _LANGUAGE)
        courier = self._courier(station, words)
        answered = 0 if hub is None else hub.answer(folder)
        carried = courier.results(folder)
        packed = courier.pack(
            folder,
            tuple(LessonId(one) for one in call.items("lessons")),
            site=call.text("for"),
            signer=None if hub is None else hub.signer,
            progress=self._tell,
        )
        if hub is not None and hub.word is not None:
            leave_list(Stick(folder), hub.signer.public_key, *hub.word)
        rejected = (*carried.rejected, *packed.rejected)
        self._say(words("courier.may_pull"))
        value = {
            "path": folder,
            "size_bytes": packed.size_bytes,
            "lessons": len(packed.lessons),
            "events": carried.left_events,
            "receipts": carried.pushed_events,
            "answered": answered,
            "copied_bytes": packed.copied_bytes,
            "rejected": rejected,
            "seconds": round(station.clock.monotonic() - begun, 3),
        }
        return Outcome(value=value, exit_code=_FAILED if packed.rejected else 0)

    def unpack(self, station: Station, call: Invocation) -> object:
        """`courier unpack`."""
        begun, folder = station.clock.monotonic(), call.needed_path("dir").absolute()
        words = Words(call.language or _LANGUAGE)
        courier = self._courier(station, words)
        carried = courier.results(folder)
        taken = courier.unpack(folder, self._tell)
        self._say(words("courier.may_pull"))
        return {
            "lessons": len(taken.lessons),
            "events": carried.pulled_events,
            "left_events": carried.left_events,
            "receipts": carried.pushed_events,
            "copied_bytes": taken.copied_bytes,
            "reused": taken.reused,
            "rejected": (*carried.rejected, *taken.rejected),
            "seconds": round(station.clock.monotonic() - begun, 3),
        }

    def inspect(self, station: Station, call: Invocation) -> object:
        """`courier inspect`."""
        folder = call.needed_path("dir").absolute()
        seen = self._courier(station, Words(call.language or _LANGUAGE)).inspect(folder)
        return {
            "path": folder,
            "for": seen.sites,
            "requests": seen.requests,
            "answers": seen.answers,
            "lessons": [
                {
                    "id": one.id,
                    "title": one.title,
                    "size_bytes": one.size_bytes,
                    "files": one.files,
                    "missing": one.missing,
                    "trust": "attested" if one.is_attested else "observed",
                    "held": one.is_held,
                }
                for one in seen.lessons
            ],
            "rejected": seen.rejected,
        }

    def _courier(self, station: Station, words: Words) -> Courier:
        return Courier(
            CourierPorts(
                station=station, probe=self._probe, labels=labels_of(words), cancel=self._cancel
            )
        )

    def _tell(self, done: int, whole: int, title: str) -> None:
        if title:
            self._say(f"{done}/{whole} {title}")
