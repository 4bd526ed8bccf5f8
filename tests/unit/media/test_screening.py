"""What is on show and at what time."""

from client.media.screening import Screening

FRAME_S = 0.04


class _Film:
    """Feeds a screening with pictures as libvlc would."""

    def __init__(self) -> None:
        self.screen = Screening((1920, 1080))
        self.screen.ring.allocate(64, 36)
        self.screen.reset(FRAME_S)
        self.now = 100.0

    def show(self, content: int, *, is_playing: bool, after: float = FRAME_S):
        self.now += after
        index, address = self.screen.ring.lend()
        import ctypes

        ctypes.memset(address, content, 64 * 4)
        return self.screen.take(index, self.now, is_playing=is_playing)

    def land(self, target_s: float) -> None:
        self.screen.aim(target_s)
        self.screen.landing.buffered(0.0, self.now)
        self.screen.landing.buffered(100.0, self.now)
        if target_s:
            self.show(200, is_playing=False)
        assert self.show(201, is_playing=False, after=0.001) is not None


def test_nothing_is_delivered_while_nothing_is_wanted():
    """N2."""
    film = _Film()
    assert film.show(1, is_playing=False) is None
    film.land(2.0)
    assert film.show(2, is_playing=False) is None
    film.screen.landing.hold()
    assert film.show(3, is_playing=True) is None


def test_the_time_of_pictures_never_steps_back_but_by_a_seek():
    """N1."""
    film = _Film()
    film.land(2.0)
    film.screen.await_next(film.now)
    times = [film.show(n, is_playing=True) for n in range(10, 30)]
    film.screen.clock.tell(1.0, film.now)
    times += [film.show(n, is_playing=True) for n in range(30, 40)]
    seen = [frame.at_s for frame in times if frame is not None]
    assert seen == sorted(seen)
    film.land(1.0)
    assert film.screen.shown_s == 1.0


def test_what_libvlc_ran_past_is_known_when_it_goes_on():
    film = _Film()
    film.land(2.0)
    film.show(50, is_playing=False)
    film.show(51, is_playing=False)
    film.show(51, is_playing=False)
    film.screen.await_next(film.now)
    frame = film.show(52, is_playing=True)
    assert frame is not None
    assert round(frame.at_s / FRAME_S) == 53


def test_a_seek_that_found_nothing_better_takes_the_early_picture():
    film = _Film()
    film.screen.aim(3.0)
    film.screen.landing.buffered(0.0, film.now)
    film.screen.landing.buffered(100.0, film.now)
    assert film.show(9, is_playing=False) is None
    frame = film.screen.settle(film.now)
    assert frame is not None
    assert frame.at_s == 3.0
    assert film.screen.settle(film.now) is None


def test_a_seek_that_found_nothing_at_all_keeps_the_picture():
    film = _Film()
    film.screen.aim(3.0)
    assert film.screen.settle(film.now) is None
    assert film.screen.landing.is_over


def test_repeated_pictures_end_the_old_speed():
    film = _Film()
    film.land(2.0)
    film.screen.await_next(film.now)
    film.show(60, is_playing=True)
    film.show(61, is_playing=True)
    film.screen.clock.set_rate(0.5, film.now)
    assert film.show(62, is_playing=True) is not None
    assert film.show(62, is_playing=True) is None
    assert not film.screen.clock.is_changing
