"""One file over a link that breaks anywhere (F1 to F3), without a socket."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import (
    BusyError,
    ProtocolError,
    RefusedError,
    TransportError,
)
from client.store.growing import Growing
from sync.engine.content import WrongContentError
from sync.engine.download import Downloader, Wanted
from sync.engine.pacing import LinkMeter, Patience
from tests.fakes.peer import Asked, Reply
from tests.fakes.scripted_transport import ScriptedTransport

URLS = ("http://a.test/f", "http://b.test/f")
NOW = Patience(tries=3, first_s=0.0, most_s=0.0)


class Desk:
    """A downloader over a script, and what it learned of its mirrors."""

    def __init__(self, script: Callable[[Asked], Reply]) -> None:
        self.transport = ScriptedTransport(script)
        self.meter = LinkMeter(FrozenClock())
        self.good: list[str] = []
        self.bad: list[str] = []
        self._downloader = Downloader(
            self.transport,
            self.meter,
            patience=NOW,
            worked=self.good.append,
            failed=self.bad.append,
        )

    def fetch(self, part: Path, wanted: Wanted) -> bytes:
        growing = Growing(part, "x")
        try:
            self._downloader.fetch(growing, wanted, CancelToken())
            return growing.read()
        finally:
            growing.close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "f.part"


def replies(*several: Reply) -> Callable[[Asked], Reply]:
    left: Iterator[Reply] = iter(several)
    return lambda asked: next(left)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.binary(min_size=1, max_size=300),
    cuts=st.lists(st.integers(0, 299), max_size=6),
    ranges=st.booleans(),
    knows=st.booleans(),
)
def test_a_link_that_breaks_anywhere_delivers_every_byte_once(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    cuts: list[int],
    ranges: bool,
    knows: bool,
) -> None:  # F1
    left = iter([cut for cut in cuts if cut])

    def script(asked: Asked) -> Reply:
        cut = next(left, None)
        start = int(asked.headers.get("range", "bytes=0-")[6:].rstrip("-"))
        rest = len(data) - start if ranges else len(data)
        broken = cut if cut is not None and cut < rest else None
        return Reply(body=data, etag='"e"', ranges=ranges, cut_after=broken)

    desk = Desk(script)
    wanted = Wanted(
        urls=URLS,
        size_bytes=len(data) if knows else 0,
        md5=hashlib.md5(data).hexdigest() if knows else "",
    )
    part = tmp_path_factory.mktemp("d") / "f.part"
    assert desk.fetch(part, wanted) == data
    if ranges:
        assert desk.transport.body_bytes == len(data)
        assert desk.meter.total == len(data)
    asked = len(desk.transport.asked)
    assert Desk(script).fetch(part, wanted) == data  # another life asks nothing
    assert len(desk.transport.asked) == asked


def test_patience_ends_after_fruitless_tries_only(part: Path) -> None:  # F3
    script = replies(
        Reply(body=b"abcdef", cut_after=0, etag='"e"'),
        Reply(body=b"abcdef", cut_after=0, etag='"e"'),
        Reply(body=b"abcdef", cut_after=2, etag='"e"'),
        Reply(body=b"abcdef", cut_after=0, etag='"e"'),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=503),
    )
    desk = Desk(script)
    with pytest.raises(BusyError):
        desk.fetch(part, Wanted(urls=URLS))
    assert len(desk.transport.asked) == 6
    assert desk.bad == [URLS[n % 2] for n in range(6)]
    stretch = desk.meter.take(99.0)
    assert stretch is not None
    assert stretch.was_busy
    assert Growing(part, "x").size == 2


def test_a_404_is_believed_when_each_mirror_said_so(part: Path) -> None:  # F3
    assert Desk(replies(Reply(status=404), Reply(body=b"x"))).fetch(part, Wanted(urls=URLS)) == b"x"
    part.unlink()
    desk = Desk(lambda asked: Reply(status=404))
    with pytest.raises(RefusedError):
        desk.fetch(part, Wanted(urls=URLS))
    assert len(desk.transport.asked) == 2


def test_a_refused_login_is_asked_once(part: Path) -> None:  # F3
    desk = Desk(lambda asked: Reply(status=401))
    with pytest.raises(RefusedError):
        desk.fetch(part, Wanted(urls=URLS))
    assert len(desk.transport.asked) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Reply(body=b"wrong!"),
        Reply(body=b"longer than announced"),
        Reply(body=b"less"),
        Reply(is_garbage=True),
        Reply(status=418),
        Reply(status=304),
        Reply(status=206, body=b"right!"),
        Reply(status=206, body=b"ht!", headers={"Content-Range": "bytes x-y/z"}),
    ],
)
def test_wrong_bytes_are_thrown_away_and_the_other_mirror_is_asked(
    part: Path, wrong: Reply
) -> None:  # F2
    wanted = Wanted(urls=URLS, size_bytes=6, md5=hashlib.md5(b"right!").hexdigest())
    desk = Desk(replies(wrong, Reply(body=b"right!")))
    assert desk.fetch(part, wanted) == b"right!"
    assert desk.bad == [URLS[0]]
    assert desk.good == [URLS[1]]
    part.unlink()
    with pytest.raises(ProtocolError):
        Desk(lambda asked: wrong).fetch(part, wanted)
    assert not part.exists()


def test_a_body_longer_than_its_announced_length_is_cut_off(part: Path) -> None:  # F2
    import gzip

    packed = gzip.compress(b"y" * 5000)
    reply = Reply(body=packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(WrongContentError, match="size_mismatch"):
        Desk(lambda asked: reply).fetch(part, Wanted(urls=URLS, size_bytes=100))
    assert not part.exists()


def test_first_bytes_are_judged_before_the_rest_is_asked_for(part: Path) -> None:  # F2
    def refuse(head: bytes) -> None:
        if head.startswith(b"<"):
            raise WrongContentError("not_the_file")

    for page in (b"<html>" * 100, b"<"):
        desk = Desk(lambda asked, page=page: Reply(body=page))
        with pytest.raises(WrongContentError, match="not_the_file"):
            desk.fetch(part, Wanted(urls=URLS, check_head=refuse))


def test_the_whole_is_judged_too(part: Path) -> None:  # F2
    def refuse(growing: Growing) -> None:
        raise WrongContentError("not_the_file")

    with pytest.raises(WrongContentError):
        Desk(lambda asked: Reply(body=b"abc")).fetch(part, Wanted(urls=URLS, check_whole=refuse))


def resumed(part: Path, data: bytes = b"abc", *, etag: str = '"e"', url: str = URLS[0]) -> None:
    growing = Growing(part, "x")
    growing.from_answer(etag=etag, url=url, total=6)
    growing.write(data)
    growing.mark()
    growing.close()


@pytest.mark.parametrize(
    ("etag", "url", "md5", "sent"),
    [
        ('"e"', URLS[0], True, '"e"'),
        ('"e"', URLS[1], True, None),  # the digest of the whole will tell
        ('"e"', URLS[1], False, '"e"'),
        ('W/"e"', URLS[0], False, None),
        ("", URLS[0], False, None),
    ],
)
def test_the_rest_is_asked_of_the_same_edition(
    part: Path, etag: str, url: str, md5: bool, sent: str | None
) -> None:  # F1
    resumed(part, etag=etag, url=url)
    desk = Desk(lambda asked: Reply(body=b"abcdef", etag='"e"'))
    digest = hashlib.md5(b"abcdef").hexdigest() if md5 else ""
    assert desk.fetch(part, Wanted(urls=URLS, md5=digest)) == b"abcdef"
    assert desk.transport.asked[0].headers["range"] == "bytes=3-"
    assert desk.transport.asked[0].headers.get("if-range") == sent


def test_another_edition_is_begun_anew(part: Path) -> None:  # F1
    resumed(part)
    desk = Desk(lambda asked: Reply(body=b"ABCDEF", etag='"f"'))
    assert desk.fetch(part, Wanted(urls=URLS)) == b"ABCDEF"


def test_a_file_that_became_shorter_is_begun_anew(part: Path) -> None:  # F1
    resumed(part, b"abcde")
    desk = Desk(lambda asked: Reply(body=b"abc", etag='"e"'))
    assert desk.fetch(part, Wanted(urls=URLS)) == b"abc"
    assert desk.meter.total == 3


def test_a_range_from_elsewhere_is_not_taken(part: Path) -> None:  # F1
    resumed(part)
    odd = Reply(status=206, body=b"ef", headers={"Content-Range": "bytes 4-5/6"})
    assert Desk(replies(odd, Reply(body=b"abcdef"))).fetch(part, Wanted(urls=URLS)) == b"abcdef"


def test_a_whole_of_unknown_length_may_be_told_with_a_star(part: Path) -> None:
    resumed(part)
    star = Reply(status=206, body=b"def", headers={"Content-Range": "bytes 3-5/*"})
    assert Desk(replies(star)).fetch(part, Wanted(urls=URLS)) == b"abcdef"


def test_a_transport_error_is_the_only_one_tried_again() -> None:
    assert issubclass(BusyError, TransportError)
    assert not issubclass(ProtocolError, TransportError)
