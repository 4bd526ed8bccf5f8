"""What can be taught here and now: states of parts and lessons (DESIGN §3 and §6, P9).

A part is `present` only after its bytes were verified; a lesson is `ready` only when in
addition the first frames of its video were decoded on this machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class PartState(Enum):
    """State of one part or one rendition of it."""

    ABSENT = "absent"
    FETCHING = "fetching"
    PRESENT = "present"
    FAILED = "failed"
    PROTECTED = "protected"
    WITHDRAWN = "withdrawn"


class LessonState(Enum):
    """State of a lesson, folded from its parts."""

    READY = "ready"
    PARTIAL = "partial"
    ABSENT = "absent"
    PROTECTED = "protected"
    WITHDRAWN = "withdrawn"


class Trust(Enum):
    """How bytes earned the right to play (DESIGN §2, P2)."""

    ATTESTED = "attested"
    """They match a digest the publisher gave (signed edition, or its MD5 and size)."""
    OBSERVED = "observed"
    """No digest was given; length, count, container and a decode were checked, then hashed here."""


class Decodes(Enum):
    """What the probe found on this machine."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"


class Light(Enum):
    """The one readiness light of a card (UX §Principles 2)."""

    READY = "ready"
    PARTIAL = "partial"
    WITHOUT_VIDEO = "without_video"
    NOT_READY = "not_ready"
    DONE = "done"
    NO_DEVICE = "no_device"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """What the lights need to know of one part."""

    is_video: bool
    state: PartState
    decodes: Decodes = Decodes.UNKNOWN
    """Only asked of videos and audio."""

    @property
    def is_usable(self) -> bool:
        """Tell whether the part can be shown now."""
        if self.state is not PartState.PRESENT:
            return False
        return not self.is_video or self.decodes is Decodes.YES


def lesson_state(parts: Iterable[PartFacts]) -> LessonState:
    """Fold the states of a lesson's parts into the state of the lesson.

    Parts that can never come (protected, withdrawn) do not keep a lesson from being partial,
    but a lesson whose video is protected is never `ready`.
    """
    facts = tuple(parts)
    if not facts:
        return LessonState.ABSENT
    if all(fact.is_usable for fact in facts):
        return LessonState.READY
    if any(fact.is_usable for fact in facts):
        return LessonState.PARTIAL
    states = {fact.state for fact in facts}
    if states == {PartState.WITHDRAWN}:
        return LessonState.WITHDRAWN
    if states <= {PartState.PROTECTED, PartState.WITHDRAWN}:
        return LessonState.PROTECTED
    return LessonState.ABSENT


def light(parts: Iterable[PartFacts]) -> Light:
    """Choose the light of a lesson that has not been taught yet.

    | usable parts | video                    | light         |
    |--------------|--------------------------|---------------|
    | all          | -                        | READY         |
    | some         | usable, absent, fetching | PARTIAL       |
    | some         | can never play here      | WITHOUT_VIDEO |
    | none         | -                        | NOT_READY     |
    """
    facts = tuple(parts)
    if facts and all(fact.is_usable for fact in facts):
        return Light.READY
    if not any(fact.is_usable for fact in facts):
        return Light.NOT_READY
    videos = [fact for fact in facts if fact.is_video]
    never = {PartState.PROTECTED, PartState.WITHDRAWN}
    lost = [v for v in videos if v.state in never or v.decodes is Decodes.NO]
    rest = [fact for fact in facts if not fact.is_video or fact not in lost]
    if lost and len(lost) == len(videos) and all(fact.is_usable for fact in rest):
        return Light.WITHOUT_VIDEO
    return Light.PARTIAL
