"""A source in memory: what stands on the shelf is what it lists. The twin of `PlatformSource`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson, LessonKind, Placement, Section, Tag, TagNode
from client.domain.ids import BookId, LessonId, SectionId, SourceId
from client.domain.seen import Seen
from sync.source.port import DetailStatus, Found, Listing, Traffic, Unchanged

SHELF = SourceId("shelf")


def book(name: str, title: str = "", grade: str = "三年级") -> Book:
    """A small textbook."""
    place = Placement(stage="小学", grade=grade, subject="语文", edition="统编版", volume="上册")
    tag = Tag(dimension="zxxnj", id=f"tag-{grade}", name=grade)
    return Book(
        id=BookId(name), source=SHELF, title=title or name, place=place, tags=(tag,), provider="社"
    )


def lesson(
    name: str, of: str | None, title: str = "", kind: LessonKind = LessonKind.NATIONAL
) -> Lesson:
    """A lesson in the section `s1` of a book, or an e-textbook."""
    return Lesson(
        id=LessonId(name),
        source=SHELF,
        kind=kind if of else LessonKind.TEXTBOOK,
        title=title or name,
        place=book("b").place,
        book=BookId(of) if of else None,
        sections=(SectionId("s1"),) if of else (),
        position=1,
        tags=book("b").tags,
    )


@dataclass
class ShelfSource:
    """Everything may be changed between syncs. `raises` maps a call's name to what it raises."""

    on_shelf: dict[str, Book] = field(default_factory=dict)
    listed: dict[str, list[Lesson]] = field(default_factory=dict)
    texts: list[Lesson] = field(default_factory=list)
    tree: tuple[Section, ...] = ()
    nodes: tuple[TagNode, ...] = ()
    gone: set[str] = field(default_factory=set)
    details: dict[str, Lesson | Unchanged | DetailStatus] = field(default_factory=dict)
    raises: dict[str, Exception] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    on_call: Callable[[str], None] = lambda _: None
    probed: list[str] = field(default_factory=list)
    id: SourceId = SHELF
    connections: int = 2
    requests: int = 0

    @property
    def traffic(self) -> Traffic:
        return Traffic(requests=self.requests, bytes_received=10 * self.requests)

    def tags(self, cancel: CancelToken) -> Found[tuple[TagNode, ...]] | Unchanged:
        self._call("tags", cancel)
        return (
            Found(value=self.nodes, seen=(Seen(path="/tags"),))
            if self.nodes
            else Unchanged.UNCHANGED
        )

    def books(self, cancel: CancelToken) -> Listing[Book]:
        self._call("books", cancel)
        return Listing(
            records=tuple(self.on_shelf.values()), seen=(Seen(path="/books"),), skipped=1
        )

    def textbooks(self, cancel: CancelToken) -> Listing[Lesson]:
        self._call("textbooks", cancel)
        return Listing(records=tuple(self.texts))

    def sections(self, book: BookId, cancel: CancelToken) -> Found[tuple[Section, ...]] | Unchanged:
        self._call(f"sections {book}", cancel)
        tree = tuple(replace(section, book=book) for section in self.tree)
        return Found(value=tree) if tree else Unchanged.UNCHANGED

    def lessons(self, book: BookId, cancel: CancelToken) -> Listing[Lesson]:
        self._call(f"lessons {book}", cancel)
        records = tuple(self.listed.get(book, ()))
        return Listing(records=records, kept=self.kept, seen=(Seen(path=f"/{book}"),))

    def detail(
        self, lesson: Lesson, cancel: CancelToken
    ) -> Found[Lesson] | Unchanged | DetailStatus:
        self._call(f"detail {lesson.id}", cancel)
        answer = self.details.get(lesson.id, Unchanged.UNCHANGED)
        return Found(value=answer) if isinstance(answer, Lesson) else answer

    def is_gone(self, lesson: Lesson, cancel: CancelToken) -> bool:
        self._call(f"probe {lesson.id}", cancel)
        self.probed.append(lesson.id)
        return lesson.id in self.gone

    def is_book_gone(self, book: BookId, cancel: CancelToken) -> bool:
        self._call(f"probe {book}", cancel)
        self.probed.append(book)
        return book in self.gone

    def _call(self, name: str, cancel: CancelToken) -> None:
        cancel.check()
        self.requests += 1
        self.on_call(name)
        if name in self.raises:
            raise self.raises[name]
