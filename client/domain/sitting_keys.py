"""What each classroom key does: one table from key to a pure function.

The keys are the teacher's, not the keyboard's: which button, clicker or keyboard key means
which of them is the screen's business (`ui.viewmodel.classroom_keys`). Invariants SI1 to SI7 of
`client.domain.sitting` hold after every press.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from client.domain.cues import CueKind
from client.domain.sitting import (
    ADD_UP_S,
    NEAR_S,
    RATES,
    STEP_S,
    TWICE_S,
    Counted,
    CueReached,
    Finished,
    Flush,
    Load,
    Overlay,
    Phase,
    Question,
    SetLoop,
    SetRate,
    Showing,
    SittingState,
    Step,
    Timer,
    Track,
    moved,
    unwatched_s,
    with_track,
)
from client.domain.sitting_moves import (
    close_question,
    document_for,
    enter,
    opening_page,
    pause,
    play,
    seek,
    showing_for,
    stretch_at,
)

DEFAULT_TIMER_S: Final = 180.0
DEFAULT_TASK_S: Final = 480.0


class Key(Enum):
    """Everything a teacher can ask for in class."""

    PLAY = "play"
    """播放/暂停."""
    HOLD = "hold"
    """Pause, never play: the projector is gone, a class is left."""
    AGAIN = "again"
    NEXT = "next"
    BACK = "back"
    BLACK = "black"
    END = "end"
    FREEZE = "freeze"
    SEEK_BACK = "seek_back"
    SEEK_ON = "seek_on"
    SEEK_TO = "seek_to"
    SLOWER = "slower"
    FASTER = "faster"
    RATE = "rate"
    """Next speed of the list, from the fastest back to the slowest."""
    LOOP = "loop"
    SWITCH = "switch"
    QUESTION = "question"
    ADD = "add"
    TAKE = "take"
    ANSWER = "answer"
    HEAD_MORE = "head_more"
    HEAD_LESS = "head_less"
    HEAD_SAME = "head_same"
    TIMER = "timer"
    TIMER_MORE = "timer_more"
    TIMER_END = "timer_end"
    PAGES = "pages"
    DOCUMENT = "document"
    STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One key press. `n` is a choice, step, document or page index, or seconds, as the key says.

    `track` is the class meant; None means the one on the stage.
    """

    key: Key
    n: float = 0.0
    track: int | None = None


def press(state: SittingState, pressed: Press) -> Step:
    """Answer a key. After the end no key does anything (SI1)."""
    if state.phase is Phase.ENDED:
        return Step(state=state)
    step = _TABLE[pressed.key](state, pressed)
    if state.phase is Phase.READY and step.state.phase in (Phase.PLAYING, Phase.PAUSED):
        step = _begun(state, step)
    state = step.state
    if pressed.key is not Key.NEXT:
        state = _disarmed(state)
    if pressed.key not in (Key.SEEK_BACK, Key.SEEK_ON):
        state = replace(state, seek_until_s=float("-inf"))
    return replace(step, state=state)


def _begun(state: SittingState, step: Step) -> Step:
    """Note the first step when a class leaves READY, whatever key did it."""
    if any(isinstance(effect, CueReached) for effect in step.effects):
        return step
    first = CueReached(track=state.on_stage, ordinal=state.track.now.ordinal)
    return replace(step, effects=(first, *step.effects))


def _disarmed(state: SittingState) -> SittingState:
    return replace(state, skip_until_s=float("-inf"))


# --- the five keys -----------------------------------------------------------------------


def _play(state: SittingState, _pressed: Press) -> Step:
    if state.phase is Phase.PLAYING:
        return pause(state)
    step = close_question(state)
    state = step.state
    track = state.track
    following = track.next
    if _is_at_end(track):
        return step.then(_again(state, _pressed))
    if (
        track.now.kind is not CueKind.PLAY
        and following is not None
        and following.kind is CueKind.PLAY
        and following.at_s is not None
        and abs(following.at_s - track.position_s) <= NEAR_S
    ):
        return step.then(enter(state, track.cue + 1))
    return step.then(play(state))


def _is_at_end(track: Track) -> bool:
    return track.has_video and track.position_s >= track.duration_s - 0.2


def _hold(state: SittingState, _pressed: Press) -> Step:
    return pause(state) if state.phase is Phase.PLAYING else Step(state=state)


def _again(state: SittingState, _pressed: Press) -> Step:
    step = close_question(state)
    state = step.state
    track = state.track
    if not track.has_video:
        return step.then(enter(state, track.cue))
    places = [cue.at_s for cue in track.cues if cue.kind is CueKind.PLAY and cue.at_s is not None]
    places.append(track.paused_s)
    back = max((place for place in places if place < track.position_s - NEAR_S), default=0.0)
    step = step.then(seek(state, min(back, track.position_s)))
    at = stretch_at(step.state.track, back)
    arrived = replace(step.state.track, cue=at)
    state = with_track(step.state, arrived)
    if state.phase is Phase.PLAYING:
        return replace(step, state=state).add(Flush(track=state.on_stage))
    return replace(step, state=state).then(play(state))


def _next(state: SittingState, _pressed: Press) -> Step:
    track = state.track
    if state.question is None and _turns_pages(track):
        if track.page + 1 < track.pages[track.document]:
            return _turned(state, track.page + 1)
    elif state.phase is Phase.READY and track.now.kind is CueKind.PLAY:
        return _play(state, _pressed)
    if track.next is None:
        return close_question(state)
    if _would_skip(state) and not state.is_skip_armed:
        return Step(state=replace(state, skip_until_s=state.now_s + TWICE_S))
    return enter(_disarmed(state), track.cue + 1)


def _would_skip(state: SittingState) -> bool:
    """Tell whether the next step lies behind video that nobody has watched."""
    track = state.track
    following = track.next
    if not track.has_video or following is None:
        return False
    until_s = following.at_s
    if until_s is None:
        if track.now.kind is not CueKind.PLAY:
            return False
        until_s = track.duration_s
    return unwatched_s(track.watched, track.position_s, until_s) > NEAR_S


def _turns_pages(track: Track) -> bool:
    shows = track.showing in (Showing.PAGES, Showing.BESIDE)
    return shows and track.document < len(track.pages)


def _turned(state: SittingState, page: int) -> Step:
    return Step(state=with_track(state, replace(state.track, page=page)))


def _back(state: SittingState, _pressed: Press) -> Step:
    track = state.track
    if state.question is None and _turns_pages(track) and track.page > 0:
        return _turned(state, track.page - 1)
    if track.cue == 0:
        return close_question(state)
    return enter(state, track.cue - 1)


def _covering(overlay: Overlay) -> Callable[[SittingState, Press], Step]:
    def toggle(state: SittingState, _pressed: Press) -> Step:
        if state.overlay is overlay:
            lifted = replace(state, overlay=Overlay.NONE, was_playing=False)
            return play(lifted) if state.was_playing else Step(state=lifted)
        is_playing = state.phase is Phase.PLAYING
        step = pause(state) if is_playing else Step(state=state)
        was = state.was_playing if state.overlay is not Overlay.NONE else False
        covered = replace(step.state, overlay=overlay, was_playing=is_playing or was)
        return replace(step, state=covered)

    return toggle


def _end(state: SittingState, _pressed: Press) -> Step:
    step = close_question(state)
    if state.phase is Phase.PLAYING:
        step = step.then(pause(step.state))
    return Step(state=moved(step.state, Phase.ENDED), effects=(*step.effects, Finished()))


# --- within the video --------------------------------------------------------------------


def _seeking(direction: float) -> Callable[[SittingState, Press], Step]:
    def by(state: SittingState, _pressed: Press) -> Step:
        track = state.track
        if not track.has_video:
            return Step(state=state)
        goes_on = state.now_s < state.seek_until_s
        origin_s = state.seek_origin_s if goes_on else track.position_s
        sum_s = (state.seek_sum_s if goes_on else 0.0) + direction * STEP_S
        step = _seek_to(state, Press(key=Key.SEEK_TO, n=origin_s + sum_s))
        adding = replace(
            step.state,
            seek_sum_s=sum_s,
            seek_origin_s=origin_s,
            seek_until_s=state.now_s + ADD_UP_S,
        )
        return replace(step, state=adding)

    return by


def _seek_to(state: SittingState, pressed: Press) -> Step:
    if not state.track.has_video:
        return Step(state=state)
    step = seek(state, pressed.n)
    track = step.state.track
    if track.now.kind in (CueKind.PLAY, CueKind.ASK):
        track = replace(track, cue=stretch_at(track, track.position_s))
    track = replace(track, paused_s=min(track.paused_s, track.position_s))
    done = replace(step, state=with_track(step.state, track))
    return done.add(Flush(track=state.on_stage))


def _rated(state: SittingState, rate: float) -> Step:
    if rate == state.rate:
        return Step(state=state)
    return Step(state=replace(state, rate=rate), effects=(SetRate(rate=rate),))


def _slower(state: SittingState, _pressed: Press) -> Step:
    return _rated(state, max((r for r in RATES if r < state.rate), default=RATES[0]))


def _faster(state: SittingState, _pressed: Press) -> Step:
    return _rated(state, min((r for r in RATES if r > state.rate), default=RATES[-1]))


def _next_rate(state: SittingState, _pressed: Press) -> Step:
    return _rated(state, min((r for r in RATES if r > state.rate), default=RATES[0]))


def _loop(state: SittingState, _pressed: Press) -> Step:
    """Set A, then B, then end it. A stretch under a second is a slip and ends it too."""
    track = state.track
    begin_s, end_s = state.loop_begin_s, state.loop_end_s
    if not track.has_video:
        return Step(state=state)
    if begin_s is None:
        return Step(state=replace(state, loop_begin_s=track.position_s))
    if end_s is None and track.position_s >= begin_s + 1.0:
        looping = replace(state, loop_end_s=track.position_s)
        return Step(state=looping, effects=(SetLoop(begin_s=begin_s, end_s=track.position_s),))
    ended = replace(state, loop_begin_s=None, loop_end_s=None)
    return Step(state=ended, effects=(SetLoop(begin_s=None, end_s=None),))


# --- questions and heads -----------------------------------------------------------------


def _question(state: SittingState, _pressed: Press) -> Step:
    if state.question is not None:
        return close_question(state)
    step = pause(state)
    opened = replace(step.state, question=Question(), overlay=Overlay.NONE, was_playing=False)
    return replace(step, state=opened)


def _add(state: SittingState, pressed: Press) -> Step:
    question = state.question
    at = int(pressed.n)
    if question is None or not 0 <= at < len(question.counts):
        return Step(state=state)
    if question.is_naming:
        named = replace(question, right=at, is_naming=False, is_revealed=True)
        return Step(state=replace(state, question=named))
    return _counted(state, question, at, 1)


def _take(state: SittingState, pressed: Press) -> Step:
    question = state.question
    at = int(pressed.n)
    if question is None or not 0 <= at < len(question.counts):
        return Step(state=state)
    return _counted(state, question, at, -1)


def _counted(state: SittingState, question: Question, at: int, by: int) -> Step:
    counts = tuple(max(0, n + by) if i == at else n for i, n in enumerate(question.counts))
    return Step(state=replace(state, question=replace(question, counts=counts)))


def _answer(state: SittingState, _pressed: Press) -> Step:
    """Show the right choice, or ask for it first; a second press hides it again."""
    question = state.question
    if question is None:
        return Step(state=state)
    if question.right is None:
        changed = replace(question, is_naming=not question.is_naming)
    else:
        changed = replace(question, is_revealed=not question.is_revealed)
    return Step(state=replace(state, question=changed))


def _heads(by: int) -> Callable[[SittingState, Press], Step]:
    def touch(state: SittingState, pressed: Press) -> Step:
        at = state.on_stage if pressed.track is None else pressed.track
        track = state.tracks[at]
        heads = max(0, track.headcount + by)
        counted = replace(track, headcount=heads, is_counted=True)
        return Step(
            state=with_track(state, counted, at), effects=(Counted(track=at, headcount=heads),)
        )

    return touch


# --- timers, pages, two grades -----------------------------------------------------------


def _timer(state: SittingState, pressed: Press) -> Step:
    at = state.on_stage if pressed.track is None else pressed.track
    track = state.tracks[at]
    total_s = track.now.length_s if track.now.kind is not CueKind.PLAY else 0.0
    total_s = total_s or DEFAULT_TIMER_S
    timer = None if track.timer is not None else Timer(total_s=total_s, left_s=total_s)
    return Step(state=with_track(state, replace(track, timer=timer), at))


def _timer_more(state: SittingState, pressed: Press) -> Step:
    at = state.on_stage if pressed.track is None else pressed.track
    timer = state.tracks[at].timer or Timer(total_s=0.0, left_s=0.0)
    longer = Timer(total_s=timer.total_s + pressed.n, left_s=timer.left_s + pressed.n)
    return Step(state=with_track(state, replace(state.tracks[at], timer=longer), at))


def _timer_end(state: SittingState, pressed: Press) -> Step:
    at = state.on_stage if pressed.track is None else pressed.track
    return Step(state=with_track(state, replace(state.tracks[at], timer=None), at))


def _pages(state: SittingState, _pressed: Press) -> Step:
    """课件: instead of the video, then beside it, then away."""
    track = state.track
    if not track.documents:
        return Step(state=state)
    if track.showing is Showing.PAGES:
        after = Showing.BESIDE if track.has_video else Showing.BOARD
        return Step(state=with_track(state, replace(track, showing=after)))
    if track.showing is Showing.BESIDE:
        return Step(state=with_track(state, replace(track, showing=Showing.VIDEO)))
    return _show_document(state, document_for(track) or 0)


def _document(state: SittingState, pressed: Press) -> Step:
    """Show one document; pressed again, what the step wants."""
    track = state.track
    at = int(pressed.n)
    if not 0 <= at < len(track.documents):
        return Step(state=state)
    if track.showing is Showing.PAGES and track.document == at:
        step_wants = showing_for(track)
        if step_wants is Showing.PAGES:
            step_wants = Showing.VIDEO if track.has_video else Showing.BOARD
        return Step(state=with_track(state, replace(track, showing=step_wants)))
    return _show_document(state, at)


def _show_document(state: SittingState, at: int) -> Step:
    step = close_question(state)
    step = step.then(pause(step.state))
    track = step.state.track
    page = track.page if track.document == at else opening_page(track, at)
    shown = replace(track, showing=Showing.PAGES, document=at, page=page)
    return replace(step, state=with_track(step.state, shown))


def _step(state: SittingState, pressed: Press) -> Step:
    """Go to a step chosen from the list: choosing is meant, so nothing is asked."""
    at = int(pressed.n)
    if not 0 <= at < len(state.track.cues):
        return Step(state=state)
    return enter(state, at)


def _switch(state: SittingState, _pressed: Press) -> Step:
    """复式: the other grade gets the stage, this one a task with a timer."""
    if len(state.tracks) < 2:  # noqa: PLR2004 - two grades
        return Step(state=state)
    step = close_question(state)
    step = step.then(pause(step.state))
    leaving, arriving = step.state.on_stage, (step.state.on_stage + 1) % len(state.tracks)
    state = step.state
    if state.track.timer is None:
        task = Timer(total_s=DEFAULT_TASK_S, left_s=DEFAULT_TASK_S)
        state = with_track(state, replace(state.track, timer=task), leaving)
    state = with_track(state, replace(state.tracks[arriving], timer=None), arriving)
    state = replace(
        state,
        on_stage=arriving,
        overlay=Overlay.NONE,
        was_playing=False,
        loop_begin_s=None,
        loop_end_s=None,
        seek_until_s=float("-inf"),
    )
    return Step(state=state, effects=(*step.effects, Load(track=arriving)))


_TABLE: Final[Mapping[Key, Callable[[SittingState, Press], Step]]] = MappingProxyType(
    {
        Key.PLAY: _play,
        Key.HOLD: _hold,
        Key.AGAIN: _again,
        Key.NEXT: _next,
        Key.BACK: _back,
        Key.BLACK: _covering(Overlay.BLACK),
        Key.FREEZE: _covering(Overlay.FROZEN),
        Key.END: _end,
        Key.SEEK_BACK: _seeking(-1.0),
        Key.SEEK_ON: _seeking(1.0),
        Key.SEEK_TO: _seek_to,
        Key.SLOWER: _slower,
        Key.FASTER: _faster,
        Key.RATE: _next_rate,
        Key.LOOP: _loop,
        Key.SWITCH: _switch,
        Key.QUESTION: _question,
        Key.ADD: _add,
        Key.TAKE: _take,
        Key.ANSWER: _answer,
        Key.HEAD_MORE: _heads(1),
        Key.HEAD_LESS: _heads(-1),
        Key.HEAD_SAME: _heads(0),
        Key.TIMER: _timer,
        Key.TIMER_MORE: _timer_more,
        Key.TIMER_END: _timer_end,
        Key.PAGES: _pages,
        Key.DOCUMENT: _document,
        Key.STEP: _step,
    }
)
