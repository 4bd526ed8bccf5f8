"""Finding the picture that a seek asked for."""

import pytest

from client.media.landing import Flight, Landing, Verdict


def _seek(landing: Landing, mark: int = 1, *, has_early: bool = True) -> None:
    landing.seek(mark, has_early=has_early)


def _arrive(landing: Landing, at: float = 10.0) -> None:
    landing.buffered(0.0, at)
    landing.buffered(40.0, at)
    landing.buffered(100.0, at)


def test_old_pictures_are_dropped_the_early_one_held_the_next_one_lands():
    landing = Landing()
    _seek(landing)
    assert landing.judge(7) is Verdict.DROP
    _arrive(landing)
    assert [landing.judge(mark) for mark in (1, 2, 3)] == [
        Verdict.DROP,
        Verdict.HOLD,
        Verdict.LAND,
    ]
    assert landing.is_over
    assert landing.judge(4) is Verdict.PLAY


def test_a_report_of_before_does_not_count_as_arrival():
    landing = Landing()
    _seek(landing)
    landing.buffered(100.0, 1.0)
    assert landing.flight is Flight.LAUNCHED


def test_the_start_of_a_file_has_no_early_picture():
    landing = Landing()
    _seek(landing, has_early=False)
    _arrive(landing)
    assert landing.judge(2) is Verdict.LAND
    assert landing.late_s(99.0) == 0.0


def test_a_film_that_stands_still_lands_nevertheless():
    landing = Landing()
    _seek(landing, mark=5)
    _arrive(landing)
    verdicts = [landing.judge(5) for _ in range(6)]
    assert Verdict.LAND in verdicts
    landing.resume(5)
    assert Verdict.LAND in [landing.judge(5) for _ in range(3)]


def test_a_resume_drops_the_held_picture():
    landing = Landing()
    landing.resume(5)
    assert landing.is_resume
    assert [landing.judge(5), landing.judge(6)] == [Verdict.DROP, Verdict.LAND]
    assert not landing.is_resume


@pytest.mark.parametrize(("seconds", "late_s"), [(0.02, 0.0), (0.045, 0.0), (0.125, 0.08)])
def test_a_busy_machine_lands_on_a_later_picture(seconds, late_s):
    landing = Landing()
    _seek(landing)
    _arrive(landing, 10.0)
    assert landing.late_s(10.0 + seconds) == pytest.approx(late_s)


def test_while_it_is_held_nothing_lands():
    landing = Landing()
    landing.hold()
    assert landing.judge(1) is Verdict.DROP
    landing.give_up()
    assert landing.is_over
