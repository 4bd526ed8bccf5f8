"""Lights and lesson states (client.domain.availability): the light is honest (P9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import (
    Decodes,
    LessonState,
    Light,
    PartFacts,
    PartState,
    lesson_state,
    light,
)

facts = st.builds(
    PartFacts,
    is_video=st.booleans(),
    state=st.sampled_from(PartState),
    decodes=st.sampled_from(Decodes),
)
HERE = PartFacts(is_video=False, state=PartState.PRESENT)
PLAYS = PartFacts(is_video=True, state=PartState.PRESENT, decodes=Decodes.YES)
UNPROBED = PartFacts(is_video=True, state=PartState.PRESENT)
BROKEN = PartFacts(is_video=True, state=PartState.PRESENT, decodes=Decodes.NO)
LOCKED = PartFacts(is_video=True, state=PartState.PROTECTED)
COMING = PartFacts(is_video=True, state=PartState.FETCHING)
MISSING = PartFacts(is_video=False, state=PartState.ABSENT)
GONE = PartFacts(is_video=False, state=PartState.WITHDRAWN)


@given(st.lists(facts, max_size=5))
def test_green_only_when_every_part_is_here_and_every_video_decoded(parts):
    green = light(parts) is Light.READY
    assert green == (lesson_state(parts) is LessonState.READY)
    assert green == (
        bool(parts)
        and all(
            p.state is PartState.PRESENT and (not p.is_video or p.decodes is Decodes.YES)
            for p in parts
        )
    )


@given(st.lists(facts, max_size=5))
def test_red_exactly_when_nothing_can_be_shown(parts):
    assert (light(parts) is Light.NOT_READY) == (not any(p.is_usable for p in parts))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((PLAYS, HERE), Light.READY),
        ((UNPROBED, HERE), Light.PARTIAL),
        ((COMING, HERE), Light.PARTIAL),
        ((PLAYS, MISSING), Light.PARTIAL),
        ((LOCKED, HERE), Light.WITHOUT_VIDEO),
        ((BROKEN, HERE), Light.WITHOUT_VIDEO),
        ((LOCKED, HERE, MISSING), Light.PARTIAL),
        ((LOCKED, PLAYS, HERE), Light.PARTIAL),
        ((LOCKED,), Light.NOT_READY),
        ((), Light.NOT_READY),
    ],
)
def test_the_table_of_lights(parts, expected):
    assert light(parts) is expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), LessonState.ABSENT),
        ((MISSING,), LessonState.ABSENT),
        ((COMING, GONE), LessonState.ABSENT),
        ((LOCKED, GONE), LessonState.PROTECTED),
        ((GONE, GONE), LessonState.WITHDRAWN),
        ((LOCKED, HERE), LessonState.PARTIAL),
        ((PLAYS, HERE), LessonState.READY),
    ],
)
def test_the_table_of_lesson_states(parts, expected):
    assert lesson_state(parts) is expected
