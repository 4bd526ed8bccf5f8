"""Which keyboard or clicker key means what in class.

Clickers send PgUp/PgDn or ←/→, F5 and Esc for "show", and B or `.` for "black".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import Qt

from client.domain.sitting_keys import Key, Press

_K = Qt.Key

PLAIN: Final[Mapping[Qt.Key, Press]] = MappingProxyType(
    {
        _K.Key_Space: Press(key=Key.PLAY),
        _K.Key_F5: Press(key=Key.PLAY),
        _K.Key_MediaPlay: Press(key=Key.PLAY),
        _K.Key_MediaTogglePlayPause: Press(key=Key.PLAY),
        _K.Key_Up: Press(key=Key.AGAIN),
        _K.Key_PageDown: Press(key=Key.NEXT),
        _K.Key_PageUp: Press(key=Key.BACK),
        _K.Key_B: Press(key=Key.BLACK),
        _K.Key_Period: Press(key=Key.BLACK),
        _K.Key_F: Press(key=Key.FREEZE),
        _K.Key_Left: Press(key=Key.SEEK_BACK),
        _K.Key_Right: Press(key=Key.SEEK_ON),
        _K.Key_BracketLeft: Press(key=Key.SLOWER),
        _K.Key_BracketRight: Press(key=Key.FASTER),
        _K.Key_L: Press(key=Key.LOOP),
        _K.Key_Tab: Press(key=Key.SWITCH),
        _K.Key_Q: Press(key=Key.QUESTION),
        _K.Key_D: Press(key=Key.ANSWER),
        _K.Key_T: Press(key=Key.TIMER),
        _K.Key_K: Press(key=Key.PAGES),
        _K.Key_Plus: Press(key=Key.HEAD_MORE),
        _K.Key_Equal: Press(key=Key.HEAD_MORE),
        _K.Key_Minus: Press(key=Key.HEAD_LESS),
        _K.Key_1: Press(key=Key.ADD, n=0),
        _K.Key_2: Press(key=Key.ADD, n=1),
        _K.Key_3: Press(key=Key.ADD, n=2),
        _K.Key_4: Press(key=Key.ADD, n=3),
    }
)

SHIFTED: Final[Mapping[Qt.Key, Press]] = MappingProxyType(
    {
        _K.Key_1: Press(key=Key.TAKE, n=0),
        _K.Key_2: Press(key=Key.TAKE, n=1),
        _K.Key_3: Press(key=Key.TAKE, n=2),
        _K.Key_4: Press(key=Key.TAKE, n=3),
        _K.Key_Exclam: Press(key=Key.TAKE, n=0),
        _K.Key_At: Press(key=Key.TAKE, n=1),
        _K.Key_NumberSign: Press(key=Key.TAKE, n=2),
        _K.Key_Dollar: Press(key=Key.TAKE, n=3),
        _K.Key_F5: Press(key=Key.PLAY),
        _K.Key_Plus: Press(key=Key.HEAD_MORE),
        _K.Key_T: Press(key=Key.TIMER_MORE, n=60),
        _K.Key_Backtab: Press(key=Key.SWITCH),
    }
)

REPEATING: Final = frozenset({Key.SEEK_BACK, Key.SEEK_ON})
"""Keys that may be held down; all others act once per press."""

QUIET: Final = frozenset({Key.SEEK_BACK, Key.SEEK_ON, Key.BLACK})
"""Keys that do not bring the panel: ← → show only their figure, black shows nothing."""


def press_of(key: int, *, is_shifted: bool) -> Press | None:
    """Find what a key means, None when it means nothing in class."""
    try:
        named = Qt.Key(key)
    except ValueError:
        return None
    table = SHIFTED if is_shifted else PLAIN
    return table.get(named)
