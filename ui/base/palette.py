"""Colours: two frozen tables, one for light and one for dark rooms.

Values are those of the design notes after their contrast corrections; every text colour has at
least 4.5:1 on each surface it is used on (tests/unit/ui/test_palette.py computes it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colour tokens as `#RRGGBB`. `subjects` maps a colour role (not a name) to a colour."""

    is_dark: bool
    bg: str
    surface: str
    rail: str
    inset: str
    pressed: str
    line: str
    """Decoration only: under 3:1."""
    line2: str
    """Borders of inputs and buttons."""
    ink: str
    muted: str
    disabled: str
    accent: str
    """Fill; for text use `accent_text`."""
    accent_hover: str
    accent_pressed: str
    accent_text: str
    accent_soft: str
    accent_halo: str
    on_accent: str
    info: str
    info_soft: str
    amber: str
    """Shapes; for text use `amber_text`."""
    amber_text: str
    amber_soft: str
    red: str
    red_soft: str
    grey: str
    """Shape of the light for 'without video'."""
    mark: str
    """Behind matched characters."""
    chart: str
    shadow: str
    subjects: Mapping[str, str]


LIGHT: Final = Palette(
    is_dark=False,
    bg="#F7F5F0",
    surface="#FFFFFF",
    rail="#EFEBE3",
    inset="#F3F0E9",
    pressed="#E2DCD0",
    line="#E2DCD0",
    line2="#8A8474",
    ink="#1D2129",
    muted="#596273",
    disabled="#696D74",
    accent="#1F7A5A",
    accent_hover="#19664B",
    accent_pressed="#12503A",
    accent_text="#19664B",
    accent_soft="#E4F1EB",
    accent_halo="#CFE5DB",
    on_accent="#FFFFFF",
    info="#2B5FD9",
    info_soft="#E8EEFC",
    amber="#B7791F",
    amber_text="#7F520C",
    amber_soft="#FBF0DA",
    red="#B23625",
    red_soft="#FBE9E5",
    grey="#596273",
    mark="#FBE3A8",
    chart="#559F81",
    shadow="#000000",
    subjects=MappingProxyType(
        {
            "chinese": "#B23625",
            "maths": "#2B5FD9",
            "english": "#7A4FBF",
            "science": "#1F7A5A",
            "morals": "#8A5A0F",
            "music": "#AD3F77",
            "art": "#A8500F",
            "sport": "#1F6F96",
            "other": "#596273",
        }
    ),
)

DARK: Final = Palette(
    is_dark=True,
    bg="#16181D",
    surface="#1F232B",
    rail="#111318",
    inset="#282D37",
    pressed="#343A46",
    line="#343A46",
    line2="#727B8B",
    ink="#E8EAED",
    muted="#A6AFBD",
    disabled="#949CA9",
    accent="#3FB68B",
    accent_hover="#5CC8A1",
    accent_pressed="#33A27A",
    accent_text="#4FC398",
    accent_soft="#1D3A30",
    accent_halo="#2A5546",
    on_accent="#0A1F17",
    info="#86AAFF",
    info_soft="#222F4D",
    amber="#E3AE54",
    amber_text="#E3AE54",
    amber_soft="#3A2F1A",
    red="#F28474",
    red_soft="#42241F",
    grey="#A6AFBD",
    mark="#5A4717",
    chart="#559F81",
    shadow="#000000",
    subjects=MappingProxyType(
        {
            "chinese": "#F28474",
            "maths": "#86AAFF",
            "english": "#B99BEF",
            "science": "#4FC398",
            "morals": "#E3AE54",
            "music": "#E893BD",
            "art": "#F2A062",
            "sport": "#74BEE2",
            "other": "#A6AFBD",
        }
    ),
)


_KNEE: Final = 0.03928


def contrast(one: str, other: str) -> float:
    """Compute the WCAG contrast ratio of two `#RRGGBB` colours (1.0 to 21.0)."""
    first, second = sorted((_luminance(one), _luminance(other)))
    return (second + 0.05) / (first + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= _KNEE else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
