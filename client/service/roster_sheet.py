"""The sheet with the recovery code: printed when a roster is made, kept away from the PC."""

from io import BytesIO
from pathlib import Path
from typing import Final

from client.service.print_fonts import load_font
from client.service.print_steps import HEIGHT, WIDTH
from client.service.text import Words
from client.store.disk import disk_errors
from client.store.durable import write_file

_MARGIN: Final = 36.0
_MONO: Final = "Courier-Bold"
"""Every PDF reader has it, and no two of its signs look alike."""


def write_sheet(out: Path, code: str, place: str, words: Words) -> None:
    """Make a PDF of one page at `out`, for its owner only.

    Args:
        out: The file to write.
        code: The recovery code.
        place: School and room.
        words: Language of the sheet.

    Raises:
        ResourceError: `print_font_missing`.
        StorageError: The disk refuses.
    """
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - heavy, for printing only

    target = BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    font, height = load_font(), HEIGHT - _MARGIN
    for size, face, text in (
        (16.0, font, words("roster.sheet_title")),
        (10.0, font, place),
        (24.0, _MONO, code),
        *((10.0, font, words(f"roster.sheet_{line}")) for line in ("keep", "opens", "lost")),
    ):
        height -= size * 2.0
        canvas.setFont(face, size)
        canvas.drawString(_MARGIN, height, text)
    canvas.showPage()
    canvas.save()
    with disk_errors():
        write_file(out, target.getvalue(), mode=0o600)
