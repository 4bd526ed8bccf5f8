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

    def press(self, *names: str) -> None:
        """Press keys together and let them go."""
        codes = [self._code(name) for name in names]
        for code in codes:
            self._xtst.XTestFakeKeyEvent(self._display, code, 1, 0)
        for code in reversed(codes):
            self._xtst.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x11.XFlush(self._display)

    def _code(self, name: str) -> int:
        symbol = self._x11.XStringToKeysym(name.encode("ascii"))
        return int(self._x11.XKeysymToKeycode(self._display, symbol))
