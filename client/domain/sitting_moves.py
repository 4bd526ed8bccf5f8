"""Moves that keys and time share, and what time does to a sitting (pure).

`tick` and `client.domain.sitting_keys.press` are the two ways a sitting changes; the invariants
SI1 to SI7 are those of `client.domain.sitting`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from client.domain.catalogue import Role
from client.domain.cues import Cue, CueKind
from client.domain.sitting import (
    CueReached,
    Effect,
    Flush,
    Overlay,
    Pause,
    Phase,
    Play,
    RoundClosed,
    Seek,
    Showing,
    SittingState,
    Step,
    TimeUp,
    Track,
    add_interval,
    moved,
    with_track,
)

ARRIVED_S: Final = 0.5
"""A step's beginning this near needs no seek."""


def opening(tracks: tuple[Track, ...], *, now_s: float = 0.0) -> SittingState:
    """Make the state of a class about to start: each track shows what its step needs."""
    ready = tuple(replace(track, showing=showing_for(track)) for track in tracks)
    return SittingState(tracks=ready, now_s=now_s)


_ROLE_OF: Final[Mapping[CueKind, Role]] = MappingProxyType(
    {
        CueKind.SLIDES: Role.SLIDES,
        CueKind.TASK: Role.TASK,
        CueKind.ACTIVITY: Role.EXERCISE,
        CueKind.TEXTBOOK: Role.TEXTBOOK,
    }
)


def document_for(track: Track) -> int | None:
    """Find the document that belongs to the present step."""
    role = _ROLE_OF.get(track.now.kind)
    found = [at for at, one in enumerate(track.documents) if one is role]
    return found[min(track.now.nth, len(found) - 1)] if found else None


def opening_page(track: Track, document: int) -> int:
    """Tell at which page a document opens."""
    return track.opens_at[document] if document < len(track.opens_at) else 0


def showing_for(track: Track) -> Showing:
    """Choose what the stage shows when the present step begins."""
    if track.now.kind in (CueKind.PLAY, CueKind.ASK) and track.has_video:
        return Showing.VIDEO
    if document_for(track) is not None:
        return Showing.PAGES
    return Showing.BOARD


def stretch_at(track: Track, position_s: float) -> int:
    """Find the played step that a media time lies in; the present step if there is none."""
    found = track.cue
    for index, cue in enumerate(track.cues):
        if cue.kind is CueKind.PLAY and cue.at_s is not None and cue.at_s <= position_s + 0.05:
            found = index
    return found if track.cues[found].kind is CueKind.PLAY else track.cue


def stop_at_s(state: SittingState) -> float | None:
    """Tell where the video stops by itself: the next step that is not played, if it has a time."""
    following = state.track.next
    if following is None or following.at_s is None or following.kind is CueKind.PLAY:
        return None
    return following.at_s if following.at_s > 0 else None


# --- moves shared by keys and time -------------------------------------------------------


def play(state: SittingState) -> Step:
    """Let the video run: lifts the overlay and brings the video back."""
    track = state.track
    if not track.has_video:
        return Step(state=replace(moved(state, Phase.PAUSED), overlay=Overlay.NONE))
    showing = track.showing if track.showing is Showing.BESIDE else Showing.VIDEO
    state = with_track(state, replace(track, showing=showing))
    state = replace(moved(state, Phase.PLAYING), overlay=Overlay.NONE, was_playing=False)
    return Step(state=state, effects=(Play(),))


def pause(state: SittingState) -> Step:
    """Hold the video and write what was watched."""
    if state.phase is not Phase.PLAYING:
        return Step(state=moved(state, Phase.PAUSED))
    track = replace(state.track, paused_s=state.track.position_s)
    state = moved(with_track(state, track), Phase.PAUSED)
    return Step(state=state, effects=(Pause(), Flush(track=state.on_stage)))


def seek(state: SittingState, to_s: float) -> Step:
    """Set the video to a media time, clamped."""
    track = state.track
    to_s = min(max(0.0, to_s), max(0.0, track.duration_s - 0.1))
    track = replace(track, position_s=to_s)
    return Step(state=with_track(state, track), effects=(Seek(to_s=to_s),))


def close_question(state: SittingState) -> Step:
    """End a question round; a round in which nobody was counted leaves no trace."""
    question = state.question
    if question is None:
        return Step(state=state)
    state = replace(state, question=None)
    if not any(question.counts):
        return Step(state=state)
    track = replace(state.track, rounds=state.track.rounds + 1)
    closed = RoundClosed(track=state.on_stage, round=track.rounds, counts=question.counts)
    return Step(state=with_track(state, track), effects=(closed,))


def enter(state: SittingState, index: int) -> Step:
    """Begin a step of the track on stage: pause or play as its kind wants."""
    step = close_question(state)
    state = replace(step.state, overlay=Overlay.NONE, was_playing=False)
    track = replace(state.track, cue=index)
    track = replace(track, showing=showing_for(track))
    document = document_for(track)
    if document is not None and document != track.document:
        track = replace(track, document=document, page=opening_page(track, document))
    step = Step(state=with_track(state, track), effects=step.effects)
    step = step.add(CueReached(track=state.on_stage, ordinal=track.now.ordinal))
    is_played = track.now.kind is CueKind.PLAY and track.has_video
    if not is_played:
        step = step.then(pause(step.state))
    at_s = track.now.at_s
    if track.has_video and at_s is not None and abs(at_s - track.position_s) > ARRIVED_S:
        step = step.then(seek(step.state, at_s))
        arrived = replace(step.state.track, paused_s=at_s)
        step = replace(step, state=with_track(step.state, arrived))
    return step.then(play(step.state)) if is_played else step


# --- time --------------------------------------------------------------------------------


def tick(state: SittingState, position_s: float | None, now_s: float) -> Step:
    """Let time pass.

    Args:
        state: What was.
        position_s: Media time of the picture on stage; None while the player is on its way
            to another place, so that stale positions move nothing.
        now_s: Monotonic seconds; never steps back.
    """
    if state.phase is Phase.ENDED:
        return Step(state=state)
    passed_s = min(max(0.0, now_s - state.now_s), 2.0)
    state = replace(state, now_s=max(now_s, state.now_s))
    state = _watch(state, position_s, passed_s)
    state, effects = _run_timers(state, passed_s)
    step = Step(state=state, effects=effects)
    if state.phase is Phase.PLAYING and position_s is not None:
        step = step.then(_follow_cues(step.state))
    return step


def _watch(state: SittingState, position_s: float | None, passed_s: float) -> SittingState:
    """Note what was shown since the last step."""
    track = state.track
    is_playing = state.phase is Phase.PLAYING
    on_screen = is_playing or (
        track.showing is Showing.PAGES
        and state.phase is Phase.PAUSED
        and state.overlay is not Overlay.BLACK
    )
    if on_screen:
        track = replace(track, screen_s=track.screen_s + passed_s)
    if position_s is not None and track.has_video:
        position_s = min(max(0.0, position_s), track.duration_s)
        gone_s = position_s - track.position_s
        # A loop or a late answer of the player is no watching: only a step forward that
        # fits the time that passed counts.
        if is_playing and 0 < gone_s <= passed_s * state.rate * 1.5 + 0.5:
            watched = add_interval(track.watched, track.position_s, position_s)
            track = replace(track, watched=watched)
        track = replace(track, position_s=position_s)
    return with_track(state, track)


def _run_timers(state: SittingState, passed_s: float) -> tuple[SittingState, tuple[Effect, ...]]:
    effects: list[Effect] = []
    for index, track in enumerate(state.tracks):
        timer = track.timer
        if timer is None or timer.left_s <= 0:
            continue
        left_s = max(0.0, timer.left_s - passed_s)
        changed = replace(track, timer=replace(timer, left_s=left_s))
        state = with_track(state, changed, index)
        if left_s <= 0:
            effects.append(TimeUp(track=index))
    return state, tuple(effects)


def _follow_cues(state: SittingState) -> Step:
    """Move on to the next step when the video reaches it, or hold where it ends."""
    track = state.track
    following = track.next
    if following is not None and following.at_s is not None:
        is_stretch = track.now.at_s is not None and track.now.kind is CueKind.PLAY
        if is_stretch and track.position_s >= following.at_s - 0.02:
            return _arrive(state, following)
    if track.position_s >= track.duration_s - 0.15:
        return pause(state)
    return Step(state=state)


def _arrive(state: SittingState, following: Cue) -> Step:
    if following.kind is not CueKind.PLAY:
        return enter(state, state.track.cue + 1)
    track = replace(state.track, cue=state.track.cue + 1)
    return Step(
        state=with_track(state, track),
        effects=(
            Flush(track=state.on_stage),
            CueReached(track=state.on_stage, ordinal=following.ordinal),
        ),
    )
