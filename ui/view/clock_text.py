"""Times as people in a classroom read them. Pure."""

MINUS = "\u2212"


def media_time(seconds: float) -> str:
    """Write a media time with two figures each: `06:48`, `1:02:03`."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def countdown(seconds: float) -> str:
    """Write what is left of a countdown; a second that has begun counts whole."""
    return media_time(-(-max(0.0, seconds) // 1))


def signed(seconds: float) -> str:
    """Write the figure of a seek with its sign: `+5`, `-10` with a true minus."""
    return f"{MINUS if seconds < 0 else '+'}{abs(round(seconds))}"


def minutes(seconds: float) -> int:
    """Round to whole minutes, a begun one at least 1."""
    return max(1, round(seconds / 60)) if seconds > 0 else 0


def bell_time(minute_of_day: int) -> str:
    """Write a bell time: `09:20`."""
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"
