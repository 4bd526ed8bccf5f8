"""A class being taught: carries out what the pure machine decides (client.domain.sitting).

    press / tick ──▶ Step ──▶ effects ──▶ player thread · recorder
                          └─▶ view() (frozen)

Invariants:
  CL1  No call here waits: the player has its own thread, the recorder answers with futures.
  CL2  A fact that could not be written is a notice and is written again; teaching goes on.
  CL3  What was watched is written every `FLUSH_S` and at pause, step and end; the resume point
       every `RESUME_S` and whenever the class stops or the stage changes.
  CL4  Losing the stage pauses; finding it again changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from client.domain.clock import Clock
from client.domain.ids import SittingId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.resume import ResumePoint
from client.domain.sitting import (
    Counted,
    CueReached,
    Effect,
    Finished,
    Flush,
    Load,
    Pause,
    Phase,
    Play,
    RoundClosed,
    Seek,
    SetLoop,
    SetRate,
    SittingState,
    Step,
    Timer,
    TimeUp,
    Track,
    with_track,
)
from client.domain.sitting_keys import Key, Press, press
from client.domain.sitting_moves import opening, showing_for, tick
from client.media.port import FrameSink, Player
from client.service.api import Reason
from client.service.player_thread import PlayerThread
from client.service.sitting_port import (
    Notify,
    Recorder,
    SittingPlan,
    TrackPlan,
    Trouble,
    Written,
    cues_for,
)
from client.service.sitting_writer import SittingWriter, values_of

RESUME_S: Final = 5.0
FLUSH_S: Final = 300.0
SLIGHT_S: Final = 120.0
"""A class shorter than this without count, step or note is offered as 不算上课."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundView:
    """A question round that is over."""

    track: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingView:
    """Everything the screens show, at one moment."""

    state: SittingState
    plan: SittingPlan
    rounds: tuple[RoundView, ...] = ()
    steps: tuple[tuple[int, ...], ...] = ()
    """Ordinals of the steps each track has reached."""
    trouble: Trouble | None = None
    time_up: int | None = None
    """Track whose countdown just ended, until a key is pressed."""
    is_opening: bool = False
    """The player has not told yet what the file is."""
    is_slight: bool = False
    volume: int = 80

    @property
    def track(self) -> Track:
        """The track on the stage."""
        return self.state.track

    @property
    def track_plan(self) -> TrackPlan:
        """The plan of the track on the stage."""
        return self.plan.tracks[self.state.on_stage]


class Sitting:
    """One class from start to end. Call it from one thread (the GUI's).

    Args:
        plan: The classes and their lessons.
        recorder: Writes the facts.
        player: Makes the player; called on the player's own thread.
        clock: The program's clock.
        on_frame: Called with each picture on the player's threads; it may only post.
        on_change: Called on any thread when `tick` should be called soon; it may only post.
    """

    def __init__(
        self,
        plan: SittingPlan,
        recorder: Recorder,
        player: Callable[[], Player],
        clock: Clock,
        *,
        on_frame: FrameSink,
        on_change: Notify,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._began_s = clock.monotonic()
        self._player = PlayerThread(player, clock, on_frame, on_change)
        self._writer = SittingWriter(recorder, plan, clock, on_change)
        self._rounds: tuple[RoundView, ...] = ()
        self._steps: tuple[tuple[int, ...], ...] = tuple(() for _ in plan.tracks)
        self._trouble: Trouble | None = None
        self._time_up: int | None = None
        self._volume = 80
        self._saved_s = self._flushed_s = self._began_s
        tracks = tuple(_track_of(track) for track in plan.tracks)
        state = opening(tracks, now_s=self._began_s)
        self._state = replace(state, on_stage=min(plan.first, len(tracks) - 1))
        self._opened: int | None = None
        self._open_video(self._state.on_stage)

    # --- what the screens ask and say -------------------------------------------------

    def view(self) -> SittingView:
        """Show everything as one frozen value."""
        return SittingView(
            state=self._state,
            plan=self._plan,
            rounds=self._rounds,
            steps=self._steps,
            trouble=self._writer.trouble or self._trouble,
            time_up=self._time_up,
            is_opening=self._opened is not None and self._player.facts is None,
            is_slight=self._is_slight(),
            volume=self._volume,
        )

    def press(self, key: Key, n: float = 0.0, track: int | None = None) -> None:
        """Answer a key."""
        self.tick()
        self._time_up = None
        self._take(press(self._state, Press(key=key, n=n, track=track)))

    def tick(self) -> None:
        """Let time pass; call it about ten times a second and when something changed."""
        self._hear_player()
        now_s = self._clock.monotonic()
        self._take(tick(self._state, self._player.position_s, now_s))
        if self._player.has_ended and self._state.phase is Phase.PLAYING:
            # The last picture may lie well before the end of the sound.
            ended = replace(self._state.track, position_s=self._state.track.duration_s)
            self._state = with_track(self._state, ended)
            self._take(press(self._state, Press(key=Key.HOLD)))
        if self._state.phase is Phase.ENDED:
            return
        if now_s - self._flushed_s >= FLUSH_S:
            self._flush_all(now_s)
        if now_s - self._saved_s >= RESUME_S:
            self._save(now_s)
        self._writer.write_again(now_s)

    def set_volume(self, percent: int) -> None:
        """Change the loudness, 0 to 100."""
        self._volume = max(0, min(100, percent))
        self._player.set_volume(self._volume)

    def pages_known(self, track: int, document: int, pages: int) -> None:
        """Tell how many pages a document has, once the screen has opened it."""
        one = self._state.tracks[track]
        counts = (*one.pages[:document], pages, *one.pages[document + 1 :])
        page = min(one.page, max(0, pages - 1)) if one.document == document else one.page
        self._state = with_track(self._state, replace(one, pages=counts, page=page), track)

    def stage_lost(self) -> float:
        """Pause because pupils see nothing any more (CL4). Gives the place it stopped at."""
        self.press(Key.HOLD)
        self._save(self._clock.monotonic())
        return self._state.track.position_s

    # --- the end page -----------------------------------------------------------------

    def note(self, text: str) -> None:
        """Write the line about the class; a later one takes its place."""
        for index in range(len(self._plan.tracks)):
            self._writer.note(index, text)

    def understood(self, track: int, level: Understood) -> None:
        """Write how much of a class understood."""
        self._writer.understood(track, level)

    def taught_by(self, who: TaughtBy) -> None:
        """Write who taught."""
        for index in range(len(self._plan.tracks)):
            self._writer.taught_by(index, who)

    def counted(self, track: int, by: int) -> None:
        """Touch a headcount after the end, when keys do nothing any more."""
        one = self._state.tracks[track]
        heads = max(0, one.headcount + by)
        changed = replace(one, headcount=heads, is_counted=True)
        self._state = with_track(self._state, changed, track)
        self._writer.headcount(track, heads)

    def finish(self, how: Ended) -> tuple[Written, ...]:
        """Close the record of every track. The futures are done when it is durable."""
        if self._state.phase is not Phase.ENDED:
            self.press(Key.END)
        return tuple(
            self._writer.end(index, how, round(track.screen_s))
            for index, track in enumerate(self._state.tracks)
        )

    def close(self) -> None:
        """Free the player. What was watched and where it stands is written first."""
        if self._state.phase is not Phase.ENDED:
            self.tick()
            self._flush_all(self._clock.monotonic())
            self._save(self._clock.monotonic())
        self._player.close()

    @property
    def sittings(self) -> tuple[SittingId, ...]:
        """The sitting of each track in the record."""
        return self._writer.sittings

    # --- carrying out -----------------------------------------------------------------

    def _take(self, step: Step) -> None:
        self._state = step.state
        for effect in step.effects:
            self._act(effect)

    def _act(self, effect: Effect) -> None:
        match effect:
            case Play() | Pause() | Seek() | SetRate() | SetLoop() | Load():
                self._drive(effect)
            case Flush(track=track):
                self._flush(track)
            case CueReached(track=track, ordinal=ordinal):
                self._reach(track, ordinal)
            case RoundClosed(track=track, round=number, counts=counts):
                self._rounds = (*self._rounds, RoundView(track=track, counts=counts))
                self._writer.question(track, number, counts)
            case Counted(track=track, headcount=heads):
                self._writer.headcount(track, heads)
            case TimeUp(track=track):
                self._time_up = track
            case Finished():
                self._flush_all(self._clock.monotonic())
                self._save(self._clock.monotonic())

    def _drive(self, effect: Play | Pause | Seek | SetRate | SetLoop | Load) -> None:
        match effect:
            case Play():
                self._player.play()
            case Pause():
                self._player.pause()
                self._save(self._clock.monotonic())
            case Seek(to_s=to_s):
                self._player.seek(to_s)
            case SetRate(rate=rate):
                self._player.set_rate(rate)
            case SetLoop(begin_s=begin_s, end_s=end_s):
                self._player.loop(begin_s, end_s)
            case Load(track=track):
                self._open_video(track)

    def _reach(self, track: int, ordinal: int) -> None:
        reached = self._steps[track]
        self._writer.cue(track, ordinal)
        if ordinal not in reached:
            steps = (*self._steps[:track], (*reached, ordinal), *self._steps[track + 1 :])
            self._steps = steps

    def _open_video(self, track: int) -> None:
        self._save(self._clock.monotonic())
        video = self._plan.tracks[track].video
        if video is None or video.path is None:
            self._opened = None
            return
        self._opened = track
        self._player.open(video.path, self._state.tracks[track].position_s)
        self._player.loop(None, None)
        self._player.set_volume(self._volume)
        self._player.set_rate(self._state.rate)

    def _hear_player(self) -> None:
        """Learn the file's real length, or that it cannot be played here."""
        if self._opened is None:
            return
        track = self._state.tracks[self._opened]
        error = self._player.error
        if error is not None:
            reason = Reason(code=error.code, values=values_of(error))
            self._trouble = Trouble(reason=reason, at_s=self._clock.monotonic())
            mute = replace(track, duration_s=0.0)
            self._state = with_track(
                self._state, replace(mute, showing=showing_for(mute)), self._opened
            )
            if self._state.phase is Phase.PLAYING:
                self._take(press(self._state, Press(key=Key.HOLD)))
            self._opened = None
            return
        facts = self._player.facts
        if facts is not None and facts.duration_s > 0 and facts.duration_s != track.duration_s:
            measured = self._measured(self._opened, facts.duration_s)
            self._state = with_track(self._state, measured, self._opened)

    def _measured(self, index: int, duration_s: float) -> Track:
        """Take the real length; steps that were planned by a wrong one move with it."""
        track, plan = self._state.tracks[index], self._plan.tracks[index]
        was_guess = abs(track.duration_s - duration_s) > 1.0
        if was_guess and not plan.cues and not self._steps[index]:
            track = replace(track, cues=cues_for(plan, video_s=duration_s))
        return replace(track, duration_s=duration_s)

    def _is_slight(self) -> bool:
        is_short = self._clock.monotonic() - self._began_s < SLIGHT_S
        touched = any(track.is_counted for track in self._state.tracks)
        went_on = any(len(steps) > 1 for steps in self._steps)
        resumed = any(track.resume is not None for track in self._plan.tracks)
        return is_short and not (touched or went_on or resumed or self._rounds)

    # --- writing ----------------------------------------------------------------------

    def _flush(self, index: int) -> None:
        self._writer.watched(index, self._state.tracks[index].watched)

    def _flush_all(self, now_s: float) -> None:
        self._flushed_s = now_s
        for index in range(len(self._state.tracks)):
            self._flush(index)

    def _save(self, now_s: float) -> None:
        self._saved_s = now_s
        for index, track in enumerate(self._state.tracks):
            is_playing = self._state.phase is Phase.PLAYING and index == self._state.on_stage
            self._writer.save(index, track, is_playing=is_playing)


def _track_of(plan: TrackPlan) -> Track:
    cues = plan.sheet()
    video = plan.video
    documents = plan.documents
    track = Track(
        class_id=plan.class_id,
        lesson=plan.lesson.row.id,
        cues=cues,
        duration_s=(video.duration_s or 1.0) if video is not None else 0.0,
        documents=tuple(part.role for part in documents),
        pages=tuple(part.pages for part in documents),
        opens_at=tuple(plan.opens_at(part) for part in documents),
        page=plan.opens_at(documents[0]) if documents else 0,
        headcount=plan.headcount,
        watched=plan.watched,
    )
    point = plan.resume or plan.start
    if point is None:
        return track
    return replace(
        track,
        cue=min(point.cue, len(cues) - 1),
        position_s=point.position_s,
        paused_s=point.position_s,
        page=point.page if point.page >= 0 else track.page,
        timer=_timer_of(point),
    )


def _timer_of(point: ResumePoint) -> Timer | None:
    for timer in point.timers:
        return Timer(total_s=timer.total_s, left_s=timer.left_s)
    return None


class SittingService:
    """Opens sittings with the recorder and player of this machine.

    Args:
        recorder: Writes the facts.
        player: Makes a player; called on the sitting's own player thread.
        clock: The program's clock.
    """

    def __init__(self, recorder: Recorder, player: Callable[[], Player], clock: Clock) -> None:
        self._recorder = recorder
        self._player = player
        self._clock = clock

    def start(self, plan: SittingPlan, on_frame: FrameSink, on_change: Notify) -> Sitting:
        """Begin or go on with a class (the sinks: see `Sitting`)."""
        return Sitting(
            plan,
            self._recorder,
            self._player,
            self._clock,
            on_frame=on_frame,
            on_change=on_change,
        )
