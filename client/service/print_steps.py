"""The teacher's step sheet: one A5 page with the steps of a class."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from client.domain.cues import Cue
from client.service.api import LessonDetail
from client.service.print_fonts import load_font
from client.service.text import Words

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

WIDTH: Final = 419.53
HEIGHT: Final = 595.28
"""A5 upright, in points."""
_MARGIN: Final = 30.0
_TIME_COLUMN: Final = 58.0
_TICK: Final = 9.0
_GREY: Final = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Sizes in points that make all steps fit on one page."""

    title: float
    text: float
    row: float


@dataclass(slots=True)
class _Pen:
    """Writes downwards on the page."""

    canvas: "Canvas"
    font: str
    y: float = HEIGHT - _MARGIN

    def line(self, text: str, size: float, *, x: float = _MARGIN, grey: float = 0.0) -> None:
        """Write one line, shortened to the page, and move below it."""
        self.y -= size * 1.2
        self.put(text, size, x=x, grey=grey)

    def put(self, text: str, size: float, *, x: float, grey: float = 0.0) -> None:
        """Write one line where the pen is."""
        self.canvas.setFillGray(grey)
        self.canvas.setFont(self.font, size)
        room = WIDTH - _MARGIN - x
        self.canvas.drawString(x, self.y, shortened(self.canvas, text, self.font, size, room))


def steps_page(detail: LessonDetail, cues: tuple[Cue, ...], words: Words) -> bytes:
    """Draw the sheet and return it as a PDF of one page."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - heavy, for printing only

    target = BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    canvas.setTitle(detail.row.title)
    pen = _Pen(canvas, load_font())
    _head(pen, detail, words)
    foot = _MARGIN + 74.0
    scale = _scale_for(len(cues), pen.y - foot)
    for cue in cues:
        _step(pen, cue, scale, words)
    _foot(pen, foot, words)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def _head(pen: _Pen, detail: LessonDetail, words: Words) -> None:
    row = detail.row
    pen.line(words("print.steps_title"), 9.0, grey=_GREY)
    pen.line(row.title, 16.0)
    place = (row.place.subject, row.place.grade, row.place.edition, row.place.volume, row.unit)
    pen.line(" · ".join(name for name in place if name), 9.0, grey=_GREY)
    pen.y -= 8.0
    pen.canvas.setLineWidth(0.8)
    pen.canvas.line(_MARGIN, pen.y, WIDTH - _MARGIN, pen.y)
    pen.y -= 4.0


def _scale_for(count: int, room: float) -> _Scale:
    row = min(44.0, room / max(1, count))
    return _Scale(title=min(11.5, row * 0.30), text=min(9.5, row * 0.25), row=row)


def _step(pen: _Pen, cue: Cue, scale: _Scale, words: Words) -> None:
    top = pen.y
    pen.canvas.setLineWidth(0.6)
    pen.canvas.rect(_MARGIN, top - scale.title * 1.15, _TICK, _TICK)
    left = _MARGIN + _TICK + 6.0
    when = words.clock(cue.at_s) if cue.at_s is not None else "-"
    pen.line(when, scale.title, x=left)
    pen.put(f"{cue.ordinal}. {words(cue.title)}", scale.title, x=left + _TIME_COLUMN)
    minutes = max(1, round(cue.length_s / 60.0)) if cue.length_s else 0
    length = words.plural("print.about_minutes", minutes) if minutes else ""
    pen.line(length, scale.text, x=left, grey=_GREY)
    prompt = _wrapped(pen, words(cue.prompt), scale)
    pen.put(prompt[0], scale.text, x=left + _TIME_COLUMN)
    for line in prompt[1:]:
        pen.line(line, scale.text, x=left + _TIME_COLUMN)
    pen.y = top - scale.row


def _wrapped(pen: _Pen, text: str, scale: _Scale) -> tuple[str, ...]:
    """Break a prompt into the lines that its row has room for; the last may be cut."""
    room = WIDTH - 2 * _MARGIN - _TICK - 6.0 - _TIME_COLUMN
    most = max(1, int((scale.row - scale.title * 1.5) / (scale.text * 1.2)))
    lines: list[str] = []
    while text and len(lines) < most - 1:
        end = len(text)
        while end > 1 and pen.canvas.stringWidth(text[:end], pen.font, scale.text) > room:
            end -= 1
        lines.append(text[:end])
        text = text[end:]
    return (*lines, text) if text or not lines else tuple(lines)


def _foot(pen: _Pen, foot: float, words: Words) -> None:
    pen.y = foot
    pen.canvas.setLineWidth(0.4)
    pen.canvas.line(_MARGIN, pen.y, WIDTH - _MARGIN, pen.y)
    pen.line(words("print.keys"), 8.5, grey=_GREY)
    pen.line(words("print.notes"), 8.5, grey=_GREY)
    for _ in range(2):
        pen.y -= 18.0
        pen.canvas.line(_MARGIN, pen.y, WIDTH - _MARGIN, pen.y)


def shortened(canvas: "Canvas", text: str, font: str, size: float, room: float) -> str:
    """Cut `text` so that it is at most `room` points wide, with an ellipsis where it was cut."""
    if canvas.stringWidth(text, font, size) <= room:
        return text
    while text and canvas.stringWidth(f"{text}…", font, size) > room:
        text = text[:-1]
    return f"{text}…"
