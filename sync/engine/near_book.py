"""The PCs near by: who was heard, who answers, and who is left alone. Memory only.

Invariants:
  NB1  A PC that gave wrong bytes twice is not asked for 24 hours of running time, whatever name,
       port or key it shows then; nor is one asked for a while that did not answer.
  NB2  Who was not heard for ten minutes is forgotten, unless somebody typed its address.
  NB3  Whatever comes over the air, no more than `MOST_PEERS` are known.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from client.domain.clock import Clock
from sync.protocol.near import Card

BAN_S: Final = 24 * 3600.0
BAD_TWICE: Final = 2
REST_S: Final = 30.0
"""So long nobody asks again who did not answer."""
FORGET_S: Final = 600.0
MOST_PEERS: Final = 64


class Found(Enum):
    """How a PC came to be known."""

    BROADCAST = "broadcast"
    ZEROCONF = "zeroconf"
    TYPED = "typed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One PC. Times are monotonic seconds."""

    host: str
    """Address of version 4: by it a PC is known, since all else can be said by anybody."""
    card: Card
    found: frozenset[Found] = frozenset()
    heard_s: float = 0.0
    not_before_s: float = 0.0
    bad: int = 0
    answered: bool | None = None
    """Whether the last request was answered; None: none was made."""

    @property
    def base(self) -> str:
        """Where it is asked."""
        return f"http://{self.host}:{self.card.port}"


@dataclass(slots=True)
class _Bad:
    count: int = 0
    until_s: float = 0.0


class NearBook:
    """See the module. Any thread may call.

    Args:
        own: The key of this PC, which is not near itself.
        clock: Its monotonic time.
    """

    def __init__(self, own: bytes, clock: Clock) -> None:
        self._own: Final = own
        self._clock: Final = clock
        self._gate = threading.Lock()
        self._peers: dict[str, Peer] = {}
        self._bad: dict[str, _Bad] = {}
        self._changed: tuple[Callable[[], None], ...] = ()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when somebody new was heard, on any thread; it may only post."""
        self._changed = (*self._changed, listener)

    def heard(self, host: str, card: Card, how: Found) -> None:
        """Take a sign of life (NB3)."""
        if card.key == self._own:
            return
        now = self._clock.monotonic()
        with self._gate:
            self._forget(now)
            known = self._peers.get(host)
            if known is None and (len(self._peers) >= MOST_PEERS or self._is_here(card, now)):
                return
            is_news = known is None or known.card != card
            before = known if known is not None else Peer(host=host, card=card)
            # Another program there, or another port: whether it answers is not known yet.
            answered = None if is_news else before.answered
            wait = 0.0 if is_news else before.not_before_s
            self._peers[host] = replace(
                before,
                card=card,
                found=before.found | {how},
                heard_s=now,
                answered=answered,
                not_before_s=wait,
            )
        if known is None:
            for listener in self._changed:
                listener()

    def all(self) -> tuple[Peer, ...]:
        """List everybody, by address."""
        with self._gate:
            self._forget(self._clock.monotonic())
            return tuple(self._shown(self._peers[host]) for host in sorted(self._peers))

    def open(self) -> tuple[Peer, ...]:
        """List whom one may ask now, those who answered in front, then those who were typed."""
        now = self._clock.monotonic()
        found = (peer for peer in self.all() if peer.not_before_s <= now)
        return tuple(
            sorted(found, key=lambda one: (not one.answered, Found.TYPED not in one.found))
        )

    def answered(self, peer: Peer) -> None:
        """Note an answer."""
        self._change(peer.host, answered=True, not_before_s=0.0)

    def failed(self, peer: Peer) -> None:
        """Note that a PC did not answer, or broke off."""
        due = self._clock.monotonic() + REST_S
        self._change(peer.host, answered=False, not_before_s=due)

    def lied(self, peer: Peer, times: int = 1) -> None:
        """Note wrong bytes (NB1)."""
        now = self._clock.monotonic()
        with self._gate:
            # Only so many addresses can be remembered; those that are over go first.
            if peer.host not in self._bad and len(self._bad) >= MOST_PEERS:
                del self._bad[min(self._bad, key=lambda host: self._bad[host].until_s)]
            known = self._bad.setdefault(peer.host, _Bad())
            if known.count >= BAD_TWICE and known.until_s <= now:
                known.count = 0
            known.count += times
            if known.count >= BAD_TWICE:
                known.until_s = now + BAN_S

    def clear(self) -> None:
        """Know nobody any more; who lied is remembered."""
        with self._gate:
            self._peers = {}

    def _is_here(self, card: Card, now: float) -> bool:
        """Tell whether a PC with several addresses is known by another one that does."""
        same = (self._shown(one) for one in self._peers.values() if one.card.key == card.key)
        return any(one.answered is not False and one.not_before_s <= now for one in same)

    def _change(self, host: str, *, answered: bool, not_before_s: float) -> None:
        with self._gate:
            known = self._peers.get(host)
            if known is not None:
                self._peers[host] = replace(known, answered=answered, not_before_s=not_before_s)

    def _shown(self, peer: Peer) -> Peer:
        bad = self._bad.get(peer.host)
        if bad is None or bad.count < BAD_TWICE:
            return peer
        return replace(peer, bad=bad.count, not_before_s=max(peer.not_before_s, bad.until_s))

    def _forget(self, now: float) -> None:
        """Drop who is quiet (NB2)."""
        self._peers = {
            host: peer
            for host, peer in self._peers.items()
            if Found.TYPED in peer.found or now - peer.heard_s < FORGET_S
        }
