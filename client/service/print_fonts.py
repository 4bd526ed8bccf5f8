"""The Chinese font of printed sheets.

A PDF can embed TrueType outlines only; Noto CJK, the font of the screens, has others. So printing
looks for a font of its own (docs/dependencies.md).
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from client.domain.errors import ResourceError
from client.service.paths import ASSETS

NAME: Final = "Tongke"
_FILES: Final = (
    "truetype/wqy/wqy-microhei.ttc",
    "wqy-microhei/wqy-microhei.ttc",
    "truetype/wqy/wqy-zenhei.ttc",
    "wqy-zenhei/wqy-zenhei.ttc",
    "truetype/droid/DroidSansFallbackFull.ttf",
    "droid/DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
)
_FOLDERS: Final = (
    ASSETS / "fonts",
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("C:/Windows/Fonts"),
)


def find_font(folders: Iterable[Path] = _FOLDERS) -> Path:
    """Find a font file that can be embedded.

    Raises:
        ResourceError: `print_font_missing`: there is none.
    """
    for folder in folders:
        for name in _FILES:
            if (folder / name).is_file():
                return folder / name
    raise ResourceError("print_font_missing")


@cache
def load_font() -> str:
    """Make the font known to reportlab and return its name there.

    Raises:
        ResourceError: `print_font_missing`: there is none, or its file is damaged.
    """
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - heavy, for printing only
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415

    try:
        pdfmetrics.registerFont(TTFont(NAME, str(find_font())))
    except (TTFError, OSError) as error:
        raise ResourceError("print_font_missing") from error
    return NAME
