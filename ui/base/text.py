"""Labels: plain ones by role, and ones that elide in one or several lines.

Invariants:
  E1  An eliding label never asks for more width than it is given and keeps its whole text as
      tool tip and accessible name.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.base.theme import Theme, Type


def label(
    text: str = "",
    role: Type = Type.BODY,
    *,
    tone: str = "",
    is_bold: bool = False,
    is_wrapped: bool = False,
) -> QLabel:
    """Make a label of a text role; `tone` is muted, accent, amber, red, info or a subject's."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", role.name.lower())
    if tone:
        made.setProperty("tone", tone)
    if is_bold:
        made.setProperty("strong", "true")
    made.setWordWrap(is_wrapped)
    return made


def broken_lines(text: str, font: QFont, width: int, lines: int) -> tuple[str, ...]:
    """Break `text` into at most `lines` lines of `width` pixels; the last one is elided."""
    if not text or width <= 0:
        return (text,) if text else ()
    if QFontMetrics(font).horizontalAdvance(text) <= width:
        return (text,)
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    cuts: list[tuple[int, int]] = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        cuts.append((line.textStart(), line.textLength()))
    layout.endLayout()
    shown = [text[start : start + length].rstrip() for start, length in cuts[:lines]]
    if len(cuts) > lines:
        rest = text[cuts[lines - 1][0] :]
        elide = Qt.TextElideMode.ElideRight
        shown[-1] = QFontMetrics(font).elidedText(rest, elide, width)
    return tuple(shown)


class ElidedLabel(QWidget):
    """Text in at most `lines` lines, elided at the end (E1)."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        role: Type = Type.BODY,
        *,
        tone: str = "ink",
        is_bold: bool = False,
        lines: int = 1,
    ) -> None:
        super().__init__()
        self._font = theme.font(role, bold=is_bold)
        self._colour: QColor = theme.color(tone)
        self._lines = lines
        self._text = ""
        self._line_px = round(QFontMetrics(self._font).height() * (1.0 if lines == 1 else 0.96))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def text(self) -> str:
        """Give the whole text."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show another text."""
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Width of the text in one line, height of the lines it takes at the width it has."""
        width = QFontMetrics(self._font).horizontalAdvance(self._text) + 2
        return QSize(width, self._line_px * self._lines)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width will do."""
        return QSize(self._line_px, self._line_px)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Only labels of several lines grow."""
        return self._lines > 1

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Height of the lines that `width` leaves."""
        return self._line_px * max(1, len(broken_lines(self._text, self._font, width, self._lines)))

    def paintEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Paint the lines, and remember whether a tool tip is needed."""
        shown = broken_lines(self._text, self._font, self.width(), self._lines)
        is_cut = "".join(shown).replace(" ", "") != self._text.replace(" ", "")
        self.setToolTip(self._text if is_cut else "")
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(self._colour)
        align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        for number, line in enumerate(shown):
            at = QPointF(0, number * self._line_px)
            box = QRectF(at, QSize(self.width(), self._line_px))
            painter.drawText(box, int(align), line)
        painter.end()
