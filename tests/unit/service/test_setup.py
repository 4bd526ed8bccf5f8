"""Covers, sources and books: client.service.setup, client.service.wishes."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.catalogue import Book, Placement
from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.domain.ids import BookId, ClassId, SourceId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import ChosenBook, ClassGroup
from client.service.paths import Profile
from client.service.setup import SetupDesk
from client.service.station import Station
from client.service.wishes import Wish, load_offers, met_wishes, read_wishes, write_wishes

C3 = ClassId("c3")
PLACE = Placement(stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册")
BOOK = Book(id=BookId("b3"), source=SourceId("demo"), title="数学", place=PLACE)
WISH = Wish(class_id=C3, grade="三年级", subject="数学", edition="北师大版", volume="下册")
ROOM = RoomSnapshot(classes=(ClassGroup(id=C3, name="三年级", grade=3),))


def test_a_wish_is_met_by_the_book_with_that_cover() -> None:
    assert met_wishes((WISH,), ROOM, (BOOK,)) == (
        ChosenBook(class_id=C3, subject="数学", book=BOOK.id),
    )


@pytest.mark.parametrize("name", ["grade", "subject", "edition", "volume"])
def test_another_cover_meets_no_wish(name: str) -> None:
    """WI2."""
    other = replace(BOOK, place=replace(PLACE, **{name: "别的"}))
    assert met_wishes((WISH,), ROOM, (other,)) == ()


def test_a_chosen_book_is_never_replaced() -> None:
    """WI1, and a class that has left the room wishes for nothing."""
    chosen = ChosenBook(class_id=C3, subject="数学", book=BookId("mine"))
    assert met_wishes((WISH,), replace(ROOM, chosen_books=(chosen,)), (BOOK,)) == ()
    assert met_wishes((WISH,), RoomSnapshot(), (BOOK,)) == ()


WORD = st.text(max_size=12)


@given(
    st.lists(st.builds(Wish, class_id=WORD, grade=WORD, subject=WORD, edition=WORD, volume=WORD))
)
def test_wishes_read_back_as_they_were_written(wishes: list[Wish]) -> None:
    assert read_wishes(write_wishes(wishes)) == tuple(wishes)


@given(st.text() | st.sampled_from(['[{"grade": 1}]', "[1]", "{}", "null", "7"]))
def test_kept_nonsense_is_no_wish(text: str) -> None:
    assert isinstance(read_wishes(text), tuple)


def test_the_short_list_knows_the_half_of_the_year() -> None:
    offers = load_offers()
    assert [offers.volume_in(month) for month in (1, 2, 7, 8, 12)] == [
        "上册",
        "下册",
        "下册",
        "上册",
        "上册",
    ]
    assert dict(offers.editions)["数学"][0] == "人教版"


@pytest.fixture
def station(tmp_path):
    made = Station(Profile(tmp_path / "profile"), FrozenClock())
    made.room.add_class("三年级", 3).result()
    yield made
    made.close()


def refuse_strange(base: str) -> None:
    if base and not base.startswith("http"):
        raise UserError("address_refused")


def test_covers_wait_for_the_catalogue(station) -> None:
    desk = SetupDesk(station, refuse_strange)
    assert desk.wish((WISH,)).result() == ()
    assert desk.wishes() == (WISH,)
    station.catalogue.put_books(SourceId("demo"), (BOOK,))
    assert [book.id for book in desk.books(3, "数学").result()] == ["b3"]
    assert len(desk.meet_wishes().result()) == 1
    assert station.room.snapshot().chosen_books[0].book == "b3"
    assert desk.meet_wishes().result() == ()
    desk.close()


def test_sources_are_added_and_listed(station, tmp_path) -> None:
    desk = SetupDesk(station, refuse_strange)
    with pytest.raises(UserError, match="address_refused"):
        desk.add_platform("ftp://x", None).result()
    assert desk.sources().result() == ()
    assert desk.add_platform(" http://127.0.0.1:9 ", None).result() is None
    assert [(one.id, one.address) for one in desk.sources().result()] == [
        ("platform", "http://127.0.0.1:9")
    ]
    missing = tmp_path / "none.json"
    with pytest.raises(UserError):
        desk.add_platform("", missing).result()
    token = tmp_path / "token.json"
    token.write_text('{"access_token": "abc"}')
    assert desk.add_platform("", token).result() is not None
    desk.close()


def test_work_is_done_in_the_order_it_was_asked_for(station) -> None:
    """SE1."""
    seen = []
    desk = SetupDesk(station, lambda base: seen.append((base, threading.get_ident())))
    futures = [desk.add_platform(f"http://127.0.0.1:{n}", None) for n in range(1, 6)]
    for future in futures:
        future.result()
    assert [base[-1] for base, _ in seen] == ["1", "2", "3", "4", "5"]
    assert len({ident for _, ident in seen} - {threading.get_ident()}) == 1
    desk.close()
