"""near_rules, near_check, near_board, near_book: who is believed, asked, and waited for."""

import itertools
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import FileUse
from client.domain.clock import FrozenClock
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId
from client.service.text import english
from sync.engine.near_board import LINGER_S, NearBoard
from sync.engine.near_book import BAN_S, FORGET_S, MOST_PEERS, REST_S, Found, NearBook
from sync.engine.near_check import Facts, Finding, PeerFacts, find, why
from sync.engine.near_rules import (
    MOST_WAIT_S,
    SPREAD_S,
    STALL_S,
    STRANGER_S,
    Proof,
    first_of,
    may_wait,
    proof_of,
    start_delay_s,
    waited,
    why_not,
)
from sync.protocol.near import Card, Coming, NearFile
from sync.source.folder import NO_RELAY
from sync.transport.knock import Knock
from tests.lesson_values import a_file

DIGEST, OTHER = Digest("ab" * 32), Digest("cd" * 32)
LESSON = LessonId("lesson")


def blob(trust: Trust = Trust.ATTESTED, decodes: Decodes = Decodes.YES) -> Blob:
    return Blob(digest=DIGEST, ext=".x", size_bytes=7, trust=trust, decodes=decodes)


def stream(**more):
    return replace(a_file("/a.m3u8", FileUse.RENDITION, md5="x", size=3), total_bytes=7, **more)


# --- what is passed on -----------------------------------------------------------------------


@pytest.mark.parametrize("is_withdrawn", [False, True])
@pytest.mark.parametrize("flags", [(), (NO_RELAY,)])
@pytest.mark.parametrize("is_protected", [False, True])
@pytest.mark.parametrize("trust", list(Trust))
@pytest.mark.parametrize("has_marks", [False, True])
def test_nu1_what_is_barred_is_never_passed_on(is_withdrawn, flags, is_protected, trust, has_marks):
    """NU1: whatever else holds; and what is not, is passed on as the table says."""
    file = stream(flags=flags, is_protected=is_protected)
    said = why_not(file, blob(trust), is_withdrawn=is_withdrawn, has_marks=has_marks)
    is_barred = is_withdrawn or is_protected or bool(flags)
    assert bool(said) is (is_barred or (trust is Trust.OBSERVED and not has_marks))


def test_nu1_what_was_only_observed_and_is_no_film_that_plays_stays_here():
    """NU1"""
    seen = blob(Trust.OBSERVED, Decodes.NO)
    assert why_not(stream(), seen, is_withdrawn=False, has_marks=True) == "observed"
    paper = a_file("/a.pdf")
    seen = blob(Trust.OBSERVED)
    assert why_not(paper, seen, is_withdrawn=False, has_marks=True) == "observed"


# --- what is taken ---------------------------------------------------------------------------


def offer(digest: Digest = DIGEST, size: int = 7, marks: Digest = DIGEST) -> NearFile:
    return NearFile(path="/a", digest=digest, size_bytes=size, marks=marks)


@given(
    told=st.sets(st.sampled_from([DIGEST, OTHER])),
    digest=st.sampled_from([DIGEST, OTHER]),
    size=st.sampled_from([7, 8]),
    marks=st.sampled_from([DIGEST, Digest("")]),
    md5=st.sampled_from(["", "x"]),
    is_stream=st.booleans(),
    is_known=st.booleans(),
)
def test_nu2_nothing_is_taken_that_does_not_prove_itself(  # noqa: PLR0917 - a table
    told, digest, size, marks, md5, is_stream, is_known
):
    """NU2"""
    file = stream() if is_stream else a_file("/a.pdf", md5=md5, size=7)
    proof = proof_of(file, told, offer(digest, size, marks), is_known=is_known)
    if told:
        assert (proof is Proof.DIGEST) is (digest in told)
    elif is_stream:
        assert (proof is Proof.SIGNED) is (is_known and bool(marks) and size == 7)
    else:
        assert (proof is Proof.MD5) is (bool(md5) and size == 7)
    assert proof is None or told or size == 7


# --- when ------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=9))
def test_nu3_a_start_is_put_off_by_a_time_of_its_own(node, lesson):
    """NU3"""
    delay = start_delay_s(node, LessonId(lesson))
    assert 0 <= delay < SPREAD_S
    assert delay == start_delay_s(node, LessonId(lesson))


def test_nu3_five_pcs_begin_at_five_times():
    """NU3"""
    assert len({round(start_delay_s(bytes([n]) * 32, LESSON), 3) for n in range(5)}) == 5


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_nu4_of_all_who_began_one_goes_on(ages):
    """NU4: whoever is alone the oldest waits for nobody, everybody else for somebody."""
    for at, own in enumerate(ages):
        others = [
            Coming(path="/a", age_ms=age, bytes_done=0) for n, age in enumerate(ages) if n != at
        ]
        first = first_of(others, own)
        assert (first is None) is (own == max(ages))
        assert first is None or first.age_ms == max(one.age_ms for one in others)


@given(st.lists(st.tuples(st.floats(0.1, 100), st.integers(0, 9)), max_size=400), st.booleans())
def test_nu4_waiting_ends(looks, is_known):
    """NU4: after its bound, or a while without a byte."""
    wait, now, most = None, 0.0, 0
    for step, done in looks:
        now += step
        wait = waited(wait, done, now)
        most = max(most, done)
        assert wait.bytes_done in (most, done)
        if may_wait(wait, now, is_known=is_known):
            assert now - wait.since_s < (MOST_WAIT_S if is_known else STRANGER_S)
            assert now - wait.grew_s < STALL_S
    last = waited(None, 0, now)
    assert not may_wait(last, now + 2 * STALL_S, is_known=is_known)


@pytest.mark.parametrize(("is_known", "most_s"), [(True, MOST_WAIT_S), (False, STRANGER_S)])
def test_nu4_waiting_ends_even_for_one_that_gets_somewhere(is_known, most_s):
    """NU4"""
    wait, now = waited(None, 0, 0.0), 0.0
    while may_wait(wait, now, is_known=is_known):
        now += STALL_S / 2
        wait = waited(wait, wait.bytes_done + 1, now)
        assert now <= most_s
    assert now == most_s


# --- the board -------------------------------------------------------------------------------


def test_nd1_a_file_stands_on_the_board_while_it_is_brought_and_a_while_after():
    """ND1: what goes on soon goes on with its age."""
    clock = FrozenClock()
    board, done = NearBoard(clock), [5]
    board.say(["/a"])
    assert board.age_ms("/a") == -1
    with board.bringing(LESSON, lambda: done[0]):
        board.say(["/a", "/b"])
        clock.advance(2)
        board.say(["/b", "/c"])
        clock.advance(1)
        done[0] = 9
        seen = (
            Coming(path="/b", age_ms=3000, bytes_done=9),
            Coming(path="/c", age_ms=1000, bytes_done=9),
        )
        assert board.coming(LESSON) == seen
        assert (board.age_ms("/b"), board.age_ms("/a")) == (3000, -1)
        assert board.coming(LessonId("other")) == ()
    done[0] = 99
    clock.advance(LINGER_S - 1)
    assert [one.bytes_done for one in board.coming(LESSON)] == [9, 9]
    with pytest.raises(ZeroDivisionError), board.bringing(LESSON, int):
        board.say(["/b"])
        assert board.age_ms("/b") == 2000 + LINGER_S * 1000
        raise ZeroDivisionError
    clock.advance(LINGER_S)
    assert board.coming(LESSON) == ()
    with board.bringing(LESSON, int):
        board.say(["/b"])
        assert board.age_ms("/b") == 0


# --- the book --------------------------------------------------------------------------------

CARD = Card(key=b"k" * 32, port=8521, room="r")


def book() -> tuple[NearBook, FrozenClock]:
    clock = FrozenClock()
    return NearBook(b"own", clock), clock


def card(number: int, port: int = 8521) -> Card:
    return Card(key=number.to_bytes(32, "big"), port=port)


def test_nb1_who_gave_wrong_bytes_twice_is_left_alone_for_a_day():
    """NB1: whatever port or key it shows then."""
    known, clock = book()
    known.heard("10.0.0.1", CARD, Found.BROADCAST)
    (peer,) = known.open()
    known.lied(peer)
    assert known.open()
    known.lied(peer)
    assert not known.open()
    clock.advance(BAN_S - 1)
    known.heard("10.0.0.1", card(9, 99), Found.ZEROCONF)
    assert not known.open()
    assert known.all()[0].bad
    clock.advance(1)
    assert known.open()
    known.lied(peer)
    assert known.open(), "the count began anew"


def test_nb1_who_does_not_answer_rests():
    """NB1"""
    known, clock = book()
    known.heard("10.0.0.1", CARD, Found.BROADCAST)
    (peer,) = known.open()
    known.failed(peer)
    assert not known.open()
    assert known.all()[0].answered is False
    known.heard("10.0.0.1", CARD, Found.BROADCAST)
    assert not known.open(), "a sign of life is no answer"
    clock.advance(REST_S)
    assert known.open()
    known.answered(peer)
    assert known.all()[0].answered
    known.failed(peer)
    known.heard("10.0.0.1", card(1, 9), Found.BROADCAST)
    assert known.open(), "another program: nobody knows yet"
    known.clear()
    known.failed(peer)
    assert known.all() == ()


def test_nb2_who_is_quiet_is_forgotten_unless_typed():
    """NB2"""
    known, clock = book()
    known.heard("10.0.0.1", card(1), Found.BROADCAST)
    known.heard("10.0.0.2", card(2), Found.TYPED)
    clock.advance(FORGET_S)
    assert [peer.host for peer in known.all()] == ["10.0.0.2"]


def test_nb3_the_air_may_be_full_of_cards():
    """NB3: and of lies."""
    known, _ = book()
    heard: list[int] = []
    known.subscribe(lambda: heard.append(1))
    for number in range(MOST_PEERS + 9):
        known.heard(f"10.0.0.{number}", card(number), Found.BROADCAST)
        known.heard("10.0.0.1", card(number, 99), Found.BROADCAST)
    assert len(known.all()) == MOST_PEERS == len(heard), "only who is new is told"
    for peer in known.all():
        known.lied(peer, 2)
    assert not known.open()
    other, _ = book()
    other.heard("10.0.1.1", CARD, Found.TYPED)
    known.lied(other.open()[0], 2)
    assert len(known.open()) == 1, "one of them is asked again sooner than it deserves"


def test_nb3_a_pc_with_two_addresses_is_one_while_the_first_answers():
    """NB3: its own card is nobody's."""
    known, _ = book()
    known.heard("10.0.0.9", Card(key=b"own", port=1), Found.BROADCAST)
    known.heard("10.0.0.1", CARD, Found.BROADCAST)
    known.heard("10.0.1.1", CARD, Found.ZEROCONF)
    assert [peer.host for peer in known.all()] == ["10.0.0.1"]
    known.failed(known.open()[0])
    known.heard("10.0.1.1", CARD, Found.ZEROCONF)
    assert len(known.all()) == 2
    assert known.all()[0].base == "http://10.0.0.1:8521"


def test_who_answered_and_who_was_typed_are_asked_first():
    """NB3: so that many strangers crowd nobody out."""
    known, _ = book()
    for number, how in ((1, Found.ZEROCONF), (2, Found.TYPED), (3, Found.BROADCAST)):
        known.heard(f"10.0.0.{number}", card(number), how)
    assert [peer.card.key[-1] for peer in known.open()] == [2, 1, 3]
    known.answered(known.open()[2])
    assert [peer.card.key[-1] for peer in known.open()] == [3, 2, 1]


def test_nb1_threads_may_all_speak_at_once():
    """NB1"""
    known, _ = book()
    known.heard("10.0.0.1", CARD, Found.TYPED)
    (peer,) = known.open()
    threads = [threading.Thread(target=known.lied, args=(peer,)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert known.all()[0].bad == 8


# --- the check -------------------------------------------------------------------------------

PEERS = [
    PeerFacts(is_heard=h, is_same_network=s, knock=k, is_left_alone=b)
    for h, s, k, b in itertools.product((False, True), (False, True), (None, *Knock), (False, True))
]


@given(
    st.builds(
        Facts,
        is_on=st.booleans(),
        has_network=st.booleans(),
        is_listening=st.booleans(),
        is_reached=st.sampled_from([None, False, True]),
        peers=st.lists(st.sampled_from(PEERS), max_size=4),
    )
)
def test_nk1_every_set_of_facts_has_a_finding_with_words(facts):
    """NK1: and it is fine only where somebody answers."""
    finding = find(facts)
    assert {f"reason.{finding.value}", f"hint.{finding.value}"} <= english().keys()
    answers = any(peer.knock is Knock.OPEN for peer in facts.peers)
    if finding.is_fine:
        assert facts.is_on
        assert answers
        assert not finding.needs_stick
    if finding in (Finding.NOBODY, Finding.ISOLATED, Finding.REFUSED, Finding.UNANSWERED):
        assert not answers


def one(**facts) -> Finding:
    peer = PeerFacts(**{"is_heard": True, "is_same_network": True, **facts})
    return find(Facts(is_on=True, has_network=True, is_listening=True, peers=[peer]))


def test_nk1_the_causes_people_meet_are_told_apart():
    """NK1: the table, line by line."""
    here = {"is_on": True, "has_network": True, "is_listening": True}
    answers = PeerFacts(is_heard=True, is_same_network=True, knock=Knock.OPEN)
    assert find(Facts(is_on=False)) is Finding.OFF
    assert find(Facts(is_on=True)) is Finding.NO_NETWORK
    assert find(Facts(is_on=True, has_network=True)) is Finding.NO_PORT
    assert find(Facts(**here, peers=[answers], is_reached=False)) is Finding.BLOCKED_HERE
    assert find(Facts(**here, peers=[answers], is_reached=True)) is Finding.FINE
    assert find(Facts(**here)) is Finding.NOBODY
    assert one(knock=Knock.OPEN, is_heard=False) is Finding.UNHEARD
    assert one(knock=Knock.REFUSED) is Finding.REFUSED
    assert one(knock=Knock.SILENT) is Finding.ISOLATED
    assert one(knock=Knock.SILENT, is_heard=False) is Finding.UNANSWERED
    elsewhere = one(knock=Knock.SILENT, is_heard=False, is_same_network=False)
    assert elsewhere is Finding.OTHER_NETWORK
    assert elsewhere.needs_stick


@pytest.mark.parametrize("peer", PEERS)
def test_nk2_who_answers_is_usable_unless_it_lied(peer):
    """NK2: and every reason has words."""
    code, is_usable = why(peer)
    assert f"reason.{code}" in english()
    if peer.knock is Knock.OPEN:
        assert is_usable is not peer.is_left_alone
    if peer.knock in (Knock.SILENT, Knock.REFUSED):
        assert not is_usable
