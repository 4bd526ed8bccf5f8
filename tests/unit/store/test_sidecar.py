"""Sidecars say exactly what they were told, and refuse whatever else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import Role
from client.domain.errors import ProtocolError
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId, PartId
from client.store.sidecar import Held, Sidecar, decode, encode, file_name
from tests.lesson_values import LESSONS, a_file, a_lesson, a_part

HELD = st.builds(
    Held,
    part=st.text(max_size=8).map(PartId),
    path=st.text(max_size=8),
    blob=st.builds(
        Blob,
        digest=st.binary(min_size=32, max_size=32).map(lambda b: Digest(b.hex())),
        ext=st.sampled_from([".pdf", ".ts"]),
        size_bytes=st.integers(0, 1 << 40),
        trust=st.sampled_from(Trust),
        decodes=st.sampled_from(Decodes),
        verified_at=st.text(max_size=8),
    ),
)


@settings(max_examples=60, deadline=None)
@given(lesson=LESSONS, held=st.lists(HELD, max_size=3).map(tuple))
def test_what_was_written_is_read(lesson, held) -> None:
    sidecar = Sidecar(lesson=lesson, held=held)
    assert decode(encode(sidecar)) == sidecar


def whole() -> dict[str, Any]:
    lesson = a_lesson(a_part(Role.TASK, a_file()))
    blob = Blob(digest=Digest("ab" * 32), ext=".pdf", size_bytes=3, trust=Trust.ATTESTED)
    data = encode(Sidecar(lesson=lesson, held=(Held(part=PartId("p"), path="/a", blob=blob),)))
    return dict(json.loads(data))


def broken(change: Any) -> bytes:
    document = whole()
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 5000,
        broken(lambda d: d.update(format=2)),
        broken(lambda d: d.pop("lesson")),
        broken(lambda d: d["lesson"].update(title=3)),
        broken(lambda d: d["lesson"].update(position=True)),
        broken(lambda d: d["lesson"].update(kind="SECRET")),
        broken(lambda d: d["lesson"].update(sections=[1])),
        broken(lambda d: d["lesson"].update(periods=["p"])),
        broken(lambda d: d["lesson"]["parts"][0].update(duration_s="long")),
        broken(lambda d: d["lesson"].update(parts=[3])),
        broken(lambda d: d["held"][0]["blob"].update(digest="../../etc/passwd")),
    ],
)
def test_anything_else_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="sidecar_damaged"):
        decode(data)


def test_a_number_of_seconds_may_be_whole() -> None:
    assert decode(broken(lambda d: d["lesson"]["parts"][0].update(duration_s=3)))


def test_an_odd_id_cannot_leave_the_folder() -> None:
    assert file_name(LessonId("381daab7-bd09-4763")) == "381daab7-bd09-4763.json"
    assert "/" not in file_name(LessonId("../../x"))
    assert file_name(LessonId("a/b")) != file_name(LessonId("a:b"))
