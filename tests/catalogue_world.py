"""Groups of a catalogue for tests of editions: any, and those of the generator."""

import hashlib
import uuid
from dataclasses import replace

from hypothesis import strategies as st

from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
    Tag,
)
from client.domain.edition import Attested, Group
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId

MATHS = Placement(stage="小学", grade="三年级", subject="数学", edition="人教版", volume="上册")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = texts.filter(bool)
uuids = st.integers(0, 2**128 - 1).map(lambda n: str(uuid.UUID(int=n)))
ids = st.one_of(uuids, names, uuids.map(str.upper))
small = st.integers(0, 300)
places = st.just(MATHS) | st.builds(Placement, stage=texts, grade=texts, subject=texts)
tags = st.lists(st.builds(Tag, dimension=texts, id=ids, name=texts), max_size=2).map(tuple)
digests = st.binary(min_size=32, max_size=32).map(lambda data: Digest(data.hex()))
seconds = st.integers(0, 10**7).map(lambda ms: ms / 1000)
files = st.builds(
    RemoteFile,
    path=names,
    urls=st.lists(texts, max_size=2).map(tuple),
    format=texts,
    flags=st.lists(texts, max_size=2).map(tuple),
    use=st.sampled_from(FileUse),
    md5=st.one_of(st.binary(min_size=16, max_size=16).map(bytes.hex), texts),
    size_bytes=small,
    is_protected=st.booleans(),
    height=small,
    total_bytes=small,
    segments=small,
    duration_s=seconds,
    pages=small,
)


@st.composite
def groups(draw) -> Group:
    """One group, with or without a book."""
    book = draw(
        st.none()
        | st.builds(
            Book,
            id=ids.map(BookId),
            source=names.map(SourceId),
            title=texts,
            place=places,
            tags=tags,
            provider=texts,
        )
    )
    key = "" if book is None else str(book.id)
    sections = [
        Section(id=SectionId(id_), book=BookId(key), parent=None, position=at, title=draw(texts))
        for at, id_ in enumerate(draw(st.lists(ids, max_size=3 * bool(key), unique=True)))
    ]
    lessons = tuple(
        draw(lesson(LessonId(id_), book)) for id_ in draw(st.lists(ids, max_size=3, unique=True))
    )
    paths = {file.path: file for one in lessons for part in one.parts for file in part.files}
    attested = [
        Attested(path=path, digest=draw(digests), size_bytes=draw(small), manifest=Digest(""))
        for path in draw(
            st.lists(st.sampled_from(sorted(paths)), unique=True) if paths else st.just([])
        )
    ]
    return Group(
        key=key,
        book=book,
        sections=tuple(sections),
        lessons=lessons,
        attested=tuple(attested),
    )


@st.composite
def lesson(draw, id_: LessonId, book: Book | None) -> Lesson:
    """One lesson of a book, or of none."""
    parts = tuple(
        Part(
            id=PartId(part),
            lesson=id_,
            role=draw(st.sampled_from(Role)),
            title=draw(texts),
            label=draw(texts),
            position=at,
            period=draw(st.integers(-1, 3)),
            duration_s=draw(seconds),
            files=tuple(draw(st.lists(files, max_size=2, unique_by=lambda file: file.path))),
        )
        for at, part in enumerate(draw(st.lists(ids, max_size=2, unique=True)))
    )
    return Lesson(
        id=id_,
        source=SourceId(draw(names)),
        kind=draw(st.sampled_from(LessonKind)),
        title=draw(texts),
        place=draw(places),
        book=None if book is None else book.id,
        sections=tuple(SectionId(one) for one in draw(st.lists(ids, max_size=2))),
        section_titles=() if book is not None else tuple(draw(st.lists(texts, max_size=2))),
        position=draw(small),
        week=draw(texts),
        provider=draw(texts),
        periods=tuple((part.id,) for part in parts),
        tags=draw(tags),
        parts=parts,
        has_detail=bool(parts),
    )


def film(data: bytes, name: str = "film", **changes: object) -> tuple[RemoteFile, Attested]:
    """A file and what an edition says of its bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    file = RemoteFile(
        path=f"/{name}.mp4",
        urls=(),
        format="mp4",
        flags=(),
        use=FileUse.VIDEO_FILE,
        size_bytes=len(data),
    )
    told = Attested(
        path=file.path, digest=Digest(sha256), size_bytes=len(data), manifest=Digest("")
    )
    return replace(file, **changes), told  # type: ignore[arg-type]


def one_lesson(file: RemoteFile, name: str = "l-1", book: str = "b-1") -> Group:
    """A book with one lesson that has one file."""
    shelf = Book(id=BookId(book), source=SourceId("hub"), title="数学", place=MATHS)
    part = Part(
        id=PartId(f"{name}-p"),
        lesson=LessonId(name),
        role=Role.VIDEO,
        title="课",
        label="",
        position=0,
        period=-1,
        files=(file,),
    )
    lesson_ = Lesson(
        id=LessonId(name),
        source=SourceId("hub"),
        kind=LessonKind.FOLDER,
        title="分一分",
        place=MATHS,
        book=shelf.id,
        parts=(part,),
        has_detail=True,
    )
    return Group(key=book, book=shelf, lessons=(lesson_,))
