"""The class on the GUI thread (ui.viewmodel.classroom): CM1, CM2, CM3; what keys and lines say."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from client.domain.catalogue import Role
from client.domain.sitting import Overlay, Question
from client.domain.sitting_keys import Key
from client.media.port import Frame
from client.service.api import Reason
from client.service.sitting_port import Trouble
from tests.classroom_desk import Desk
from ui.view.clock_text import countdown, media_time, minutes, signed
from ui.viewmodel.class_lines import Tone, five_keys, prompt_line, tools, uncounted
from ui.viewmodel.classroom_keys import PLAIN, SHIFTED, press_of

K = Qt.Key


@pytest.fixture
def desk(qtbot, tmp_path):
    return Desk(qtbot, tmp_path)


def frame(serial):
    return Frame(
        data=memoryview(bytes(64 * 36 * 4)),
        width=64,
        height=36,
        stride=256,
        serial=serial,
        at_s=serial / 25,
    )


def test_cm1_pictures_that_come_too_fast_are_coalesced(desk, qtbot):
    model = desk.window.model
    seen = []
    model.pictured.connect(lambda: seen.append(model.at_s))
    before = model.pictures
    feeder = threading.Thread(
        target=lambda: [model._hear_frame(frame(number)) for number in range(1000, 1200)]
    )
    feeder.start()
    feeder.join()
    qtbot.waitUntil(lambda: model.at_s == 1199 / 25)
    assert model.pictures - before < 10
    assert seen[-1] == 1199 / 25


def test_cm2_every_stage_paints_the_same_picture(desk, qtbot):
    model = desk.window.model
    model._hear_frame(frame(500))
    qtbot.waitUntil(lambda: model.at_s == 20.0)
    desk.window.stage.grab()
    desk.window.projected.grab()
    assert desk.window.stage.painted_at_s == desk.window.projected.painted_at_s == 20.0


def test_cm3_after_close_nothing_is_heard(desk, qtbot):
    model = desk.window.model
    model.close()
    model._hear_frame(frame(900))
    model._hear_change()
    model.press(Key.PLAY)
    qtbot.wait(50)  # the one legal wait: to show that nothing happens
    assert model.image is None


def test_a_view_is_told_a_few_times_a_second_not_with_every_picture(desk):
    model = desk.window.model
    told = []
    model.changed.connect(lambda: told.append(1))
    desk.play(4.0, dt=0.04)
    assert len(told) < 40


def test_every_keyboard_key_of_the_table_means_something():
    for table, is_shifted in ((PLAIN, False), (SHIFTED, True)):
        for key, press in table.items():
            assert press_of(key.value, is_shifted=is_shifted) == press
    assert press_of(0x7FFFFFF1, is_shifted=False) is None
    assert press_of(K.Key_Z.value, is_shifted=False) is None


def test_the_five_keys_keep_their_order_in_every_state(desk):
    order = [Key.PLAY, Key.AGAIN, Key.NEXT, Key.BLACK, Key.END]
    views = [desk.view]
    desk.play(2.0)
    views.append(desk.view)
    for key in (K.Key_Q, K.Key_B, K.Key_K):
        desk.key(key)
        views.append(desk.view)
    for view in views:
        faces = five_keys(view)
        assert [face.key for face in faces] == order
        assert sum(face.is_main for face in faces) == 1


def test_what_does_nothing_here_has_no_tool(qtbot, tmp_path):
    bare = Desk(qtbot, tmp_path, has_video=False, has_pages=False)
    assert {tool.key for tool in tools(bare.view)} == {Key.FREEZE, Key.TIMER, Key.QUESTION}
    full = Desk(qtbot, tmp_path, grades=2)
    keys = [tool.key for tool in tools(full.view)]
    assert Key.SWITCH in keys
    assert Key.ANSWER not in keys
    assert list(full.state.track.documents) == [Role.SLIDES, Role.TASK]
    assert keys.count(Key.DOCUMENT) == 1


def test_the_line_says_the_most_urgent_thing(desk):
    view = desk.view
    assert prompt_line(view).lead == "classroom.next"
    state = replace(view.state, overlay=Overlay.BLACK)
    assert prompt_line(replace(view, state=state)).text == "classroom.black.how"
    state = replace(view.state, question=Question(counts=(3, 0, 0, 0)))
    asking = replace(view, state=state)
    assert prompt_line(asking).text == "classroom.count_how"
    assert uncounted(asking) == 10
    state = replace(view.state, skip_until_s=view.state.now_s + 1)
    assert prompt_line(replace(view, state=state)).tone is Tone.NOTICE
    full = Trouble(reason=Reason(code="disk_full"), at_s=0.0)
    assert prompt_line(replace(view, trouble=full)).text == "error.disk_full"
    assert prompt_line(replace(view, time_up=0)).values == (("name", "三年级"),)


def test_times_are_written_as_people_read_them():
    assert media_time(408.9) == "06:48"
    assert media_time(3723) == "1:02:03"
    assert media_time(-1) == "00:00"
    assert countdown(60.2) == "01:01"
    assert countdown(0.0) == "00:00"
    assert signed(-10.0) == "\u221210"
    assert signed(5.0) == "+5"
    assert (minutes(0.0), minutes(5.0), minutes(89.0), minutes(91.0)) == (0, 1, 1, 2)
