"""One life of a fetching room as a process of its own, so that it can be killed.

    python -m tests.fetch_child PROFILE BASE LESSON

Prints a line for each file that is here for good, as soon as it is (what an observer may rely
on), and `complete` at the end.
"""

import sys
from pathlib import Path

from client.domain.ids import LessonId
from tests.fetch_room import fetch_room


def main() -> int:
    """Fetch one lesson."""
    profile, base, lesson_id = Path(sys.argv[1]), sys.argv[2], LessonId(sys.argv[3])
    with fetch_room(profile, base) as room:

        def tell(lesson: LessonId) -> None:
            for holding in room.holdings.of_lesson(lesson):
                if holding.blob is not None:
                    print(f"{holding.path} {holding.blob.digest}", flush=True)

        room.holdings.subscribe(tell)
        lesson = room.catalogue.lesson(lesson_id) or room.holdings.lesson(lesson_id)
        assert lesson is not None
        report = room.fetch(lesson)
        if report.is_complete:
            print("complete", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
