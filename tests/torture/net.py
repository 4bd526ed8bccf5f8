"""The network between a room and a hub: everything that can happen to one request."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from client.domain.errors import ClassroomError

PORTAL = b"<html><head><title>Sign in</title></head><body>200 OK</body></html>"


@dataclass
class Net:
    """Carries envelopes. Late and repeated ones come when nobody expects them."""

    dice: random.Random
    loss: float = 0.0
    late: list[tuple[Callable[[bytes], bytes], bytes]] = field(default_factory=list)
    past: list[bytes] = field(default_factory=list)
    storm: int = 0
    """So many requests are refused with 429."""

    def carry(self, answer: Callable[[bytes], bytes], envelope: bytes) -> bytes | None:
        """Bring a request to a hub and its reply back; None when nothing comes back."""
        if self.storm:
            self.storm -= 1
            return None
        if self.dice.random() >= self.loss:
            return self._asked(answer, envelope)
        return self.dice.choice(_FAULTS)(self, answer, envelope)

    def deliver_late(self) -> None:
        """Let everything arrive that was on its way; its replies find nobody."""
        self.dice.shuffle(self.late)
        late, self.late = self.late, []
        for answer, envelope in late:
            self._asked(answer, envelope)

    def _asked(self, answer: Callable[[bytes], bytes], envelope: bytes) -> bytes | None:
        try:
            reply = answer(envelope)
        except ClassroomError:
            return None
        self.past = [*self.past, reply][-3:]
        return reply

    # --- faults --------------------------------------------------------------------------

    def _lost(self, answer, envelope) -> None:
        return None

    def _reply_lost(self, answer, envelope) -> None:
        self._asked(answer, envelope)

    def _twice(self, answer, envelope) -> bytes | None:
        self._asked(answer, envelope)
        return self._asked(answer, envelope)

    def _delayed(self, answer, envelope) -> None:
        self.late.append((answer, envelope))

    def _cut(self, answer, envelope) -> bytes | None:
        return self._asked(answer, envelope[: int(self.dice.random() * len(envelope))])

    def _garbled(self, answer, envelope) -> bytes | None:
        return self._asked(answer, self.garble(envelope))

    def _reply_cut(self, answer, envelope) -> bytes | None:
        reply = self._asked(answer, envelope)
        return reply and reply[: int(self.dice.random() * len(reply))]

    def _reply_garbled(self, answer, envelope) -> bytes | None:
        reply = self._asked(answer, envelope)
        return reply and self.garble(reply)

    def _another_reply(self, answer, envelope) -> bytes | None:
        return self.dice.choice(self.past) if self.past else None

    def _portal(self, answer, envelope) -> bytes:
        return PORTAL

    def _storm(self, answer, envelope) -> None:
        self.storm = 1 + int(self.dice.random() * 4)

    def garble(self, data: bytes) -> bytes:
        """Change one byte."""
        spoilt = bytearray(data)
        spoilt[int(self.dice.random() * len(spoilt))] ^= 1 << int(self.dice.random() * 8)
        return bytes(spoilt)


_FAULTS = (
    Net._lost,
    Net._reply_lost,
    Net._reply_lost,
    Net._twice,
    Net._delayed,
    Net._cut,
    Net._garbled,
    Net._reply_cut,
    Net._reply_garbled,
    Net._another_reply,
    Net._portal,
    Net._storm,
)
