"""A sitting with its player thread and recorder: PT1, PT2, PT3, PT4, PT5, CL1, CL2, CL3, CL4."""

import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from client.domain.availability import Decodes
from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.errors import PlayerError, StorageFullError
from client.domain.ids import ClassId, LessonId, PartId, SittingId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.sitting import Phase, Showing
from client.domain.sitting_keys import Key
from client.media.port import PlayerState
from client.service.player_thread import PlayerThread
from client.service.sitting import SittingService
from tests.classroom_kit import Notebook, lesson, part, plan
from tests.fakes.obedient_player import ObedientPlayer

VIDEO = Path("video.mp4")
PDF = Path("slides.pdf")
WAIT_S = 5.0


class Class:
    """A sitting whose clock is moved by hand; the player thread is real."""

    def __init__(self, *details, player=None, book=None, **over):
        self.clock = FrozenClock()
        self.player = player or ObedientPlayer(self.clock)
        self.player.clock = self.clock
        self.book = book or Notebook()
        self.frames = []
        self.changes = []
        details = details or (lesson(part(Role.VIDEO, VIDEO, seconds=600.0)),)
        service = SittingService(self.book, lambda: self.player, self.clock)
        self.sitting = service.start(
            plan(*details, **over), self.frames.append, lambda: self.changes.append(1)
        )
        self.settle()

    def settle(self):
        """Wait until the player thread has done everything asked of it."""
        done = threading.Event()
        self.sitting._player._orders.put(lambda _player: done.set())
        assert done.wait(WAIT_S)
        self.sitting.tick()
        return self

    def key(self, key, n=0.0, track=None):
        self.sitting.press(key, n, track)
        return self.settle()

    def wait(self, seconds, dt=0.5):
        for _ in range(round(seconds / dt)):
            self.clock.advance(dt)
            # The frames of a real player carry its time along.
            self.sitting._player._shown_s = self.player.position_s
            self.sitting.tick()
        return self.settle()

    @property
    def state(self):
        return self.sitting.view().state

    def close(self):
        self.sitting.close()


@pytest.fixture
def teach():
    opened = []

    def make(*details, **over):
        made = Class(*details, **over)
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


def test_a_class_plays_stops_says_again_and_is_recorded(teach):
    room = teach()
    room.key(Key.PLAY).wait(60.0).key(Key.PLAY)
    assert room.player.calls[-1] == ("pause",)
    room.key(Key.AGAIN)
    assert ("seek", 0.0) in room.player.calls
    assert room.state.phase is Phase.PLAYING
    room.wait(30.0).key(Key.END)
    (begin, end), *_ = room.book.of("played")[0][2]
    assert (begin, end) == (pytest.approx(0.0), pytest.approx(60.0, abs=1.0))
    assert [call[2] for call in room.book.of("cue")] == [1]
    futures = room.sitting.finish(Ended.FINISHED)
    assert [future.result() for future in futures] == [None]
    assert room.book.of("end") == [("end", room.sitting.sittings[0], Ended.FINISHED)]


def test_cl3_the_resume_point_is_saved_every_five_seconds(teach):
    room = teach()
    room.key(Key.PLAY)
    before = len(room.book.of("save_resume"))
    room.wait(31.0)
    saved = room.book.of("save_resume")[before:]
    assert 5 <= len(saved) <= 7
    places = [call[2]["position_s"] for call in saved]
    assert all(4.0 <= later - earlier <= 6.0 for earlier, later in pairwise(places))
    assert saved[-1][2]["is_playing"]


def test_cl3_long_play_is_written_every_five_minutes(teach):
    player = ObedientPlayer(FrozenClock(), duration_s=6000.0)
    room = teach(lesson(part(Role.VIDEO, VIDEO, seconds=6000.0)), player=player)
    room.key(Key.PLAY).wait(290.0)
    assert room.book.of("played") == []
    room.wait(20.0)
    assert len(room.book.of("played")) == 1


def test_cl3_only_what_is_new_is_written(teach):
    room = teach()
    room.key(Key.PLAY).wait(20.0).key(Key.PLAY).key(Key.PLAY).wait(20.0).key(Key.PLAY)
    spans = [span for call in room.book.of("played") for span in call[2]]
    assert spans[0][1] == pytest.approx(spans[1][0])
    assert spans[1][1] == pytest.approx(40.0, abs=1.0)


def test_pt2_a_stale_position_after_a_seek_reaches_nobody(teach):
    room = teach()
    room.key(Key.PLAY).wait(20.0)
    gate = threading.Event()
    room.sitting._player._orders.put(lambda _player: gate.wait(WAIT_S))
    room.sitting.press(Key.SEEK_TO, 400.0)
    assert room.sitting._player.position_s is None
    room.clock.advance(0.1)
    room.sitting.tick()
    assert room.state.track.position_s == 400.0
    gate.set()
    room.settle()
    assert room.sitting._player.position_s == pytest.approx(400.0, abs=0.5)


def test_pt2_the_clock_is_believed_when_no_picture_comes(teach):
    room = teach()
    room.sitting.press(Key.SEEK_TO, 100.0)
    room.settle()
    room.sitting._player._shown_s = 3.0
    assert room.sitting._player.position_s is None or room.sitting._player._wanted is None
    room.clock.advance(2.0)
    assert room.sitting._player.position_s is not None


def test_pt3_of_several_seeks_only_the_last_is_done(teach):
    room = teach()
    gate = threading.Event()
    room.sitting._player._orders.put(lambda _player: gate.wait(WAIT_S))
    for _ in range(5):
        room.sitting.press(Key.SEEK_ON)
    gate.set()
    room.settle()
    assert [call for call in room.player.calls if call[0] == "seek"] == [("seek", 25.0)]


def test_pt4_a_video_that_does_not_decode_is_a_notice_and_the_class_goes_on(teach):
    player = ObedientPlayer(FrozenClock())
    player.fails_with = PlayerError("media_undecodable")
    pdf = part(Role.SLIDES, PDF, pages=3)
    room = teach(lesson(part(Role.VIDEO, VIDEO, seconds=600.0), pdf), player=player)
    view = room.sitting.view()
    assert view.trouble.reason.code == "media_undecodable"
    assert not view.track.has_video
    room.key(Key.PLAY).key(Key.STEP, 4.0)
    assert room.state.track.showing is Showing.PAGES
    assert player.calls == []


def test_pt4_without_any_player_the_class_goes_on(teach):
    clock = FrozenClock()
    changed = []

    def broken():
        raise PlayerError("player_missing")

    thread = PlayerThread(broken, clock, lambda _frame: None, lambda: changed.append(1))
    thread.play()
    thread.close()
    assert thread.error is not None
    assert thread.error.code == "player_missing"


def test_pt5_closing_does_not_wait_for_a_player_that_hangs():
    clock = FrozenClock()
    gate = threading.Event()
    player = ObedientPlayer(clock)
    thread = PlayerThread(lambda: player, clock, lambda _frame: None, lambda: None)
    thread._orders.put(lambda _player: gate.wait(WAIT_S))
    thread.close(timeout_s=0.05)
    assert thread._thread.is_alive()
    gate.set()
    thread.close()
    thread.close()
    assert player.calls[-1] == ("close",)


def test_cl1_the_player_is_called_from_its_own_thread_only(teach):
    names = set()
    room = teach()
    original = room.player._note
    room.player._note = lambda *call: (names.add(threading.current_thread().name), original(*call))
    room.key(Key.PLAY).key(Key.SEEK_ON).key(Key.FASTER).key(Key.LOOP).key(Key.END)
    room.sitting.set_volume(55)
    room.settle()
    assert names == {"player"}


def test_cl2_a_disk_that_fails_is_a_notice_and_the_fact_is_written_later(teach):
    room = teach()
    room.book.fails_with = StorageFullError("disk_full", {"free_mb": 0})
    room.key(Key.PLAY).wait(10.0).key(Key.HEAD_MORE)
    assert room.sitting.view().trouble.reason.code == "disk_full"
    assert room.state.phase is Phase.PLAYING
    room.book.fails_with = None
    room.wait(32.0)
    assert room.book.of("headcount") == [("headcount", room.sitting.sittings[0], ClassId("c3"), 14)]
    assert room.sitting.view().trouble is None


def test_cl4_a_lost_stage_pauses_and_says_where(teach):
    room = teach()
    room.key(Key.PLAY).wait(42.0)
    at_s = room.sitting.stage_lost()
    assert at_s == pytest.approx(42.0, abs=1.0)
    assert room.state.phase is Phase.PAUSED
    assert room.book.of("save_resume")[-1][2]["position_s"] == pytest.approx(at_s)


def test_a_class_goes_on_where_the_power_went(teach):
    room = teach()
    video = room.sitting.view().track_plan.video
    point = ResumePoint(
        sitting=SittingId("ab" * 8),
        class_ids=(ClassId("c3"),),
        lesson=LessonId("lesson-1"),
        part=PartId(video.id),
        position_s=408.0,
        cue=1,
        page=-1,
        timers=(RunningTimer(name="stage", total_s=300.0, left_s=120.0),),
    )
    detail = lesson(part(Role.VIDEO, VIDEO, seconds=600.0))
    going_on = plan(detail)
    track = replace(going_on.tracks[0], resume=point, watched=((0.0, 408.0),))
    again = Class(detail, tracks=(track,))
    try:
        assert ("open", VIDEO, 408.0) in again.player.calls
        assert again.state.track.position_s == pytest.approx(408.0, abs=0.5)
        assert again.state.track.timer.left_s <= 120.0
        assert again.book.of("open") == []
        assert again.sitting.sittings == (SittingId("ab" * 8),)
        again.key(Key.PLAY).wait(5.0).key(Key.PLAY)
        assert again.book.of("played")[0][2][0][0] == pytest.approx(408.0, abs=1.0)
        assert not again.sitting.view().is_slight
    finally:
        again.close()


def test_a_class_that_was_left_begins_under_a_new_name_where_it_stood():
    detail = lesson(part(Role.VIDEO, VIDEO, seconds=600.0))
    point = ResumePoint(
        sitting=SittingId("ab" * 8),
        class_ids=(ClassId("c3"),),
        lesson=LessonId("lesson-1"),
        position_s=408.0,
    )
    again = Class(detail, tracks=(replace(plan(detail).tracks[0], start=point),))
    try:
        assert ("open", VIDEO, 408.0) in again.player.calls
        assert len(again.book.of("open")) == 1
        assert again.book.of("go_on") == []
    finally:
        again.close()


def test_the_other_grade_loads_its_own_video_and_each_has_its_record(teach):
    one = lesson(part(Role.VIDEO, VIDEO, seconds=600.0))
    other = lesson(part(Role.VIDEO, Path("other.mp4"), seconds=300.0), title="邮票的张数")
    room = teach(one, other)
    assert len(room.book.of("open")) == 2
    room.key(Key.PLAY).wait(10.0).key(Key.SWITCH)
    assert ("open", Path("other.mp4"), 0.0) in room.player.calls
    room.key(Key.PLAY).wait(6.0).key(Key.END)
    owners = {call[1] for call in room.book.of("played")}
    assert owners == set(room.sitting.sittings)
    assert len(room.sitting.finish(Ended.CARRY_ON)) == 2


def test_the_first_to_see_the_screen_may_be_the_second_grade(teach):
    one = lesson(part(Role.VIDEO, VIDEO, seconds=600.0))
    other = lesson(part(Role.VIDEO, Path("other.mp4"), seconds=300.0))
    room = teach(one, other, first=1)
    assert room.state.on_stage == 1
    assert ("open", Path("other.mp4"), 0.0) in room.player.calls


def test_question_rounds_reach_the_record_with_their_letters(teach):
    room = teach()
    room.key(Key.QUESTION).key(Key.ADD, 0).key(Key.ADD, 2).key(Key.ADD, 2).key(Key.QUESTION)
    assert room.book.of("question")[0][2:] == (1, (("A", 1), ("B", 0), ("C", 2), ("D", 0)))
    assert room.sitting.view().rounds[0].counts == (1, 0, 2, 0)


def test_the_end_page_writes_as_it_is_touched(teach):
    room = teach()
    room.key(Key.END)
    room.sitting.note("二分之一还有人分不清")
    room.sitting.understood(0, Understood.MOST)
    room.sitting.taught_by(TaughtBy.SUBSTITUTE)
    room.sitting.counted(0, -1)
    kinds = [call[0] for call in room.book.calls if call[0] != "save_resume"]
    assert kinds[-4:] == ["note", "understood", "taught_by", "headcount"]
    assert room.state.track.headcount == 12
    assert room.state.track.is_counted


def test_a_class_of_a_minute_in_which_nothing_happened_is_slight(teach):
    room = teach()
    room.key(Key.PLAY).wait(60.0)
    assert room.sitting.view().is_slight
    room.wait(70.0)
    assert not room.sitting.view().is_slight
    other = teach()
    other.key(Key.PLAY).key(Key.HEAD_SAME)
    assert not other.sitting.view().is_slight


def test_a_file_that_tells_its_own_length_moves_the_steps(teach):
    player = ObedientPlayer(FrozenClock(), duration_s=100.0)
    room = teach(lesson(part(Role.VIDEO, VIDEO, seconds=0.0)), player=player)
    track = room.state.track
    assert track.duration_s == 100.0
    assert track.cues[2].at_s == pytest.approx(70.0)


def test_a_lesson_of_sound_plays_without_pictures(teach):
    player = ObedientPlayer(FrozenClock(), frames=False)
    room = teach(lesson(part(Role.AUDIO, Path("song.mp3"), seconds=60.0)), player=player)
    room.key(Key.PLAY)
    assert room.state.track.has_video
    assert room.frames == []
    room.sitting.set_volume(140)
    assert room.sitting.view().volume == 100


def test_pages_are_clamped_once_their_number_is_known(teach):
    pdf = part(Role.SLIDES, PDF)
    room = teach(lesson(pdf))
    room.sitting.pages_known(0, 0, 3)
    assert room.state.track.pages == (3,)
    for _ in range(2):
        room.key(Key.NEXT)
    assert room.state.track.page == 2
    room.sitting.pages_known(0, 0, 1)
    assert room.state.track.page == 0


def test_a_file_that_ends_before_its_length_stops_the_class_and_space_says_it_again(teach):
    room = teach()
    room.key(Key.STEP, 3.0).wait(20.0)
    room.player._set(440.2, PlayerState.ENDED)
    room.settle()
    assert room.state.phase is Phase.PAUSED
    room.key(Key.PLAY)
    assert room.state.phase is Phase.PLAYING
    assert [call for call in room.player.calls if call[0] == "seek"][-1] == ("seek", 420.0)
    room.settle()
    assert room.state.phase is Phase.PLAYING


def test_the_second_grades_steps_move_with_the_real_length_too(teach):
    one = lesson(part(Role.VIDEO, VIDEO, seconds=600.0))
    other = lesson(part(Role.VIDEO, Path("other.mp4"), seconds=0.0))
    room = teach(one, other)
    room.key(Key.PLAY).wait(2.0)
    room.player.duration_s = 200.0
    room.key(Key.SWITCH)
    assert room.state.track.cues[2].at_s == pytest.approx(140.0)


def test_a_video_that_the_probe_refused_is_not_played(teach):
    refused = replace(part(Role.VIDEO, VIDEO, seconds=600.0), decodes=Decodes.NO)
    room = teach(lesson(refused, part(Role.SLIDES, PDF, pages=2)))
    assert not room.state.track.has_video
    assert room.player.calls == []
