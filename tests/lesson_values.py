"""Lessons for tests that need no catalogue, and how hypothesis makes odd ones."""

from hypothesis import strategies as st

from client.domain.catalogue import (
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Tag,
)
from client.domain.ids import BookId, LessonId, PartId, SectionId, SourceId

_TEXT = st.text(max_size=12)
_NUMBER = st.integers(0, 1 << 40)
_SECONDS = st.floats(0, 1e6)


def a_file(
    path: str = "/a.pdf",
    use: FileUse = FileUse.DOCUMENT,
    *,
    height: int = 0,
    size: int = 10,
    protected: bool = False,
    md5: str = "",
) -> RemoteFile:
    return RemoteFile(
        path=path,
        urls=(f"https://r1-ndr-private.ykt.cbern.com.cn{path}",),
        format=path.rpartition(".")[2],
        flags=(),
        use=use,
        size_bytes=size,
        height=height,
        is_protected=protected,
        md5=md5,
    )


def a_part(
    role: Role, *files: RemoteFile, key: str = "", lesson: str = "l1", position: int = 0
) -> Part:
    return Part(
        id=PartId(key or f"p-{role.name.lower()}"),
        lesson=LessonId(lesson),
        role=role,
        title=role.name,
        label="",
        position=position,
        period=0,
        files=files,
    )


def a_lesson(*parts: Part, key: str = "l1", title: str = "分一分") -> Lesson:
    return Lesson(
        id=LessonId(key),
        source=SourceId("platform"),
        kind=LessonKind.NATIONAL,
        title=title,
        place=Placement(grade="三年级", subject="数学"),
        parts=parts,
        has_detail=True,
    )


FILES = st.builds(
    RemoteFile,
    path=_TEXT,
    urls=st.lists(_TEXT, max_size=3).map(tuple),
    format=_TEXT,
    flags=st.lists(_TEXT, max_size=3).map(tuple),
    use=st.sampled_from(FileUse),
    md5=_TEXT,
    size_bytes=_NUMBER,
    is_protected=st.booleans(),
    height=_NUMBER,
    total_bytes=_NUMBER,
    segments=_NUMBER,
    duration_s=_SECONDS,
    pages=_NUMBER,
)
PARTS = st.builds(
    Part,
    id=_TEXT.map(PartId),
    lesson=_TEXT.map(LessonId),
    role=st.sampled_from(Role),
    title=_TEXT,
    label=_TEXT,
    position=st.integers(-5, 99),
    period=st.integers(-1, 9),
    duration_s=_SECONDS,
    files=st.lists(FILES, max_size=3).map(tuple),
)
LESSONS = st.builds(
    Lesson,
    id=_TEXT.map(LessonId),
    source=_TEXT.map(SourceId),
    kind=st.sampled_from(LessonKind),
    title=_TEXT,
    place=st.builds(
        Placement, stage=_TEXT, grade=_TEXT, subject=_TEXT, edition=_TEXT, volume=_TEXT
    ),
    book=st.none() | _TEXT.map(BookId),
    sections=st.lists(_TEXT.map(SectionId), max_size=3).map(tuple),
    section_titles=st.lists(_TEXT, max_size=3).map(tuple),
    position=_NUMBER,
    week=_TEXT,
    provider=_TEXT,
    periods=st.lists(st.lists(_TEXT.map(PartId), max_size=3).map(tuple), max_size=3).map(tuple),
    tags=st.lists(st.builds(Tag, dimension=_TEXT, id=_TEXT, name=_TEXT), max_size=3).map(tuple),
    parts=st.lists(PARTS, max_size=3).map(tuple),
    has_detail=st.booleans(),
)
