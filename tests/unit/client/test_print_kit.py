"""Sheets to print (client.service.print_kit), judged by rendering them with Qt's own reader."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtPdf import QPdfDocument
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from client.domain.availability import LessonState, Light, PartState
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.cues import Cue, CueKind
from client.domain.errors import ResourceError, StorageError, UserError
from client.domain.ids import LessonId, PartId
from client.service.api import LessonDetail, LessonRow, PartView
from client.service.print_fonts import find_font, load_font
from client.service.print_kit import Sheet, is_cut, print_pdf, sheets_for
from client.service.text import Words

WORDS = Words("zh_CN")


def make_pdf(path: Path, pages: list[list[str]], *, colour: bool = False) -> Path:
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    for lines in pages:
        if colour:
            canvas.setFillColorRGB(0.9, 0.1, 0.1)
            canvas.rect(100, 200, 300, 300, stroke=0, fill=1)
        canvas.setFillGray(0)
        canvas.setFont(load_font(), 14)
        for n, line in enumerate(lines):
            canvas.drawString(60, 780 - 40 * n, line)
        canvas.showPage()
    canvas.save()
    return path


def detail_with(role: Role, path: Path | None, format_: str = "pdf") -> LessonDetail:
    part = PartView(
        id=PartId("p"),
        role=role,
        title="单",
        label="",
        format=format_,
        size_bytes=1,
        duration_s=0.0,
        pages=1,
        period=0,
        state=PartState.PRESENT if path else PartState.ABSENT,
        path=path,
    )
    row = LessonRow(
        id=LessonId("L"),
        title="分数的初步认识（一）",
        kind=LessonKind.NATIONAL,
        place=Placement(subject="数学", grade="三年级", edition="北师大版", volume="下册"),
        unit="第六单元 认识分数",
        provider="",
        state=LessonState.READY,
    )
    return LessonDetail(row=row, light=Light.READY, book=None, sections=(), parts=(part,))


def render(path: Path, page: int = 0) -> QImage:
    document = QPdfDocument()
    assert document.load(str(path)) == QPdfDocument.Error.None_
    size = document.pagePointSize(page)
    image = document.render(page, QSize(int(size.width()), int(size.height())))
    white = QImage(image.size(), QImage.Format.Format_RGB32)
    white.fill(QColor("white"))
    for y in range(image.height()):
        for x in range(image.width()):
            colour = image.pixelColor(x, y)
            if colour.alpha() > 0:
                white.setPixelColor(x, y, colour)
    return white


def texts(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


@settings(max_examples=150, deadline=None)
@given(pages=st.integers(1, 9), copies=st.integers(1, 40))
def test_every_pupil_gets_every_page_once(pages: int, copies: int) -> None:
    """S1"""
    sheets = sheets_for(pages, copies)
    printed = [number for sheet in sheets for number in sheet if number is not None]
    assert all(printed.count(number) == copies for number in range(pages))
    assert len(printed) == pages * copies
    assert len(sheets) == (pages * copies + pages % 2 * (copies % 2)) // 2
    assert is_cut(pages, copies) == any(left == right for left, right in sheets)


def test_a_task_sheet_is_printed_two_up(tmp_path: Path, qapp: object) -> None:
    """S1"""
    source = make_pdf(tmp_path / "t.pdf", [["第一页"], ["第二页"]])
    out = print_pdf(
        Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "o.pdf", words=WORDS, copies=3
    )
    assert len(PdfReader(out).pages) == 3
    assert all("第一页" in text and "第二页" in text for text in texts(out))
    image = render(out)
    assert image.width() > image.height()
    dark = [
        x
        for x in range(image.width())
        for y in range(40, 65)
        if image.pixelColor(x, y).lightness() < 128
    ]
    assert min(dark) < image.width() / 2 < max(dark)


def test_copies_cost_paper_not_megabytes(tmp_path: Path) -> None:
    source = make_pdf(tmp_path / "t.pdf", [[f"行{n}" for n in range(15)]])
    few = print_pdf(
        Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "2.pdf", words=WORDS, copies=2
    )
    many = print_pdf(
        Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "60.pdf", words=WORDS, copies=60
    )
    assert len(PdfReader(many).pages) == 30
    assert many.stat().st_size < 3 * few.stat().st_size


def test_sheets_are_grey(tmp_path: Path, qapp: object) -> None:
    """S4"""
    source = make_pdf(tmp_path / "t.pdf", [["红"]], colour=True)
    assert any(is_coloured(render(source), x, y) for x, y in ((250, 500), (250, 400)))
    for what, role in ((Sheet.TASK, Role.TASK), (Sheet.SLIDES, Role.SLIDES)):
        out = print_pdf(what, detail_with(role, source), tmp_path / "o.pdf", words=WORDS)
        image = render(out)
        points = [(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)]
        assert not any(is_coloured(image, x, y) for x, y in points)
        assert any(40 < image.pixelColor(x, y).lightness() < 220 for x, y in points)


def is_coloured(image: QImage, x: int, y: int) -> bool:
    return image.pixelColor(x, y).saturation() > 10


def test_answers_stay_off_the_pupils_sheets(tmp_path: Path, qapp: object) -> None:
    """S2"""
    source = make_pdf(
        tmp_path / "t.pdf",
        [["题目一", "题目二"], ["题目三", "参考答案：", "三分之一"], ["更多解答"]],
    )
    out = print_pdf(Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "o.pdf", words=WORDS)
    assert len(PdfReader(out).pages) == 1
    assert "更多解答" not in texts(out)[0]
    image = render(out)
    right = range(image.width() // 2 + 40, image.width() - 10)
    assert any(image.pixelColor(x, y).lightness() < 128 for x in right for y in range(30, 60))
    below = range(75, image.height())
    assert all(image.pixelColor(x, y).lightness() > 200 for x in right for y in below)


def test_a_page_of_answers_alone_is_dropped(tmp_path: Path) -> None:
    """S2"""
    source = make_pdf(tmp_path / "t.pdf", [["题目"], ["【答案】", "三分之一"]])
    out = print_pdf(Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "o.pdf", words=WORDS)
    assert "三分之一" not in "".join(texts(out))


def test_a_sheet_of_nothing_but_answers_prints_white(tmp_path: Path, qapp: object) -> None:
    """S2"""
    source = make_pdf(tmp_path / "t.pdf", [["参考答案", "三分之一"]])
    out = print_pdf(Sheet.TASK, detail_with(Role.TASK, source), tmp_path / "o.pdf", words=WORDS)
    image = render(out)
    dark = [
        (x, y)
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
        if image.pixelColor(x, y).lightness() < 128
    ]
    assert dark == []


def test_slides_are_printed_four_up(tmp_path: Path) -> None:
    source = make_pdf(tmp_path / "s.pdf", [[f"第{n}张"] for n in range(6)])
    out = print_pdf(Sheet.SLIDES, detail_with(Role.SLIDES, source), tmp_path / "o.pdf", words=WORDS)
    assert len(PdfReader(out).pages) == 2
    assert "第0张" in texts(out)[0] and "第3张" in texts(out)[0] and "第5张" in texts(out)[1]


def test_every_question_of_a_chapter_is_printed(tmp_path: Path, qapp: object) -> None:
    """S1: each picture is a page, two to a sheet; those that are not here are left out."""
    parts = []
    for number in range(3):
        picture = QImage(300 + 80 * number, 200, QImage.Format.Format_RGB32)
        picture.fill(QColor("black"))
        path = tmp_path / f"{number}.png"
        assert picture.save(str(path))
        parts.append(detail_with(Role.EXERCISE, path, "png").parts[0])
    bare = detail_with(Role.EXERCISE, None, "png")
    row = replace(bare.row, kind=LessonKind.QUESTIONS)
    asked = replace(bare, row=row, parts=(*parts, *bare.parts))
    out = print_pdf(Sheet.TASK, asked, tmp_path / "o.pdf", words=WORDS)
    assert len(PdfReader(out).pages) == 2
    assert sum(len(page.images) for page in PdfReader(out).pages) == 3
    with pytest.raises(UserError, match="print_nothing"):
        print_pdf(Sheet.TASK, replace(asked, parts=bare.parts), tmp_path / "n.pdf", words=WORDS)


def test_a_picture_is_printed_like_a_page(tmp_path: Path, qapp: object) -> None:
    picture = QImage(400, 560, QImage.Format.Format_RGB32)
    picture.fill(QColor("black"))
    assert picture.save(str(tmp_path / "t.png"))
    out = print_pdf(
        Sheet.TASK,
        detail_with(Role.TASK, tmp_path / "t.png", "png"),
        tmp_path / "o.pdf",
        words=WORDS,
    )
    assert render(out).pixelColor(200, 300).lightness() < 40


def test_turned_pages_are_printed_upright(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=make_pdf(tmp_path / "t.pdf", [["横"]]))
    writer.pages[0].rotate(90)
    writer.write(tmp_path / "r.pdf")
    out = print_pdf(
        Sheet.TASK, detail_with(Role.TASK, tmp_path / "r.pdf"), tmp_path / "o.pdf", words=WORDS
    )
    assert "横" in texts(out)[0]


CUES = tuple(
    Cue(
        ordinal=n,
        kind=CueKind.PLAY,
        title="cue.lead_in" if n % 2 else "分组讨论",
        prompt="prompt.lead_in" if n % 2 else "请两位同学上台，" * 8,
        at_s=n * 61.0 if n % 2 else None,
        length_s=90.0 if n % 3 else 0.0,
    )
    for n in range(1, 31)
)


@pytest.mark.parametrize("count", [1, 8, 30])
def test_the_teachers_steps_fit_on_one_small_page(tmp_path: Path, count: int) -> None:
    out = print_pdf(
        Sheet.STEPS,
        detail_with(Role.VIDEO, None),
        tmp_path / "deep" / "o.pdf",
        words=WORDS,
        cues=CUES[:count],
    )
    (page,) = PdfReader(out).pages
    text = page.extract_text()
    assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (420, 595)
    assert "分数的初步认识（一）" in text
    assert WORDS("cue.lead_in") in text and WORDS("prompt.lead_in") in text
    assert f"{count}. " in text
    assert len(out.read_bytes()) < 300_000
    embedded = str(page["/Resources"]["/Font"])
    assert "Tongke" in embedded or "FontDescriptor" in embedded or len(embedded) > 10


def test_fonts_are_embedded(tmp_path: Path) -> None:
    out = print_pdf(
        Sheet.STEPS, detail_with(Role.VIDEO, None), tmp_path / "o.pdf", words=WORDS, cues=CUES[:3]
    )
    fonts = PdfReader(out).pages[0]["/Resources"]["/Font"].values()
    used = [font.get_object() for font in fonts]
    assert all(
        "/FontFile2" in font["/FontDescriptor"] for font in used if "/FontDescriptor" in font
    )
    assert any("/FontDescriptor" in font for font in used)


def test_what_is_not_here_is_said(tmp_path: Path) -> None:
    for what in (Sheet.TASK, Sheet.SLIDES):
        with pytest.raises(UserError) as caught:
            print_pdf(what, detail_with(Role.TASK, None), tmp_path / "o.pdf", words=WORDS)
        assert caught.value.code == "print_nothing"


@settings(max_examples=40, deadline=None)
@given(noise=st.binary(max_size=200), keep=st.integers(0, 1500))
def test_damaged_files_end_in_one_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, keep: int
) -> None:
    folder = tmp_path_factory.mktemp("print")
    whole = make_pdf(folder / "t.pdf", [["一"]]).read_bytes()
    (folder / "t.pdf").write_bytes(whole[:keep] + noise + whole[keep + len(noise) :])
    out = folder / "o.pdf"
    try:
        print_pdf(Sheet.TASK, detail_with(Role.TASK, folder / "t.pdf"), out, words=WORDS)
    except ResourceError as error:
        assert error.code == "print_unreadable"
        assert not out.exists()


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """S3"""
    source = make_pdf(tmp_path / "t.pdf", [["一"]])
    out = tmp_path / "o.pdf"
    out.write_bytes(b"old")
    (tmp_path / "o.pdf.new").mkdir()
    with pytest.raises(StorageError) as caught:
        print_pdf(Sheet.TASK, detail_with(Role.TASK, source), out, words=WORDS)
    assert caught.value.code == "print_not_written"
    assert out.read_bytes() == b"old"


def test_without_a_font_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResourceError) as caught:
        find_font([tmp_path])
    assert caught.value.code == "print_font_missing"


def test_locked_but_readable_files_print(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=make_pdf(tmp_path / "t.pdf", [["锁"]]))
    writer.encrypt("", "owner")
    target = BytesIO()
    writer.write(target)
    (tmp_path / "l.pdf").write_bytes(target.getvalue())
    out = print_pdf(
        Sheet.TASK, detail_with(Role.TASK, tmp_path / "l.pdf"), tmp_path / "o.pdf", words=WORDS
    )
    assert "锁" in texts(out)[0]
