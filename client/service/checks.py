"""One line of 体检, or of a banner: what was found, how bad it is, what helps."""

from dataclasses import dataclass
from enum import Enum


class CheckState(Enum):
    """How a check came out."""

    OK = "ok"
    ADVICE = "advice"
    """Works, but something could be better."""
    BAD = "bad"
    UNKNOWN = "unknown"


class Fix(Enum):
    """What the button beside a check does."""

    NONE = "none"
    BACK_UP = "back_up"
    CHECK_FILES = "check_files"
    OPEN_TRANSFER = "open_transfer"
    OPEN_SETTINGS = "open_settings"
    SEND = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line: `doctor.<code>_<variant>` is what it says, with the values."""

    code: str
    state: CheckState
    variant: str
    values: tuple[tuple[str, str | int], ...] = ()
    fix: Fix = Fix.NONE


def make_check(code: str, state: CheckState, variant: str, **values: str | int) -> Check:
    """Make a check whose values are given by name."""
    return Check(code=code, state=state, variant=variant, values=tuple(values.items()))
