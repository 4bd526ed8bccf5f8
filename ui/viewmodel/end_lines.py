"""What the end page says of one class. Pure."""

from dataclasses import dataclass

from client.domain.availability import Light
from client.domain.sitting import seconds
from client.service.sitting import SittingView

ALL_SEEN = 0.9
"""From this share on a video counts as watched to the end: nobody plays the credits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneLine:
    """One line: light, what, how far; message keys with values, `names` are keys to be listed."""

    light: Light
    text: str
    aside: str
    values: tuple[tuple[str, str | int | float], ...] = ()
    names: tuple[str, ...] = ()
    seen_s: float = 0.0
    total_s: float = 0.0


def done_lines(view: SittingView, index: int) -> tuple[DoneLine, ...]:
    """List what was done of a track, best first, and what is left."""
    lines = [_video_line(view, index)] if view.state.tracks[index].has_video else []
    lines += _step_lines(view, index)
    return tuple(lines)


def _video_line(view: SittingView, index: int) -> DoneLine:
    track = view.state.tracks[index]
    seen = seconds(track.watched)
    share = min(1.0, seen / track.duration_s)
    if seen < 1:
        return DoneLine(light=Light.NO_DEVICE, text="end.no_video", aside="")
    return DoneLine(
        light=Light.READY if share >= ALL_SEEN else Light.PARTIAL,
        text="end.video",
        aside="end.video.share",
        values=(("share", round(share * 100)),),
        seen_s=min(seen, track.duration_s),
        total_s=track.duration_s,
    )


def _step_lines(view: SittingView, index: int) -> list[DoneLine]:
    cues = view.state.tracks[index].cues
    reached = set(view.steps[index])
    been = [cue for cue in cues if cue.ordinal in reached]
    left = [cue for cue in cues if cue.ordinal not in reached]
    lines = []
    if been:
        lines.append(
            DoneLine(
                light=Light.READY if not left else Light.PARTIAL,
                text="end.steps",
                aside="end.steps.share",
                values=(("n", len(been)), ("total", len(cues))),
                names=tuple(cue.title for cue in been),
            )
        )
    if left:
        lines.append(
            DoneLine(
                light=Light.NO_DEVICE,
                text="end.left",
                aside="end.left.share",
                names=tuple(cue.title for cue in left),
            )
        )
    return lines
