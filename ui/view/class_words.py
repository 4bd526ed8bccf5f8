"""Message keys of lines and keys become what is shown. One place for panel and console."""

from dataclasses import dataclass

from client.domain.sitting_keys import Key
from ui.base.context import UiContext
from ui.view.class_key import Look
from ui.view.clock_text import media_time
from ui.viewmodel.class_lines import KeyFace, Line, Tone, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLine:
    """A line in words."""

    icon: str
    lead: str
    text: str
    rest: str
    is_notice: bool


def say_line(context: UiContext, line: Line) -> SaidLine:
    """Put a line into words."""
    words = context.words
    values = dict(line.values)
    rest = ""
    if line.rest == "classroom.stops_at" and line.stop_s is not None:
        left = int(line.left_s or 0.0)
        rest = words(line.rest, at=media_time(line.stop_s), left=media_time(left))
    elif line.rest:
        rest = words(line.rest, **values)
        rest = "" if rest == line.rest else rest
    return SaidLine(
        icon=line.icon,
        lead=words(line.lead) if line.lead else "",
        text=words(line.text, **values),
        rest=rest,
        is_notice=line.tone is Tone.NOTICE,
    )


def key_look(context: UiContext, face: KeyFace) -> Look:
    """Put one of the five keys into words and a role."""
    role = "plain"
    if face.key is Key.END:
        role = "danger"
    elif face.is_main:
        role = "main"
    elif face.key is Key.NEXT:
        role = "next"
    words = context.words
    return Look(
        icon=face.icon,
        word=words(face.word),
        cap=words(face.cap),
        role=role,
        is_on=face.is_on,
    )


def tool_look(context: UiContext, tool: Tool) -> Look:
    """Put a tool into words."""
    words = context.words
    word = words(tool.word)
    if tool.rate is not None:
        word = words(tool.word, rate=f"{tool.rate:g}")
    return Look(
        icon=tool.icon,
        word=word,
        cap=words(tool.cap) if tool.cap else "",
        role="tool",
        is_on=tool.is_on,
    )
