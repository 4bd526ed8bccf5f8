"""Cancel tokens, clocks, default cue sheets, catalogue values."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.catalogue import (
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    display_title,
)
from client.domain.clock import FrozenClock, SystemClock
from client.domain.cues import CueKind, default_cues
from client.domain.errors import BusyError, Cancelled, RefusedError, UsageError
from client.domain.ids import LessonId, PartId, SourceId


def part(role: Role, period: int = -1, seconds: float = 0.0) -> Part:
    return Part(
        id=PartId(f"{role.value}{period}"),
        lesson=LessonId("l"),
        role=role,
        title="t",
        label="",
        position=0,
        period=period,
        duration_s=seconds,
    )


def lesson(*parts: Part) -> Lesson:
    return Lesson(
        id=LessonId("l"),
        source=SourceId("s"),
        kind=LessonKind.NATIONAL,
        title="t",
        place=Placement(),
        section_titles=("u", "v"),
        parts=parts,
    )


def test_a_cancelled_sleep_wakes_at_once():
    token = CancelToken()
    token.sleep(0)
    token.check()
    threading.Timer(0.01, token.cancel).start()
    with pytest.raises(Cancelled):
        token.sleep(60)
    assert token.is_cancelled
    with pytest.raises(Cancelled):
        token.check()


def test_clocks_only_move_forward():
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.boot_monotonic_ms() > 0
    assert clock.wall().tzinfo is not None
    frozen = FrozenClock()
    before = frozen.wall(), frozen.monotonic(), frozen.boot_monotonic_ms()
    frozen.advance(2.5)
    assert (frozen.wall() - before[0]).total_seconds() == 2.5
    assert frozen.monotonic() - before[1] == 2.5
    assert frozen.boot_monotonic_ms() - before[2] == 2500


@given(st.sets(st.sampled_from(Role)), st.floats(0, 4000))
def test_every_lesson_has_a_cue_sheet_whose_times_never_step_back(roles, seconds):
    parts = [part(role, seconds=seconds) for role in sorted(roles, key=lambda r: r.value)]
    cues = default_cues(lesson(*parts))
    assert [cue.ordinal for cue in cues] == list(range(1, len(cues) + 1))
    assert cues[-1].kind is CueKind.SUMMARY
    times = [cue.at_s for cue in cues if cue.at_s is not None]
    assert times == sorted(times)
    assert bool(times) == (Role.VIDEO in roles)
    assert all(at <= (seconds or 720) for at in times)


def test_a_cue_sheet_uses_only_the_parts_of_its_period():
    two = lesson(part(Role.VIDEO, 0), part(Role.TASK, 1))
    assert CueKind.PLAY in {cue.kind for cue in default_cues(two, 0)}
    assert CueKind.PLAY not in {cue.kind for cue in default_cues(two, 1)}
    assert CueKind.TASK in {cue.kind for cue in default_cues(two, 1)}


def test_a_part_is_protected_only_when_all_its_files_are():
    def remote(*, locked: bool, total: int = 0) -> RemoteFile:
        return RemoteFile(
            path="/a", urls=(), format="m3u8", flags=(), use=FileUse.RENDITION,
            size_bytes=5, total_bytes=total, is_protected=locked,
        )  # fmt: skip

    def holds(*files: RemoteFile) -> bool:
        return Part(
            id=PartId("p"), lesson=LessonId("l"), role=Role.VIDEO, title="", label="",
            position=0, period=0, files=files,
        ).is_protected  # fmt: skip

    assert holds(remote(locked=True))
    assert not holds(remote(locked=True), remote(locked=False))
    assert not holds()
    assert remote(locked=False, total=9).fetch_bytes == 9
    assert remote(locked=False).fetch_bytes == 5


def test_titles_are_folded_and_units_named():
    assert display_title(" a \n b　 c ") == "a b c"
    assert lesson().unit == "u"
    assert Lesson(
        id=LessonId("l"), source=SourceId("s"), kind=LessonKind.OTHER, title="", place=Placement()
    ).unit == ""  # fmt: skip


def test_errors_carry_codes_and_exit_codes():
    assert UsageError("x").exit_code == 2
    assert BusyError("busy", {"retry_after_s": 3}).retry_after_s == 3.0
    assert RefusedError("no", {"status": 404}).status == 404
    assert Cancelled().code == "cancelled"
    assert UsageError("x", {"a": 1}).values["a"] == 1
