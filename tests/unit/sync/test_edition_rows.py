"""Rows of an edition and the catalogue's own values (sync.protocol.edition_rows)."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.edition import Attested, Group
from client.domain.errors import ProtocolError
from client.domain.ids import Digest, LessonId
from sync.protocol.edition_rows import MAX_TEXT, book_of, group_of, rows_of
from sync.protocol.row_stream import in_order, key_of
from tests.catalogue_world import film, groups, one_lesson


def back(group: Group) -> Group:
    rows = [decode_array(encode(row)) for row in rows_of(group)]
    assert [key_of(row) for row in rows] == sorted(key_of(row) for row in rows)
    assert {book_of(row) for row in rows} <= {group.key}
    return group_of(group.key, rows)


@given(groups())
def test_w1_what_is_written_is_read(group):
    """W1: every value of every record, in any order of lessons."""
    read = back(group)
    assert (read.key, read.book, read.sections) == (group.key, group.book, group.sections)
    assert sorted(read.lessons, key=lambda one: one.id) == sorted(
        group.lessons, key=lambda one: one.id
    )
    protected = {
        file.path
        for lesson in group.lessons
        for part in lesson.parts
        for file in part.files
        if file.is_protected
    }
    shown = {one.path: one for one in read.attested}
    for one in group.attested:
        assert shown.get(one.path) == one or one.path in protected


def test_w1_half_characters_and_novels_are_cut():
    """W1: what no reader takes is not written."""
    file, told = film(b"x")
    group = one_lesson(file)
    title = "\0\ud800" + "长" * (MAX_TEXT + 1)
    group = replace(group, lessons=(replace(group.lessons[0], title=title),), attested=(told,))
    assert back(group).lessons[0].title == "?" + "长" * (MAX_TEXT - 1)


@pytest.mark.parametrize("changes", [{"is_protected": True}, {}])
def test_w2_what_may_not_be_handed_on_has_no_digest(changes):
    """W2: neither written, nor read where somebody else wrote it."""
    file, told = film(b"x", **changes)
    group = one_lesson(file)
    kept = replace(told, may_relay=bool(changes))
    rows = rows_of(replace(group, attested=(kept,)))
    spoken = rows[-1][-1][0][-1][0]
    assert spoken[13:16] == [b"", 0, b""]
    assert group_of(group.key, rows).attested == ()
    spoken[13:16] = [bytes.fromhex(told.digest), 1, b""]
    assert group_of(group.key, rows).attested == ()


def test_w2_a_digest_that_may_be_told_is_told():
    """W2: the other half."""
    file, told = film(b"x")
    named = replace(told, manifest=told.digest)
    assert back(replace(one_lesson(file), attested=(named,))).attested == (named,)
    assert Attested(path="", digest=Digest(""), size_bytes=0, manifest=Digest("")).may_relay


ANYTHING = st.recursive(
    st.integers(-(2**60), 2**60) | st.binary(max_size=40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=20),
    max_leaves=60,
)


@given(groups(), st.data())
def test_w3_rows_of_anybody_are_read_or_refused(group, data):
    """W3: one value of a good row is changed for any other, at any depth."""
    rows = rows_of(group)
    if not rows:
        return
    place = data.draw(st.sampled_from(rows))
    while True:
        at = data.draw(st.integers(0, len(place) - 1))
        if isinstance(place[at], list) and place[at] and data.draw(st.booleans()):
            place = place[at]
            continue
        place[at] = data.draw(ANYTHING)
        break
    try:
        found = group_of(group.key, rows)
        for row in rows:
            book_of(row)
    except ProtocolError:
        return
    assert isinstance(found, Group)


def broken(row: int, at: tuple[int, ...], value: object) -> None:
    file, told = film(b"x")
    rows = rows_of(replace(one_lesson(file), attested=(told,)))
    place = rows[row]
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = value
    with pytest.raises(ProtocolError):
        group_of("b-1", rows)


@pytest.mark.parametrize(
    ("row", "at", "value"),
    [
        (0, (1,), 9),
        (0, (5,), ["a"]),
        (0, (6,), [1]),
        (0, (4,), "x" * (MAX_TEXT + 1)),
        (0, (4,), "x\0"),
        (1, (4,), "no kind"),
        (1, (9,), -1),
        (1, (13,), [1]),
        (1, (15,), [[]]),
        (1, (15, 0, 7), [[]]),
        (1, (15, 0, 7, 0, 13), b"short"),
        (1, (15, 0, 7, 0, 15), b"short"),
        (1, (15,), 0),
    ],
)
def test_w3_each_kind_of_wrong_row_is_refused(row, at, value):
    """W3: the tables of the module, one by one."""
    broken(row, at, value)


def test_w1_what_only_looks_like_a_short_form_is_kept_as_text():
    """W1: ids and digests that are none, or are written otherwise."""
    file, _ = film(b"x", md5="not hexadecimal")
    for name in ("x" * 36, "0A" * 4 + "-0000-0000-0000-000000000000"):
        group = one_lesson(file, name)
        assert back(group).lessons == group.lessons


def test_w3_reading_a_hostile_group_takes_bounded_memory():
    """W3: the costliest rows that fit, read as a room reads them."""
    file, _ = film(b"x")
    bare = replace(file, path="p", format="", duration_s=0.0)
    group = one_lesson(file)
    part = replace(group.lessons[0].parts[0], files=(bare,) * 3_500)
    rows = [
        encode(
            rows_of(
                replace(
                    group,
                    lessons=(replace(group.lessons[0], id=LessonId(f"{n:03}"), parts=(part,)),),
                )
            )[1]
        )
        for n in range(20)
    ]
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError) as told:
            group_of("b-1", in_order(rows))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told.value.code == "too_large"
    assert peak < 64 << 20
