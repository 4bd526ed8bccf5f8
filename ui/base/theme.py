"""The look as one value: colours, type scale, spacing, and the one style sheet made of them.

Invariants:
  L1  Sizes in the sheet come from the scale; 13/16/20/26/34 are the only text sizes.
  L2  A widget never carries a style string of its own: it names its role by a property.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase

from ui.base.palette import DARK, LIGHT, Palette
from ui.base.sheet import style_sheet

FAMILIES: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "HarmonyOS Sans SC",
    "Microsoft YaHei UI",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
)


class Type(Enum):
    """Text roles and their size at 100 %, in pixels."""

    CAPTION = 13
    BODY = 16
    TITLE = 20
    HEAD = 26
    DISPLAY = 34


_NORMAL: Final = 100
_LARGEST: Final = 150
_AT_150: Final = {13: 20, 16: 24, 20: 30, 26: 39, 34: 51}
_SPACING: Final = {100: 1.0, 125: 1.125, 150: 1.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Everything a painter needs. `scale` is 100, 125 or 150."""

    palette: Palette
    scale: int = 100
    is_low_power: bool = False
    """Old-PC mode: no shadow, no motion."""

    @property
    def is_large(self) -> bool:
        """Tell whether touch targets and the folded layout of large type apply."""
        return self.scale > _NORMAL

    def text_px(self, role: Type) -> int:
        """Pixel size of text in `role`."""
        if self.scale >= _LARGEST:
            return _AT_150[role.value]
        return round(role.value * self.scale / 100)

    def gap(self, pixels: int) -> int:
        """Scale a space between things."""
        return round(pixels * _SPACING.get(self.scale, self.scale / 100))

    def size(self, pixels: int) -> int:
        """Scale a thing that holds text or is touched (button heights, column widths)."""
        return round(pixels * self.scale / 100)

    def color(self, token: str) -> QColor:
        """Turn a token (`accent`), a subject (`subject:maths`) or `#RRGGBB` into a colour."""
        return QColor(self.hex(token))

    def hex(self, token: str) -> str:
        """Name the colour of a token as `#RRGGBB`."""
        if token.startswith("#"):
            return token
        if token.startswith("subject:"):
            subjects = self.palette.subjects
            return subjects.get(token.removeprefix("subject:"), subjects["other"])
        return str(getattr(self.palette, token))

    def font(self, role: Type = Type.BODY, *, bold: bool = False) -> QFont:
        """Make the font of a text role, with figures of equal width."""
        return self.font_px(self.text_px(role), bold=bold)

    def font_px(self, pixels: int, *, bold: bool = False) -> QFont:
        """Make a font of a display size."""
        font = QFont(family())
        font.setPixelSize(pixels)
        font.setBold(bold)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def sheet(self) -> str:
        """Generate the application's style sheet."""
        return style_sheet(
            self.palette,
            {role.name.lower(): self.text_px(role) for role in Type},
            self.size,
        )


def make_theme(*, is_dark: bool, scale: int = 100, is_low_power: bool = False) -> Theme:
    """Make a theme from the teacher's choices."""
    return Theme(
        palette=DARK if is_dark else LIGHT,
        scale=scale if scale in _SPACING else 100,
        is_low_power=is_low_power,
    )


@cache
def family() -> str:
    """Choose the first installed family of `FAMILIES`; Qt's default when none is there."""
    installed = set(QFontDatabase.families())
    return next((name for name in FAMILIES if name in installed), QFont().defaultFamily())
