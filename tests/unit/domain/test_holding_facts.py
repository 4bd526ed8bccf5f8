"""What is held of a part, folded: one test per line of the table, and what `cancel` wakes."""

import pytest

from client.domain.availability import Decodes, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Role
from client.domain.holding import Blob, Holding, main_files, part_facts, part_state
from client.domain.ids import Digest, LessonId, PartId
from tests.lesson_values import a_file, a_lesson, a_part

FILM = a_part(
    Role.VIDEO,
    a_file("/3.m3u8", FileUse.RENDITION),
    a_file("/7.m3u8", FileUse.RENDITION),
    a_file("/c.jpg", FileUse.IMAGE),
)


def held(path: str, state: PartState, decodes: Decodes = Decodes.UNKNOWN) -> Holding:
    blob = Blob(
        digest=Digest("0" * 64), ext=".ts", size_bytes=1, trust=Trust.OBSERVED, decodes=decodes
    )
    return Holding(
        lesson=LessonId("l1"),
        part=PartId("p-video"),
        path=path,
        state=state,
        blob=blob if state is PartState.PRESENT else None,
    )


@pytest.mark.parametrize(
    ("holdings", "withdrawn", "state"),
    [
        ([held("/3.m3u8", PartState.PRESENT)], True, PartState.PRESENT),
        ([held("/old.m3u8", PartState.PRESENT)], False, PartState.PRESENT),
        ([], True, PartState.WITHDRAWN),
        ([held("/3.m3u8", PartState.PROTECTED)], False, PartState.PROTECTED),
        (
            [held("/3.m3u8", PartState.FAILED), held("/7.m3u8", PartState.FETCHING)],
            False,
            PartState.FETCHING,
        ),
        ([held("/3.m3u8", PartState.FAILED)], False, PartState.FAILED),
        ([held("/c.jpg", PartState.FAILED)], False, PartState.ABSENT),
        ([], False, PartState.ABSENT),
    ],
)
def test_the_first_line_that_fits_decides(
    holdings: list[Holding], withdrawn: bool, state: PartState
) -> None:
    assert part_state(FILM, holdings, withdrawn=withdrawn) is state


def test_a_protected_film_is_protected_whatever_its_cover_is() -> None:
    part = a_part(
        Role.VIDEO,
        a_file("/3.m3u8", FileUse.RENDITION, protected=True),
        a_file("/c.jpg", FileUse.IMAGE),
    )
    assert part_state(part, ()) is PartState.PROTECTED
    assert main_files(a_part(Role.TASK, a_file("/a.json", FileUse.OTHER))) == ()


def test_a_film_decodes_when_one_of_its_files_does() -> None:
    lesson = a_lesson(FILM, a_part(Role.TASK, a_file("/t.pdf")))
    film, task = part_facts(
        lesson,
        [
            held("/3.m3u8", PartState.PRESENT, Decodes.NO),
            held("/7.m3u8", PartState.PRESENT, Decodes.YES),
        ],
    )
    assert (film.is_video, film.decodes, film.is_usable) == (True, Decodes.YES, True)
    assert (task.is_video, task.state) == (False, PartState.ABSENT)
    (film, _) = part_facts(lesson, [held("/3.m3u8", PartState.PRESENT, Decodes.NO)])
    assert film.decodes is Decodes.NO


def test_a_token_wakes_what_waits_once_and_forgets_what_is_done() -> None:
    token = CancelToken()
    woken: list[str] = []
    token.on_cancel(lambda: woken.append("one"))
    forget = token.on_cancel(lambda: woken.append("two"))
    forget()
    forget()
    token.cancel()
    token.cancel()
    token.on_cancel(lambda: woken.append("late"))()
    assert woken == ["one", "late"]
