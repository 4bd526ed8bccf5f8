"""Make the demo school: `python packaging/make_demo.py OUT`.

Reads assets/demo/lessons.toml and draws a tree of folders beside OUT, each with a film, slides, a
task sheet, an exercise and a `lesson.toml` that the folder source understands. OUT becomes what a
stick with these lessons holds: the app takes the demo school in as it takes any stick. Needs
ffmpeg; espeak-ng speaks where it is installed, else the films are silent.
"""

import array
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from demo_drawings import HEIGHT, WIDTH, Scene, paint
from PySide6.QtCore import QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
)

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "assets" / "demo" / "lessons.toml"
RATE: Final = 25
GROW_S: Final = 2.0
SOUND_HZ: Final = 22050
FILES: Final = (
    ("film.mp4", "video"),
    ("slides.pdf", "slides"),
    ("task.pdf", "task"),
    ("exercise.pdf", "exercise"),
)
DPI: Final = 100
INK: Final = QColor("#1D2129")
LINE: Final = QColor("#8A8474")
_PLACE: Final = ("title", "stage", "grade", "subject", "edition", "volume", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLesson:
    """One lesson of the data file."""

    folder: str
    place: tuple[tuple[str, str], ...]
    position: int
    scenes: tuple[Scene, ...]
    task: tuple[str, ...]
    exercise: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its title."""
        return dict(self.place)["title"]


def read_lessons() -> tuple[DemoLesson, ...]:
    """Read the data file."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return tuple(
        DemoLesson(
            folder=one["folder"],
            place=tuple((name, one[name]) for name in _PLACE),
            position=one["position"],
            scenes=tuple(_scene(scene) for scene in one["scene"]),
            task=tuple(one["task"]),
            exercise=tuple(one["exercise"]),
        )
        for one in data["lesson"]
    )


def _scene(row: dict[str, object]) -> Scene:
    numbers = {k: v for k, v in row.items() if isinstance(v, int) and k != "seconds"}
    lines, fraction = row["lines"], row.get("fraction", [])
    assert isinstance(lines, list)  # noqa: S101 - our own data file
    assert isinstance(fraction, list)  # noqa: S101 - our own data file
    return Scene(
        draw=str(row["draw"]),
        seconds=float(str(row["seconds"])),
        say=str(row["say"]),
        lines=tuple(lines),
        numbers=numbers,
        show=str(row.get("show", "")),
        fraction=tuple(fraction),
    )


def spoken(text: str, folder: Path) -> "array.array[int]":
    """Speak a sentence; empty where no synthesiser is installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        return array.array("h")
    target = folder / "voice.wav"
    command = [program, "-v", "cmn", "-s", "150", "-w", str(target), text]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:  # noqa: S603
        return array.array("h")
    with wave.open(str(target)) as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def soundtrack(scenes: Sequence[Scene], target: Path) -> tuple[float, ...]:
    """Write the narration and return how long each scene lasts."""
    samples, lengths = array.array("h"), []
    for scene in scenes:
        voice = spoken(scene.say, target.parent)
        lead = array.array("h", bytes(SOUND_HZ))
        seconds = max(scene.seconds, (len(lead) + len(voice)) / SOUND_HZ + 1.0)
        seconds = round(seconds * RATE) / RATE
        whole = lead + voice
        whole.extend([0] * (round(seconds * SOUND_HZ) - len(whole)))
        samples += whole
        lengths.append(seconds)
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SOUND_HZ)
        sound.writeframes(samples.tobytes())
    return tuple(lengths)


def pictures(scenes: Sequence[Scene], lengths: Sequence[float]) -> Iterator[bytes]:
    """Draw every picture; what stands still is drawn once."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    for scene, seconds in zip(scenes, lengths, strict=True):
        still = drawn = b""
        for number in range(round(seconds * RATE)):
            grown = min(1.0, number / (GROW_S * RATE))
            if grown < 1.0 or not still:
                painter = QPainter(image)
                paint(painter, scene, grown)
                painter.end()
                drawn = bytes(image.constBits())
                still = drawn if grown >= 1.0 else b""
            yield still or drawn


def make_film(lesson: DemoLesson, target: Path) -> None:
    """Encode the film: H.264 with a key frame every two seconds, so that seeking is quick."""
    program = shutil.which("ffmpeg")
    if program is None:
        sys.exit("make_demo: ffmpeg is not installed; run `make setup` as root or install it")
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        lengths = soundtrack(lesson.scenes, sound)
        command = [
            program, "-y", "-v", "error",
            "-f", "rawvideo", "-pix_fmt", "bgra", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE),
            "-i", "-", "-i", str(sound),
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-g", "50",
            "-pix_fmt", "yuv420p", "-threads", "2", "-c:a", "aac", "-b:a", "64k",
            "-bitexact", "-map_metadata", "-1", "-movflags", "+faststart", str(target),
        ]  # fmt: skip
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - fixed command
        if encoder.stdin is None:
            sys.exit("make_demo: ffmpeg takes no pictures")
        for picture in pictures(lesson.scenes, lengths):
            encoder.stdin.write(picture)
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit("make_demo: ffmpeg failed")


def make_slides(lesson: DemoLesson, target: Path) -> None:
    """One page per scene, 16:9."""
    writer = _writer(
        target, QPageSize(QSizeF(338.7, 190.5), QPageSize.Unit.Millimeter), lesson.title
    )
    painter = QPainter(writer)
    scale = writer.width() / WIDTH
    for number, scene in enumerate(lesson.scenes):
        if number:
            writer.newPage()
        painter.save()
        painter.scale(scale, scale)
        paint(painter, scene, 1.0)
        painter.restore()
    painter.end()


def make_sheet(lesson: DemoLesson, heading: str, items: Sequence[str], target: Path) -> None:
    """Draw a portrait A4 page with room to write."""
    writer = _writer(target, QPageSize(QPageSize.PageSizeId.A4), heading)
    painter = QPainter(writer)
    width, height = writer.width(), writer.height()
    painter.setPen(INK)
    painter.setFont(_font(26, bold=True))
    painter.drawText(QRectF(0, 0, width, 50), Qt.AlignmentFlag.AlignLeft, lesson.title)
    painter.setFont(_font(15))
    place = "  ".join(value for name, value in lesson.place if name not in ("title", "stage"))
    painter.drawText(QRectF(0, 50, width, 30), Qt.AlignmentFlag.AlignLeft, f"{heading}   {place}")
    painter.setPen(QPen(LINE, 2))
    painter.drawLine(0, 88, width, 88)
    step = (height - 120) / len(items)
    for number, item in enumerate(items, 1):
        top = 110 + (number - 1) * step
        painter.setPen(INK)
        painter.setFont(_font(19))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(0, top, width, 80), int(flags), f"{number}.  {item}")
        painter.setPen(QPen(LINE, 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(0, top + 72, width, step - 96), 12, 12)
    painter.end()


def _writer(target: Path, size: QPageSize, title: str, *, is_slide: bool = False) -> QPdfWriter:
    turned, upright = QPageLayout.Orientation.Landscape, QPageLayout.Orientation.Portrait
    edge = 0 if is_slide else 15
    margins = QMarginsF(edge, edge, edge, edge)
    unit = QPageLayout.Unit.Millimeter
    writer = QPdfWriter(str(target))
    writer.setResolution(DPI)
    writer.setPageLayout(QPageLayout(size, turned if is_slide else upright, margins, unit))
    writer.setTitle(title)
    return writer


def _font(pixels: int, *, bold: bool = False) -> QFont:
    font = QFont("Noto Sans CJK SC")
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font


def describe(lesson: DemoLesson, names: dict[str, str]) -> str:
    """Write lesson.toml: what the folder source should make of this folder."""
    lines = [f'{name} = "{value}"' for name, value in lesson.place]
    lines.append(f"position = {lesson.position}")
    for file, role in FILES:
        lines += [
            "",
            "[[part]]",
            f'file = "{file}"',
            f'role = "{role}"',
            f'title = "{names[role]}"',
        ]
    return "\n".join(lines) + "\n"


def pack(tree: Path, out: Path) -> None:
    """Pack the lessons as on a stick, by a room that is gone at once and leaves no mark here."""
    sys.path.append(str(ROOT))
    from client.domain.clock import SystemClock  # noqa: PLC0415 - the checkout comes first
    from sync.engine.demo_school import pack_demo  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as state:
        os.environ["TONGKE_STATE"] = state
        packed = pack_demo(tree, out, SystemClock())
    print(f"{out.name}: {len(packed.lessons)} lessons, {packed.size_bytes >> 10} kB")


def main(arguments: Sequence[str]) -> int:
    """Draw everything, then pack it."""
    out = Path(arguments[0]).absolute()
    tree = out.with_name(f"{out.name}-drawn")
    shutil.rmtree(tree, ignore_errors=True)
    app = QGuiApplication(list(arguments))
    names = tomllib.loads(DATA.read_text(encoding="utf-8"))["names"]
    for lesson in read_lessons():
        folder = tree / lesson.folder
        folder.mkdir(parents=True, exist_ok=True)
        make_film(lesson, folder / "film.mp4")
        make_slides(lesson, folder / "slides.pdf")
        make_sheet(lesson, names["task"], lesson.task, folder / "task.pdf")
        make_sheet(lesson, names["exercise"], lesson.exercise, folder / "exercise.pdf")
        (folder / "lesson.toml").write_text(describe(lesson, names), encoding="utf-8")
        print(f"{lesson.folder}: {sum(f.stat().st_size for f in folder.iterdir()) >> 10} kB")
    pack(tree, out)
    del app
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
