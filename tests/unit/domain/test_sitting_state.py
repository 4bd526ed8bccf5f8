"""A sitting as a pure machine (SI1, SI2, SI3, SI4, SI5, SI6, SI7) and what teachers do with it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.catalogue import Role
from client.domain.cues import Cue, CueKind
from client.domain.ids import ClassId, LessonId
from client.domain.sitting import (
    Counted,
    CueReached,
    Finished,
    Load,
    Overlay,
    Pause,
    Phase,
    Play,
    RoundClosed,
    Seek,
    SetLoop,
    SetRate,
    Showing,
    SittingState,
    Step,
    TimeUp,
    Track,
    add_interval,
    moved,
    seconds,
    unwatched_s,
)
from client.domain.sitting_keys import Key, Press, press
from client.domain.sitting_moves import opening, stop_at_s, tick

TOTAL_S = 100.0


def cue(n, kind, at=None, length=60.0):
    return Cue(
        ordinal=n, kind=kind, title=f"cue.{n}", prompt=f"prompt.{n}", at_s=at, length_s=length
    )


CUES = (
    cue(1, CueKind.PLAY, 0.0),
    cue(2, CueKind.PLAY, 20.0),
    cue(3, CueKind.ASK, 70.0),
    cue(4, CueKind.PLAY, 70.0),
    cue(5, CueKind.SLIDES),
    cue(6, CueKind.TASK, length=480.0),
    cue(7, CueKind.SUMMARY),
)


def track(**over):
    values = {
        "class_id": ClassId("c3"),
        "lesson": LessonId("l1"),
        "cues": CUES,
        "duration_s": TOTAL_S,
        "documents": (Role.SLIDES, Role.TASK),
        "pages": (4, 2),
        "headcount": 13,
    }
    return Track(**(values | over))


def fresh(*tracks):
    return opening(tracks or (track(),))


class Run:
    """A class with a player that obeys at once."""

    def __init__(self, *tracks):
        self.state = fresh(*tracks)
        self.effects = []
        self.now = 0.0

    def _take(self, step: Step):
        self.state = step.state
        self.effects += step.effects
        return self

    def key(self, key, n=0.0, track=None):
        return self._take(press(self.state, Press(key=key, n=n, track=track)))

    def wait(self, seconds, dt=0.1):
        for _ in range(round(seconds / dt)):
            self.now += dt
            at = self.state.track.position_s
            if self.state.phase is Phase.PLAYING:
                at = min(TOTAL_S, at + dt * self.state.rate)
            self._take(tick(self.state, at, self.now))
        return self

    def of(self, kind):
        return [effect for effect in self.effects if isinstance(effect, kind)]


PRESSES = st.builds(
    Press,
    key=st.sampled_from([key for key in Key if key is not Key.END]),
    n=st.sampled_from([0.0, 1.0, 3.0, 5.0, 33.0, 90.0, -4.0]),
    track=st.none(),
)
STEPS = st.lists(st.one_of(PRESSES, st.floats(0.05, 6.0)), max_size=40)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_si1_si5_si6_hold_after_any_presses(steps):
    run = Run(track(), track(class_id=ClassId("c5"), lesson=LessonId("l2")))
    for what in steps:
        before = run.state
        if isinstance(what, Press):
            run.key(what.key, what.n, what.track)
        else:
            run.wait(what)
        state = run.state
        assert state.phase is before.phase or state.phase is not Phase.READY
        for one in state.tracks:
            assert one.headcount >= 0
            ends = [edge for span in one.watched for edge in span]
            assert ends == sorted(ends)
            assert all(0.0 <= edge <= TOTAL_S for edge in ends)
            assert 0 <= one.cue < len(CUES)
            assert 0 <= one.position_s <= TOTAL_S
            assert one.page < max(1, one.pages[one.document])
        if state.question is not None:
            assert min(state.question.counts) >= 0
            assert state.phase is not Phase.PLAYING
        if state.overlay is not Overlay.NONE:
            assert state.phase is not Phase.PLAYING


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_si1_after_the_end_nothing_moves(steps):
    run = Run()
    run.key(Key.PLAY).wait(3.0).key(Key.END)
    ended = run.state
    assert run.of(Finished)
    for what in steps:
        if isinstance(what, Press):
            run.key(what.key, what.n)
        else:
            run.wait(what)
    assert run.state == ended


def test_si1_an_illegal_move_is_a_bug():
    with pytest.raises(AssertionError):
        moved(replace(fresh(), phase=Phase.ENDED), Phase.PLAYING)


@given(st.sampled_from([Key.BLACK, Key.FREEZE]), st.floats(0.5, 30.0), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_si2_a_second_press_gives_back_what_was_there(key, seconds_in, is_playing, beside):
    run = Run()
    run.key(Key.PLAY).wait(seconds_in)
    if beside:
        run.key(Key.PAGES).key(Key.PAGES)
        assert run.state.track.showing is Showing.BESIDE
        if is_playing:
            run.key(Key.PLAY)
    elif not is_playing:
        run.key(Key.PLAY)
    before = run.state
    run.key(key)
    assert run.state.overlay.value in {"black", "frozen"}
    assert run.state.phase is Phase.PAUSED
    run.key(key)
    assert run.state.overlay is Overlay.NONE
    assert run.state.phase is before.phase
    assert run.state.track.showing is before.track.showing
    assert run.state.track.position_s == before.track.position_s


def test_si2_black_over_freeze_still_plays_on():
    run = Run().key(Key.PLAY).wait(2.0).key(Key.FREEZE).key(Key.BLACK).key(Key.BLACK)
    assert run.state.phase is Phase.PLAYING


@given(st.floats(0.3, 60.0))
@settings(max_examples=40, deadline=None)
def test_si3_one_press_never_skips_unwatched_video(seconds_in):
    run = Run().key(Key.PLAY).wait(seconds_in)
    at, step = run.state.track.position_s, run.state.track.cue
    boundary = CUES[step + 1].at_s
    run.key(Key.NEXT)
    if boundary - at > 2.0:
        assert run.state.track.cue == step
        assert run.state.is_skip_armed
        assert run.state.phase is Phase.PLAYING
        run.key(Key.NEXT)
    assert run.state.track.cue == step + 1


def test_si3_a_late_second_press_is_a_first_press():
    run = Run().key(Key.PLAY).wait(1.0).key(Key.NEXT).wait(3.5).key(Key.NEXT)
    assert run.state.track.cue == 0
    assert run.state.is_skip_armed


def test_si3_another_key_between_disarms():
    run = Run().key(Key.PLAY).wait(1.0).key(Key.NEXT).key(Key.BLACK).key(Key.BLACK).key(Key.NEXT)
    assert run.state.track.cue == 0


def test_si3_what_was_watched_may_be_skipped_at_once():
    run = Run().key(Key.PLAY).wait(25.0).key(Key.SEEK_TO, 3.0).key(Key.NEXT)
    assert run.state.track.cue == 1


@given(st.integers(1, 6), st.floats(0.0, 90.0), st.sampled_from([Key.SEEK_BACK, Key.SEEK_ON]))
@settings(max_examples=60, deadline=None)
def test_si4_quick_presses_add_up_and_show_the_sum(presses, start, key):
    run = Run().key(Key.PLAY).key(Key.SEEK_TO, start)
    sign = -1 if key is Key.SEEK_BACK else 1
    for _ in range(presses):
        run.key(key)
    expected = min(max(0.0, start + sign * 5.0 * presses), TOTAL_S - 0.1)
    assert run.state.seek_shown_s == sign * 5.0 * presses
    assert run.of(Seek)[-1].to_s == pytest.approx(expected)


def test_si4_the_figure_goes_away_and_a_later_press_begins_again():
    run = Run().key(Key.PLAY).wait(30.0).key(Key.SEEK_BACK).key(Key.SEEK_BACK)
    assert run.state.seek_shown_s == -10.0
    run.wait(2.0)
    assert run.state.seek_shown_s == 0.0
    run.key(Key.SEEK_BACK)
    assert run.state.seek_shown_s == -5.0


@given(st.lists(st.tuples(st.floats(0, 90), st.floats(0.1, 10)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_si5_intervals_join_into_what_a_set_of_seconds_says(spans):
    watched = ()
    cells = set()
    for start, length in spans:
        begin, end = round(start, 1), round(start + length, 1)
        watched = add_interval(watched, begin, end)
        cells |= set(range(round(begin * 10), round(end * 10)))
    assert seconds(watched) >= len(cells) / 10 - 1e-6
    assert seconds(watched) <= len(cells) / 10 + 0.3 * len(spans) + 1e-6
    assert unwatched_s(watched, 0, 101) == pytest.approx(101 - seconds(watched))


def test_si5_a_seek_is_no_watching_and_a_stale_position_moves_nothing():
    run = Run().key(Key.PLAY).wait(5.0).key(Key.SEEK_TO, 50.0)
    run.state = tick(run.state, None, run.now + 0.1).state
    assert run.state.track.position_s == 50.0
    run.wait(2.0)
    assert [tuple(round(edge) for edge in span) for span in run.state.track.watched] == [
        (0, 5),
        (50, 52),
    ]


def test_si5_a_jump_that_does_not_fit_the_time_that_passed_is_no_watching():
    run = Run().key(Key.PLAY).wait(5.0)
    run.state = tick(run.state, 60.0, run.now + 0.1).state
    assert run.state.track.position_s == 60.0
    assert seconds(run.state.track.watched) == pytest.approx(5.0, abs=0.2)


def test_si5_playing_fast_counts_all_of_it():
    run = Run().key(Key.PLAY)
    for _ in range(5):
        run.key(Key.FASTER)
    run.wait(10.0)
    assert run.state.rate == 2.0
    assert seconds(run.state.track.watched) == pytest.approx(20.0, abs=0.5)


def test_si6_heads_are_assumed_until_touched():
    run = Run()
    assert not run.state.track.is_counted
    run.key(Key.HEAD_SAME)
    assert run.state.track.is_counted
    assert run.of(Counted) == [Counted(track=0, headcount=13)]
    for _ in range(20):
        run.key(Key.HEAD_LESS)
    assert run.state.track.headcount == 0


@given(st.floats(0.0, 99.0), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_si7_again_never_goes_forward_and_gets_to_the_beginning(start, presses):
    run = Run().key(Key.PLAY).key(Key.SEEK_TO, start)
    last = run.state.track.position_s
    for _ in range(presses + 5):
        run.key(Key.AGAIN)
        assert run.state.track.position_s <= last
        last = run.state.track.position_s
        assert run.state.phase is Phase.PLAYING
    assert last == 0.0


def test_again_goes_to_the_last_pause_then_to_the_start_of_the_step():
    run = Run().key(Key.PLAY).wait(40.0).key(Key.PLAY).key(Key.PLAY).wait(10.0)
    run.key(Key.AGAIN)
    assert run.state.track.position_s == pytest.approx(40.0, abs=0.2)
    run.key(Key.AGAIN)
    assert run.state.track.position_s == 20.0
    assert run.state.track.cue == 1


def test_the_video_stops_by_itself_at_a_question_and_goes_on_after_it():
    run = Run().key(Key.PLAY).wait(30.0)
    assert stop_at_s(run.state) == 70.0
    run.wait(45.0)
    assert run.state.phase is Phase.PAUSED
    assert run.state.track.now.kind is CueKind.ASK
    assert run.state.track.position_s == pytest.approx(70.0, abs=0.2)
    run.key(Key.PLAY)
    assert run.state.track.now.ordinal == 4
    run.wait(40.0)
    assert run.state.phase is Phase.PAUSED
    assert [effect.ordinal for effect in run.of(CueReached)] == [1, 2, 3, 4]


@pytest.mark.parametrize("step", [-1, len(CUES)])
def test_a_step_that_is_not_there_changes_nothing(step):
    run = Run().key(Key.STEP, 4.0)
    before = run.state
    assert run.key(Key.STEP, float(step)).state == before


def test_at_the_end_of_the_video_play_begins_the_step_again():
    run = Run().key(Key.PLAY).wait(75.0).key(Key.PLAY).wait(40.0)
    assert run.state.track.position_s == pytest.approx(TOTAL_S, abs=0.2)
    run.key(Key.PLAY)
    assert run.state.phase is Phase.PLAYING
    assert run.state.track.position_s == 70.0


def test_next_turns_slides_before_it_goes_on_and_back_turns_them_back():
    run = Run().key(Key.STEP, 4.0)
    assert run.state.track.showing is Showing.PAGES
    for page in (1, 2, 3):
        assert run.key(Key.NEXT).state.track.page == page
    assert run.key(Key.BACK).state.track.page == 2
    run.key(Key.NEXT)
    run.key(Key.NEXT)
    assert run.state.track.now.kind is CueKind.TASK
    assert (run.state.track.document, run.state.track.page) == (1, 0)


def test_pages_come_instead_of_the_video_then_beside_it_then_go():
    run = Run().key(Key.PLAY).wait(5.0).key(Key.PAGES)
    assert (run.state.phase, run.state.track.showing) == (Phase.PAUSED, Showing.PAGES)
    assert run.key(Key.PAGES).state.track.showing is Showing.BESIDE
    run.key(Key.PLAY)
    assert (run.state.phase, run.state.track.showing) == (Phase.PLAYING, Showing.BESIDE)
    assert run.key(Key.PAGES).state.track.showing is Showing.VIDEO


def test_a_document_key_shows_it_and_puts_it_away():
    run = Run().key(Key.PLAY).wait(5.0).key(Key.DOCUMENT, 1.0)
    assert (run.state.track.showing, run.state.track.document) == (Showing.PAGES, 1)
    assert run.key(Key.DOCUMENT, 1.0).state.track.showing is Showing.VIDEO
    run.key(Key.STEP, 4.0)
    run.key(Key.DOCUMENT, 0.0)
    assert run.state.track.showing is Showing.VIDEO
    assert run.key(Key.DOCUMENT, 9.0).state.track.showing is Showing.VIDEO


def test_a_question_round_counts_and_is_recorded_once():
    run = Run().key(Key.PLAY).wait(10.0).key(Key.QUESTION)
    assert run.state.phase is Phase.PAUSED
    for choice in (0, 0, 2, 2, 2):
        run.key(Key.ADD, choice)
    run.key(Key.TAKE, 0).key(Key.TAKE, 3).key(Key.ADD, 9)
    assert run.state.question.counts == (1, 0, 3, 0)
    run.key(Key.PLAY)
    assert run.of(RoundClosed) == [RoundClosed(track=0, round=1, counts=(1, 0, 3, 0))]
    assert run.state.phase is Phase.PLAYING


def test_a_round_in_which_nobody_was_counted_leaves_no_trace():
    run = Run().key(Key.QUESTION).key(Key.QUESTION)
    assert run.of(RoundClosed) == []


def test_the_right_answer_shows_only_after_it_was_asked_for_and_named():
    run = Run().key(Key.QUESTION).key(Key.ADD, 2).key(Key.ANSWER)
    assert run.state.question.is_naming
    assert not run.state.question.is_revealed
    run.key(Key.ADD, 2)
    question = run.state.question
    assert (question.right, question.is_revealed, question.counts) == (2, True, (0, 0, 1, 0))
    assert not run.key(Key.ANSWER).state.question.is_revealed
    assert run.key(Key.ANSWER).state.question.is_revealed


def test_a_b_repeats_and_a_third_press_ends_it():
    run = Run().key(Key.PLAY).wait(10.0).key(Key.LOOP).wait(5.0).key(Key.LOOP)
    begin, end = run.of(SetLoop)[-1].begin_s, run.of(SetLoop)[-1].end_s
    assert (begin, end) == (pytest.approx(10.0, abs=0.2), pytest.approx(15.0, abs=0.2))
    run.key(Key.LOOP)
    assert run.of(SetLoop)[-1] == SetLoop(begin_s=None, end_s=None)
    assert run.state.loop_begin_s is None


def test_speed_goes_by_the_list_and_stops_at_its_ends():
    run = Run().key(Key.SLOWER)
    assert run.state.rate == 0.75
    run.key(Key.SLOWER).key(Key.SLOWER)
    assert run.state.rate == 0.5
    assert run.of(SetRate)[-1] == SetRate(rate=0.5)
    for _ in range(5):
        run.key(Key.RATE)
    assert run.state.rate == 2.0
    assert run.key(Key.RATE).state.rate == 0.5


def test_the_other_grade_gets_the_stage_and_this_one_a_task():
    run = Run(track(), track(class_id=ClassId("c5"), lesson=LessonId("l2")))
    run.key(Key.PLAY).wait(10.0).key(Key.SWITCH)
    assert run.state.on_stage == 1
    assert run.of(Pause)
    assert run.of(Load) == [Load(track=1)]
    assert run.state.tracks[0].timer is not None
    run.wait(500.0, dt=1.0)
    assert run.of(TimeUp) == [TimeUp(track=0)]
    run.key(Key.TIMER_MORE, 120.0, track=0)
    assert run.state.tracks[0].timer.left_s == 120.0
    run.key(Key.TIMER_END, track=0)
    assert run.state.tracks[0].timer is None
    run.key(Key.SWITCH)
    assert run.state.track.position_s == pytest.approx(10.0, abs=0.2)


def test_a_lone_class_has_nothing_to_switch_to():
    run = Run().key(Key.SWITCH)
    assert run.state == fresh()


def test_the_countdown_takes_the_length_of_the_step():
    run = Run().key(Key.STEP, 5.0).key(Key.TIMER)
    assert run.state.track.timer.total_s == 480.0
    assert run.key(Key.TIMER).state.track.timer is None


def test_a_lesson_without_video_shows_pages_or_the_board():
    cues = (cue(1, CueKind.SLIDES), cue(2, CueKind.SUMMARY))
    run = Run(track(cues=cues, duration_s=0.0))
    assert run.state.track.showing is Showing.PAGES
    run.key(Key.PLAY).key(Key.AGAIN).key(Key.SEEK_ON).key(Key.LOOP).key(Key.SEEK_TO, 4.0)
    assert run.state.phase is Phase.PAUSED
    run.key(Key.PAGES)
    assert run.state.track.showing is Showing.BOARD
    bare = Run(track(cues=cues, duration_s=0.0, documents=(), pages=()))
    assert bare.key(Key.PAGES).state.track.showing is Showing.BOARD
    bare.key(Key.NEXT).key(Key.NEXT)
    assert bare.state.track.cue == 1


def test_back_goes_to_the_step_before_and_sets_the_video_there():
    run = Run().key(Key.PLAY).wait(75.0).key(Key.PLAY).wait(8.0).key(Key.BACK)
    assert run.state.track.now.kind is CueKind.ASK
    assert run.state.track.position_s == 70.0
    run.key(Key.BACK).key(Key.BACK).key(Key.BACK)
    assert run.state.track.cue == 0


def test_only_pages_and_playing_count_as_screen_time():
    run = Run().key(Key.PLAY).wait(10.0).key(Key.BLACK).wait(30.0)
    assert run.state.track.screen_s == pytest.approx(10.0, abs=0.3)
    run.key(Key.PAGES).key(Key.FREEZE).key(Key.FREEZE).wait(5.0)
    assert run.state.track.screen_s >= 10.0


def test_hold_pauses_and_never_plays():
    run = Run().key(Key.HOLD)
    assert run.state.phase is Phase.READY
    run.key(Key.PLAY).wait(1.0).key(Key.HOLD).key(Key.HOLD)
    assert run.state.phase is Phase.PAUSED
    assert run.of(Play)


def test_a_state_is_a_value():
    assert isinstance(fresh(), SittingState)
    assert fresh() == fresh()


def test_si3_the_rest_of_the_video_counts_as_unwatched_before_a_step_without_time():
    run = Run().key(Key.PLAY).wait(75.0).key(Key.PLAY).wait(3.0).key(Key.NEXT)
    assert run.state.is_skip_armed
    assert run.key(Key.NEXT).state.track.now.kind is CueKind.SLIDES


def test_ending_while_paused_pauses_nothing():
    run = Run().key(Key.QUESTION).key(Key.END)
    assert run.state.phase is Phase.ENDED
    assert run.of(Pause) == []


def test_a_seek_during_the_slides_keeps_the_slides_step():
    run = Run().key(Key.STEP, 4.0).key(Key.SEEK_TO, 30.0)
    assert run.state.track.now.kind is CueKind.SLIDES


def test_si5_an_empty_stretch_adds_nothing_and_a_last_step_stops_nowhere():
    assert add_interval(((1.0, 2.0),), 5.0, 5.0) == ((1.0, 2.0),)
    assert stop_at_s(Run().key(Key.STEP, 6.0).state) is None
