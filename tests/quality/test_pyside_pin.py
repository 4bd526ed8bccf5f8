"""The binding must not lose references (docs/adr/0011-pyside6-pin.md).

PySide6 6.12 drops one reference to None or True with each void call or emitted signal; on
Python 3.11 the process dies after some thousand of them. Ten lines show it long before that.
"""

import sys

from PySide6.QtCore import QObject, Signal

CALLS = 500


class Bell(QObject):
    rung = Signal(bool)


def test_void_calls_keep_their_reference_to_none() -> None:
    bell = Bell()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        bell.setObjectName("x")
    assert sys.getrefcount(None) > before - CALLS // 10


def test_signals_keep_their_reference_to_true() -> None:
    bell = Bell()
    heard: list[bool] = []
    bell.rung.connect(heard.append)
    before = sys.getrefcount(True)
    for _ in range(CALLS):
        bell.rung.emit(True)
    assert len(heard) == CALLS
    heard.clear()
    assert sys.getrefcount(True) > before - CALLS // 10
