"""Which player this machine gets."""

from collections.abc import Callable, Sequence

from client.domain.errors import PlayerError
from client.media.port import Player

Maker = Callable[[], Player]


def choose_player(makers: Sequence[Maker]) -> Player:
    """Return the first player that can be made, best first.

    Raises:
        PlayerError: `no_player`: none can; a plain notice says so instead of a black stage.
    """
    for make in makers:
        try:
            return make()
        except PlayerError:
            continue
    raise PlayerError("no_player")
