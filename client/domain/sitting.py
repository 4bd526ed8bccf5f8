"""A class being taught: its state, the moves it may make and what time does to it.

Everything here is pure: `press` (in `client.domain.sitting_keys`) and `tick` take a state and
return a `Step`, the next state with the effects somebody has to carry out (drive the player,
write a fact). The service does that; the screen shows the state.

    READY ──▶ PLAYING ⇄ PAUSED ──▶ ENDED      (any of the three may end)

Invariants:
  SI1  The phase moves only along `LEGAL`, through `moved`; ENDED is final.
  SI2  Black and freeze pause, and a second press gives back exactly what was there.
  SI3  下一步 never passes video nobody has watched unless it is pressed twice in `TWICE_S`.
  SI4  Presses of ← → within `ADD_UP_S` of each other add up from where the first one was.
  SI5  `watched` is sorted, disjoint and inside the video; it holds only what really played.
  SI6  Counts and headcounts are never negative; a headcount is assumed until it was touched.
  SI7  再看一遍 never goes forward.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from client.domain.catalogue import Role
from client.domain.cues import Cue
from client.domain.ids import ClassId, LessonId

TWICE_S: Final = 3.0
ADD_UP_S: Final = 1.2
STEP_S: Final = 5.0
NEAR_S: Final = 2.0
"""Closer than this counts as being there."""
RATES: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
CHOICES: Final = 4

Intervals = tuple[tuple[float, float], ...]
"""Stretches of media time in seconds, sorted and disjoint."""


class Phase(Enum):
    """Where a class stands; persisted by name."""

    READY = "ready"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"


LEGAL: Final[Mapping[Phase, frozenset[Phase]]] = MappingProxyType(
    {
        Phase.READY: frozenset({Phase.PLAYING, Phase.PAUSED, Phase.ENDED}),
        Phase.PLAYING: frozenset({Phase.PAUSED, Phase.ENDED}),
        Phase.PAUSED: frozenset({Phase.PLAYING, Phase.ENDED}),
        Phase.ENDED: frozenset(),
    }
)


class Overlay(Enum):
    """What covers the stage."""

    NONE = "none"
    FROZEN = "frozen"
    BLACK = "black"


class Showing(Enum):
    """What the stage shows under question and overlay."""

    VIDEO = "video"
    PAGES = "pages"
    """A document instead of the video."""
    BESIDE = "beside"
    """Video and document side by side."""
    BOARD = "board"
    """The step's title and prompt: nothing else is here or wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A countdown. `left_s` stops at 0.0."""

    total_s: float
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question round. `right` is the index of the right choice once the teacher named it."""

    text: str = ""
    choices: tuple[str, ...] = ("",) * CHOICES
    counts: tuple[int, ...] = (0,) * CHOICES
    right: int | None = None
    is_naming: bool = False
    """显示答案 was asked for and the next choice key names the right one."""
    is_revealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one class does. A 复式 sitting has two, of which one is on the stage.

    `duration_s` is 0.0 without a video. `documents` are the roles of what can be shown page by
    page; `pages` their lengths, 0 until known; `opens_at` the pages at which they open, empty for
    the first of all. `cue` and `document` are indexes.
    """

    class_id: ClassId
    lesson: LessonId
    cues: tuple[Cue, ...]
    duration_s: float = 0.0
    documents: tuple[Role, ...] = ()
    pages: tuple[int, ...] = ()
    opens_at: tuple[int, ...] = ()
    cue: int = 0
    position_s: float = 0.0
    paused_s: float = 0.0
    """Where it was last paused or set to: one of the places 再看一遍 goes back to."""
    watched: Intervals = ()
    showing: Showing = Showing.BOARD
    document: int = 0
    page: int = 0
    headcount: int = 0
    is_counted: bool = False
    rounds: int = 0
    timer: Timer | None = None
    screen_s: float = 0.0
    """用屏: how long this class watched video or pages; black does not count."""

    @property
    def has_video(self) -> bool:
        """Tell whether there is a video to play."""
        return self.duration_s > 0

    @property
    def now(self) -> Cue:
        """The step the class is at."""
        return self.cues[self.cue]

    @property
    def next(self) -> Cue | None:
        """The step after it."""
        return self.cues[self.cue + 1] if self.cue + 1 < len(self.cues) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingState:
    """Everything a sitting is at one moment."""

    tracks: tuple[Track, ...]
    phase: Phase = Phase.READY
    overlay: Overlay = Overlay.NONE
    was_playing: bool = False
    """Whether lifting the overlay plays on."""
    on_stage: int = 0
    question: Question | None = None
    rate: float = 1.0
    loop_begin_s: float | None = None
    loop_end_s: float | None = None
    seek_sum_s: float = 0.0
    seek_origin_s: float = 0.0
    seek_until_s: float = float("-inf")
    skip_until_s: float = float("-inf")
    """Until then a second 下一步 passes unwatched video."""
    now_s: float = 0.0
    """Monotonic time of the last step."""

    @property
    def track(self) -> Track:
        """The track on the stage."""
        return self.tracks[self.on_stage]

    @property
    def is_skip_armed(self) -> bool:
        """Tell whether 下一步 waits for its second press."""
        return self.now_s < self.skip_until_s

    @property
    def seek_shown_s(self) -> float:
        """The figure to show after ← or →, 0.0 when there is none."""
        return self.seek_sum_s if self.now_s < self.seek_until_s else 0.0


# --- effects -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Let the player run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Hold the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seek:
    """Set the player to a media time."""

    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRate:
    """Change the speed."""

    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLoop:
    """Repeat from A to B; None ends it."""

    begin_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Open the video of another track at its position, paused."""

    track: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """Write what was watched until now."""

    track: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CueReached:
    """A step began."""

    track: int
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundClosed:
    """A question round ended with these counts."""

    track: int
    round: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The headcount was touched."""

    track: int
    headcount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeUp:
    """The countdown of a track reached zero."""

    track: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The class is over."""


Effect = (
    Play
    | Pause
    | Seek
    | SetRate
    | SetLoop
    | Load
    | Flush
    | CueReached
    | RoundClosed
    | Counted
    | TimeUp
    | Finished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next state and what has to be done for it, in order."""

    state: SittingState
    effects: tuple[Effect, ...] = ()

    def then(self, other: "Step") -> "Step":
        """Join a later step to this one."""
        return Step(state=other.state, effects=self.effects + other.effects)

    def add(self, *effects: Effect) -> "Step":
        """Append effects."""
        return replace(self, effects=self.effects + effects)


# --- the one setter and small tools ------------------------------------------------------


def moved(state: SittingState, phase: Phase) -> SittingState:
    """Change the phase. The only place that does.

    Raises:
        AssertionError: The move is not in `LEGAL`: a bug of the caller.
    """
    if phase is state.phase:
        return state
    if phase not in LEGAL[state.phase]:
        raise AssertionError(f"a sitting cannot go from {state.phase.name} to {phase.name}")
    return replace(state, phase=phase)


def with_track(state: SittingState, track: Track, index: int | None = None) -> SittingState:
    """Exchange a track, by default the one on the stage."""
    at = state.on_stage if index is None else index
    tracks = (*state.tracks[:at], track, *state.tracks[at + 1 :])
    return replace(state, tracks=tracks)


def add_interval(watched: Intervals, begin_s: float, end_s: float) -> Intervals:
    """Join a stretch to what was watched; gaps under 0.3 s close (one tick of the screen)."""
    if end_s <= begin_s:
        return watched
    before = [span for span in watched if span[1] < begin_s - 0.3]
    after = [span for span in watched if span[0] > end_s + 0.3]
    inside = [span for span in watched if span not in before and span not in after]
    begin = min([begin_s, *(span[0] for span in inside)])
    end = max([end_s, *(span[1] for span in inside)])
    return (*before, (begin, end), *after)


def unwatched_s(watched: Intervals, begin_s: float, end_s: float) -> float:
    """Tell how many seconds between two media times were never shown."""
    seen = sum(max(0.0, min(end, end_s) - max(begin, begin_s)) for begin, end in watched)
    return max(0.0, end_s - begin_s - seen)


def seconds(spans: Intervals) -> float:
    """Add up stretches."""
    return sum(end - begin for begin, end in spans)


def missing(watched: Intervals, known: Intervals) -> Intervals:
    """Cut `known` out of `watched`: what is still to be written."""
    left = list(watched)
    for begin, end in known:
        cut = [((b, min(e, begin)), (max(b, end), e)) for b, e in left]
        left = [span for pair in cut for span in pair if span[1] > span[0]]
    return tuple(left)
