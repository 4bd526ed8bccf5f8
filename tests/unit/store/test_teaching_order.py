"""The two ways to ask for a book's order agree, and several details are those asked one by one."""

from dataclasses import replace

from client.domain.catalogue import LessonKind
from client.domain.ids import LessonId, PartId
from tests.generator.lessons import SOURCE, generate
from tests.library_room import LibraryRoom


def test_steps_of_a_book_stand_as_its_lessons_do(tmp_path):
    room = LibraryRoom(tmp_path)
    made = next(iter(generate(60)))
    room.put(made)
    loose = replace(made.lessons[0], id=LessonId("loose"), sections=(), section_titles=())
    room.catalogue.put_lessons(SOURCE, (*made.lessons, loose))
    first = made.lessons[3]
    room.catalogue.put_whole(
        (replace(first, has_detail=True, periods=((PartId("a"),), (PartId("b"),))),)
    )
    order = room.catalogue.lessons_of_book(made.book.id)
    steps = room.catalogue.periods_of_book(made.book.id)
    assert steps == tuple((one.id, max(1, len(one.periods))) for one in order)
    assert steps[-1][0] == "loose"
    assert dict(steps)[first.id] == 2


def test_exercises_are_no_lessons_of_a_class(tmp_path):
    """They are found and listed, but no slot of the week ever points at them."""
    room = LibraryRoom(tmp_path)
    made = next(iter(generate(20)))
    room.put(made)
    last = made.lessons[-1]
    questions = replace(last, id=LessonId("q"), kind=LessonKind.QUESTIONS, position=10**6)
    room.catalogue.put_lessons(SOURCE, (*made.lessons, questions))
    assert "q" in room.catalogue.ids_of_book(made.book.id)
    assert "q" in {one.id for one in room.library.lessons_of_now(made.book.id)}
    assert "q" not in {one.id for one in room.catalogue.lessons_of_book(made.book.id)}
    assert "q" not in dict(room.catalogue.periods_of_book(made.book.id))


def test_l1_details_of_many_are_those_of_each_in_a_fixed_number_of_statements(tmp_path):
    room = LibraryRoom(tmp_path)
    made = next(iter(generate(60)))
    room.put(made)
    ids = [one.id for one in made.lessons]
    together = room.library.details_now([*ids, LessonId("unknown")])
    assert together == {one: room.library.detail_now(one) for one in ids}
    assert room.library.details_now([]) == {}
