"""Sheets to print: the pupils' task sheet, the teacher's steps, the slides.

Invariants:
  S1  Every pupil gets every page once: two pages to a sheet, and no more sheets than that needs.
  S2  What follows the heading of the answers is never on a pupil's sheet.
  S3  The file at `out` is whole or as it was before.
  S4  Sheets are grey, whatever colours the source has.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.domain.availability import PartState
from client.domain.catalogue import LessonKind, Role
from client.domain.cues import Cue
from client.domain.errors import ResourceError, StorageError, UserError
from client.service.api import LessonDetail, PartView
from client.service.paths import ASSETS
from client.service.print_steps import steps_page
from client.service.text import Words

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader, PdfWriter

A4_LONG: Final = 841.89
A4_SHORT: Final = 595.28
_MARGIN: Final = 16.0
_GUTTER: Final = 10.0
_MOST_PAGES: Final = 200
_MOST_COPIES: Final = 200
_IMAGES: Final = (b"\xff\xd8\xff", b"\x89PNG")


class Sheet(Enum):
    """What can be printed."""

    TASK = "task"
    STEPS = "steps"
    SLIDES = "slides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How source pages share an A4 sheet lying on its side."""

    columns: int
    rows: int

    @property
    def cells(self) -> int:
        """Pages on one sheet."""
        return self.columns * self.rows


TWO_UP: Final = Grid(columns=2, rows=1)
FOUR_UP: Final = Grid(columns=2, rows=2)


def print_pdf(
    what: Sheet,
    detail: LessonDetail,
    out: Path,
    *,
    words: Words,
    cues: tuple[Cue, ...] = (),
    copies: int = 1,
) -> Path:
    """Make a PDF ready to print and return `out`. May be called from any thread; takes seconds.

    Args:
        what: Which sheet.
        detail: The lesson; its parts tell which files are here.
        out: The file to write.
        words: Language of the teacher's steps.
        cues: Steps, for `Sheet.STEPS`.
        copies: How many pupils get one; counts for `Sheet.TASK`.

    Raises:
        UserError: `print_nothing`: the lesson has no such part here.
        ResourceError: `print_unreadable`, `print_font_missing`.
        StorageError: `print_not_written`.
    """
    if what is Sheet.STEPS:
        made = steps_page(detail, cues, words)
    elif what is Sheet.TASK:
        made = _task(_to_hand_out(detail), max(1, min(copies, _MOST_COPIES)))
    else:
        made = _slides(_source(detail, Role.SLIDES))
    _write(out, made)
    return out


def sheets_for(pages: int, copies: int) -> tuple[tuple[int | None, int | None], ...]:
    """Lay pages out two to a sheet: the numbers of the left and right page of every sheet (S1).

    An even number of pages makes whole sheets for each pupil. An odd one would waste half a
    sheet for each, so two pupils share: the same page left and right, cut in the middle; the last
    of an odd number of pupils gets sheets of their own.
    """
    own = tuple((n, n + 1 if n + 1 < pages else None) for n in range(0, pages, 2))
    if pages % 2 == 0:
        return own * copies
    shared = tuple((n, n) for n in range(pages))
    return shared * (copies // 2) + own * (copies % 2)


def is_cut(pages: int, copies: int) -> bool:
    """Tell whether sheets must be cut in the middle."""
    return pages % 2 == 1 and copies > 1


# --- task sheet and slides -----------------------------------------------------------------


def _task(sources: Sequence[Path], copies: int) -> bytes:
    plain, cutting = _overlay(cut=False), _overlay(cut=True)
    pages: list[PageObject] = []
    for source in sources:
        with _readable(source):
            pages += _without_answers(_pages(source))
    with _readable(sources[0]):
        sheets = sheets_for(len(pages), copies)
        return _imposed(pages, sheets, TWO_UP, cutting if is_cut(len(pages), copies) else plain)


def _slides(source: Path) -> bytes:
    overlay = _overlay(cut=False)
    with _readable(source):
        pages = _pages(source)
        cells = FOUR_UP.cells
        groups = tuple(
            tuple(n if n < len(pages) else None for n in range(first, first + cells))
            for first in range(0, len(pages), cells)
        )
        return _imposed(pages, groups, FOUR_UP, overlay)


def _to_hand_out(detail: LessonDetail) -> tuple[Path, ...]:
    """Find what pupils get: the task sheet, or of exercises the picture of every question."""
    if detail.row.kind is not LessonKind.QUESTIONS:
        return (_source(detail, Role.TASK),)
    here = tuple(part.path for part in detail.parts if part.path is not None)
    return here or (_source(detail, Role.EXERCISE),)


def _source(detail: LessonDetail, role: Role) -> Path:
    """Find the file of a part that is here."""
    parts = [part for part in detail.parts if part.role is role and part.path is not None]
    here = [part for part in parts if part.state is PartState.PRESENT]
    if not here:
        raise UserError("print_nothing", {"title": detail.row.title})
    path = _first_printable(here).path
    if path is None:
        raise UserError("print_nothing", {"title": detail.row.title})
    return path


def _first_printable(parts: list[PartView]) -> PartView:
    return next((part for part in parts if part.format.lower() == "pdf"), parts[0])


def _pages(source: Path) -> "list[PageObject]":
    """Read the pages of a PDF; a picture becomes one page."""
    data = source.read_bytes()
    reader = _reader(_picture_page(data) if data.startswith(_IMAGES) else data)
    if reader.is_encrypted:
        reader.decrypt("")
    writer = _writer()
    for page in reader.pages[:_MOST_PAGES]:
        added = writer.add_page(page)
        if added.rotation:
            added.transfer_rotation_to_content()
    if not len(writer.pages):
        raise ResourceError("print_unreadable", {"name": source.name})
    return list(writer.pages)


def _reader(data: bytes) -> "PdfReader":
    from pypdf import PdfReader  # noqa: PLC0415 - heavy, for printing only

    return PdfReader(BytesIO(data))


def _writer() -> "PdfWriter":
    from pypdf import PdfWriter  # noqa: PLC0415 - heavy, for printing only

    return PdfWriter()


def _picture_page(data: bytes) -> bytes:
    from reportlab.lib.utils import ImageReader  # noqa: PLC0415 - heavy, for printing only
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    image = ImageReader(BytesIO(data))
    width, height = image.getSize()
    target = BytesIO()
    canvas = Canvas(target, pagesize=(width, height), invariant=1)
    canvas.drawImage(image, 0, 0, width, height)
    canvas.save()
    return target.getvalue()


@contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Turn what a damaged or odd file makes the reader raise into one error."""
    from pypdf.errors import PyPdfError  # noqa: PLC0415 - heavy, for printing only

    odd = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError)
    try:
        yield
    except (PyPdfError, OSError, *odd) as error:
        raise ResourceError("print_unreadable", {"name": source.name}) from error


# --- answers -------------------------------------------------------------------------------


def _without_answers(pages: "list[PageObject]") -> "list[PageObject]":
    """Drop the pages after the heading of the answers, and what stands below it (S2)."""
    for number, page in enumerate(pages):
        height = answers_at(page)
        if height is None:
            continue
        if not _has_text_above(page, height):
            return pages[:number] or _blanked(pages[:1], height)
        return pages[:number] + _blanked([page], height)
    return pages


def _blanked(pages: "list[PageObject]", height: float) -> "list[PageObject]":
    """Cover a page with white below `height`."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - heavy, for printing only

    for page in pages:
        box = page.mediabox
        target = BytesIO()
        canvas = Canvas(target, pagesize=(float(box.right), float(box.top)), invariant=1)
        canvas.setFillGray(1.0)
        low = float(box.bottom)
        canvas.rect(float(box.left), low, float(box.width), height - low, stroke=0, fill=1)
        canvas.save()
        page.merge_page(_reader(target.getvalue()).pages[0])
    return pages


def answers_at(page: "PageObject") -> float | None:
    """Find the heading of the answers: the height, in points, below which they stand."""
    found: list[float] = []
    headings = _answer_headings()

    def visit(text: str, cm: list[float], tm: list[float], _font: object, size: float) -> None:
        if text.strip().strip("【】[]（）() ").startswith(headings):
            found.append(_height(cm, tm) + 1.3 * max(size * abs(tm[3] or 1.0), 8.0))

    page.extract_text(visitor_text=visit)
    return max(found) if found else None


def _has_text_above(page: "PageObject", height: float) -> bool:
    found: list[bool] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        found.append(bool(text.strip()) and _height(cm, tm) >= height)

    page.extract_text(visitor_text=visit)
    return any(found)


def _height(cm: list[float], tm: list[float]) -> float:
    """Height of a text's origin: text matrix, then page matrix."""
    return cm[1] * tm[4] + cm[3] * tm[5] + cm[5]


def _answer_headings() -> tuple[str, ...]:
    import tomllib  # noqa: PLC0415 - for printing only

    data = tomllib.loads((ASSETS / "print.toml").read_text(encoding="utf-8"))
    return tuple(data["answers"]["headings"])


# --- imposing ------------------------------------------------------------------------------


def _imposed(
    pages: "list[PageObject]",
    sheets: tuple[tuple[int | None, ...], ...],
    grid: Grid,
    overlay: "PageObject",
) -> bytes:
    """Place pages on sheets. Equal sheets are drawn once and shown again and again."""
    distinct = tuple(dict.fromkeys(sheets))
    drawn = _writer()
    for numbers in distinct:
        _draw_sheet(drawn, [None if n is None else pages[n] for n in numbers], grid, overlay)
    once = _saved(drawn)
    if len(distinct) == len(sheets):
        return once
    sheet_pages = _reader(once).pages
    repeated = _writer()
    for numbers in sheets:
        repeated.add_page(sheet_pages[distinct.index(numbers)])
    return _saved(repeated)


def _draw_sheet(
    writer: "PdfWriter", pages: "list[PageObject | None]", grid: Grid, overlay: "PageObject"
) -> None:
    from pypdf import Transformation  # noqa: PLC0415 - heavy, for printing only

    sheet = writer.add_blank_page(A4_LONG, A4_SHORT)
    width, height = A4_LONG / grid.columns, A4_SHORT / grid.rows
    for cell, page in enumerate(pages):
        if page is None:
            continue
        row, column = divmod(cell, grid.columns)
        box = page.cropbox
        room = (width - 2 * _GUTTER, height - 2 * _MARGIN)
        scale = min(room[0] / float(box.width), room[1] / float(box.height))
        left = column * width + (width - float(box.width) * scale) / 2
        low = (grid.rows - 1 - row) * height + (height - float(box.height) * scale) / 2
        move = (
            Transformation()
            .translate(-float(box.left), -float(box.bottom))
            .scale(scale)
            .translate(left, low)
        )
        sheet.merge_transformed_page(page, move, over=True, expand=False)
    sheet.merge_page(overlay)


def _overlay(*, cut: bool) -> "PageObject":
    """Draw what lies over a sheet: all colour taken out (S4), and where to cut."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - heavy, for printing only

    target = BytesIO()
    canvas = Canvas(target, pagesize=(A4_LONG, A4_SHORT), invariant=1)
    canvas.saveState()
    canvas.setBlendMode("Saturation")
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(0, 0, A4_LONG, A4_SHORT, stroke=0, fill=1)
    canvas.restoreState()
    if cut:
        canvas.setStrokeGray(0.5)
        canvas.setDash(4, 4)
        canvas.line(A4_LONG / 2, 0, A4_LONG / 2, A4_SHORT)
    canvas.save()
    return _reader(target.getvalue()).pages[0]


def _saved(writer: "PdfWriter") -> bytes:
    target = BytesIO()
    writer.compress_identical_objects()
    writer.write(target)
    return target.getvalue()


def _write(out: Path, data: bytes) -> None:
    """Write the file whole or not at all (S3)."""
    fresh = out.with_name(f"{out.name}.new")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(out)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise StorageError("print_not_written", {"path": str(out)}) from error
