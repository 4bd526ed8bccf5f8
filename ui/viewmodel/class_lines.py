"""What the teacher is told beside the stage: the prompt line, the keys, the tools. Pure.

On a mirrored screen pupils read it too: no answer, no name, nothing about the machine beyond
one short notice.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from client.domain.catalogue import Role
from client.domain.cues import Cue, CueKind
from client.domain.sitting import Overlay, Phase, Showing
from client.domain.sitting_keys import Key
from client.domain.sitting_moves import document_for, stop_at_s
from client.service.sitting import SittingView


class Tone(Enum):
    """How a line is meant."""

    PLAIN = "plain"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: small lead word, bold text, quiet rest; all message keys with their values."""

    icon: str
    text: str
    lead: str = ""
    rest: str = ""
    values: tuple[tuple[str, str | int | float], ...] = ()
    stop_s: float | None = None
    """Media time at which the video stops by itself."""
    left_s: float | None = None
    tone: Tone = Tone.PLAIN


ICONS: Final = {
    CueKind.PLAY: "circle-play",
    CueKind.ASK: "message-circle-question-mark",
    CueKind.ACTIVITY: "hand",
    CueKind.SLIDES: "presentation",
    CueKind.TASK: "file-text",
    CueKind.TEXTBOOK: "book-open",
    CueKind.SUMMARY: "list-checks",
}


def prompt_line(view: SittingView) -> Line:
    """Choose the one line that helps most now."""
    return _notice(view) or _situation(view)


def _notice(view: SittingView) -> Line | None:
    state = view.state
    if state.is_skip_armed:
        return Line(icon="skip-forward", text="classroom.skip_twice", tone=Tone.NOTICE)
    if view.time_up is not None:
        name = view.plan.tracks[view.time_up].class_name
        values = (("name", name),)
        return Line(icon="bell", text="classroom.time_up", values=values, tone=Tone.NOTICE)
    if view.trouble is not None:
        reason = view.trouble.reason
        return Line(
            icon="triangle-alert",
            text=f"error.{reason.code}",
            rest=f"hint.{reason.code}",
            values=reason.values,
            tone=Tone.NOTICE,
        )
    return None


def _situation(view: SittingView) -> Line:
    state = view.state
    if state.overlay is not Overlay.NONE:
        key = f"classroom.{state.overlay.value}.how"
        icon = "monitor-off" if state.overlay is Overlay.BLACK else "snowflake"
        return Line(icon=icon, text=key)
    if state.question is not None:
        return Line(icon="message-circle-question-mark", text="classroom.count_how")
    now = view.track.now
    if state.phase is Phase.PLAYING or (now.kind is CueKind.PLAY and view.track.has_video):
        following = view.track.next
        if following is not None:
            return _upcoming(view, following)
    return Line(icon=ICONS[now.kind], lead=now.title, text=now.prompt)


def _upcoming(view: SittingView, following: Cue) -> Line:
    stop_s = stop_at_s(view.state)
    left_s = None
    if following.at_s is not None:
        left_s = max(0.0, following.at_s - view.track.position_s)
    return Line(
        icon=ICONS[following.kind],
        lead="classroom.next",
        text=following.title,
        rest="classroom.stops_at" if stop_s is not None else "",
        stop_s=stop_s,
        left_s=left_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFace:
    """One of the five keys: icon, word and cap as names and message keys."""

    key: Key
    icon: str
    word: str
    cap: str
    is_main: bool = False
    """Filled: the one to press now."""
    is_on: bool = False


def five_keys(view: SittingView) -> tuple[KeyFace, ...]:
    """Give the first level, always in this order."""
    state = view.state
    is_playing = state.phase is Phase.PLAYING
    is_asking = state.question is not None or not view.track.has_video
    is_black = state.overlay is Overlay.BLACK
    return (
        KeyFace(
            key=Key.PLAY,
            icon="pause" if is_playing else "play",
            word="classroom.pause" if is_playing else "classroom.play",
            cap="cap.space",
            is_main=not is_asking,
        ),
        KeyFace(key=Key.AGAIN, icon="rotate-ccw", word="classroom.again", cap="cap.up"),
        KeyFace(
            key=Key.NEXT,
            icon="skip-forward",
            word="classroom.next_page" if _has_next_page(view) else "classroom.next",
            cap="cap.pgdn",
            is_main=is_asking,
        ),
        KeyFace(
            key=Key.BLACK,
            icon="monitor" if is_black else "monitor-off",
            word="classroom.light" if is_black else "classroom.black",
            cap="cap.b",
            is_on=is_black,
        ),
        KeyFace(key=Key.END, icon="log-out", word="classroom.end", cap="cap.esc"),
    )


def _has_next_page(view: SittingView) -> bool:
    track = view.track
    shows = track.showing in (Showing.PAGES, Showing.BESIDE) and view.state.question is None
    return (
        shows
        and track.document < len(track.pages)
        and (track.page + 1 < track.pages[track.document])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool of 更多. `text` is shown instead of the word where it says more (1.5 x)."""

    key: Key
    icon: str
    word: str
    cap: str = ""
    n: float = 0.0
    is_on: bool = False
    rate: float | None = None


_DOCUMENTS: Final = {
    Role.SLIDES: ("presentation", "classroom.slides"),
    Role.TASK: ("clipboard-list", "classroom.task"),
    Role.EXERCISE: ("list-checks", "classroom.exercise"),
    Role.TEXTBOOK: ("book-open", "classroom.textbook"),
}


def tools(view: SittingView) -> tuple[Tool, ...]:
    """List the tools that would do something now; what would not has no button."""
    state, track = view.state, view.track
    found = [
        Tool(
            key=Key.FREEZE,
            icon="snowflake",
            word="classroom.freeze",
            cap="cap.f",
            is_on=state.overlay is Overlay.FROZEN,
        ),
        Tool(
            key=Key.TIMER,
            icon="timer",
            word="classroom.timer",
            cap="cap.t",
            is_on=track.timer is not None,
        ),
        Tool(
            key=Key.QUESTION,
            icon="message-circle-question-mark",
            word="classroom.ask",
            cap="cap.q",
            is_on=state.question is not None,
        ),
    ]
    if state.question is not None:
        found.append(_answer_tool(view))
    if track.has_video:
        found += _video_tools(view)
    found += _document_tools(view)
    if len(state.tracks) > 1:
        found.append(Tool(key=Key.SWITCH, icon="columns-2", word="classroom.switch", cap="cap.tab"))
    return tuple(found)


def _answer_tool(view: SittingView) -> Tool:
    question = view.state.question
    is_on = question is not None and (question.is_revealed or question.is_naming)
    return Tool(key=Key.ANSWER, icon="eye", word="classroom.answer", cap="cap.d", is_on=is_on)


def _video_tools(view: SittingView) -> list[Tool]:
    state = view.state
    looping = state.loop_begin_s is not None
    word = "classroom.loop"
    if looping:
        word = "classroom.loop_end" if state.loop_end_s is not None else "classroom.loop_b"
    return [
        Tool(key=Key.LOOP, icon="repeat", word=word, cap="cap.l", is_on=looping),
        Tool(
            key=Key.RATE,
            icon="gauge",
            word="classroom.rate",
            cap="cap.rate",
            is_on=state.rate != 1.0,
            rate=state.rate,
        ),
    ]


def _document_tools(view: SittingView) -> list[Tool]:
    track = view.track
    showing = track.showing
    if not track.documents:
        return []
    icon, word = _DOCUMENTS[track.documents[document_for(track) or 0]]
    if showing is Showing.PAGES:
        word = "classroom.beside" if track.has_video else "classroom.away"
    elif showing is Showing.BESIDE:
        word = "classroom.video_only"
    is_on = showing in (Showing.PAGES, Showing.BESIDE)
    found = [Tool(key=Key.PAGES, icon=icon, word=word, cap="cap.k", is_on=is_on)]
    toggled = document_for(track) or 0
    for index, role in enumerate(track.documents):
        if index == track.documents.index(role) and role is not track.documents[toggled]:
            icon, name = _DOCUMENTS[role]
            shows = showing is Showing.PAGES and track.document == index
            found.append(Tool(key=Key.DOCUMENT, icon=icon, word=name, n=float(index), is_on=shows))
    return found


def uncounted(view: SittingView) -> int:
    """Count who was not counted in the question round yet, never below zero."""
    question = view.state.question
    if question is None:
        return 0
    return max(0, view.track.headcount - sum(question.counts))


def is_tallying(view: SittingView) -> bool:
    """Tell whether a count has begun and is not complete: the panel stays then."""
    question = view.state.question
    return question is not None and any(question.counts) and uncounted(view) > 0
