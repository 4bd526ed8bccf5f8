"""Presses keys through the X server, as a person's keyboard would."""

import ctypes


class XKeys:
    """Keys by their X names (`Return`, `space`, letters). Needs XTEST."""

    def __init__(self) -> None:
        x11, xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XStringToKeysym.restype = ctypes.c_ulong
        x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
        self._x11, self._xtst = x11, xtst
        self._display = ctypes.c_void_p(x11.XOpenDisplay(None))

    def press(self, name: str) -> None:
        """Press and let go."""
        symbol = self._x11.XStringToKeysym(name.encode("ascii"))
        code = self._x11.XKeysymToKeycode(self._display, symbol)
        for is_down in (1, 0):
            self._xtst.XTestFakeKeyEvent(self._display, code, is_down, 0)
        self._x11.XFlush(self._display)
