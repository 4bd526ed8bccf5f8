"""One event of every type with fixed values: the material of golden bytes and fold tests."""

from client.domain.ids import BookId, ClassId, EventId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event
from client.domain.record.table import pack, spec_of
from client.domain.timetable import TeachingMode, Weeks

C3, C5 = ClassId("c3"), ClassId("c5")
SITTING = SittingId("00112233aabbccdd")
LESSON = LessonId("5f0c6c0a-8a8b-4a2d-9d5d-0a3f6f4c9a01")
BOOK = BookId("b7c2a3b0-0000-4000-8000-000000000003")
SEEN = (EventId(bytes(range(16))),)
KEY, NONCE = bytes(range(32)), bytes(range(16))

BODIES: tuple[b.Body, ...] = (
    b.Incarnation(
        public_key=KEY,
        nonce=NONCE,
        why=b.WhyIncarnation.RESTORED,
        predecessors=((bytes(8), bytes(range(32))),),
    ),
    b.Correction(sup=SEEN),
    b.RoomWritten(school="石头坪小学", room="三五复式班"),
    b.ClassWritten(class_id=C3, name="三年级", grade=3, headcount=12),
    b.BookChosen(sup=SEEN, class_id=C3, subject="数学", book=BOOK),
    b.SlotWritten(
        class_id=C3,
        day=2,
        period=1,
        subject="数学",
        mode=TeachingMode.DELIVERY,
        weeks=Weeks.ODD,
        lesson=None,
    ),
    b.PointerMoved(class_id=C3, subject="数学", lesson=LESSON, period=1),
    b.SettingWritten(name="theme", value="dark"),
    b.Swapped(class_id=C3, day=2, period=1, occasion="2027-05-18", lesson=LESSON),
    b.SittingOpened(sitting=SITTING, class_ids=(C3, C5), lesson=LESSON, day=2, period=1),
    b.Played(sitting=SITTING, class_ids=(C3,), lesson=LESSON, stretches=((0, 90), (120, 300))),
    b.CueReached(sitting=SITTING, ordinal=3),
    b.QuestionRound(
        sitting=SITTING, class_ids=(C3,), lesson=LESSON, round=1, counts=(("A", 3), ("B", 1))
    ),
    b.HeadcountTaken(sitting=SITTING, class_id=C3, lesson=LESSON, count=11),
    b.NoteWritten(
        note=bytes(8), sitting=SITTING, class_ids=(C3,), lesson=LESSON, text="余数再讲一遍"
    ),
    b.UnderstoodWritten(sitting=SITTING, class_id=C3, level=b.Understood.MOST),
    b.TaughtByWritten(sitting=SITTING, who=b.TaughtBy.SUBSTITUTE),
    b.SittingEnded(sitting=SITTING, how=b.Ended.FINISHED, screen_s=720),
    b.GoesOn(predecessors=((bytes(8), bytes(range(32))),)),
)


def event(body: b.Body, *, writer: bytes = b"\x07" * 8, before: Event | None = None) -> Event:
    """Chain `body` behind `before` with fixed clocks."""
    spec = spec_of(body)
    seq = 1 if before is None else before.seq + 1
    return Event(
        writer=writer,
        seq=seq,
        prev=NO_PREVIOUS if before is None else before.hash,
        lc=1 if before is None else before.lc + 1,
        boot=4,
        mono_ms=60_000 + 1000 * seq,
        wall_ms=1_810_000_000_000 + 1000 * seq,
        scope=SCOPE_ROOM,
        type=spec.number.value,
        version=spec.version,
        body=pack(body),
    )


def chain(bodies: tuple[b.Body, ...] = BODIES, *, writer: bytes = b"\x07" * 8) -> tuple[Event, ...]:
    """Make one log of these bodies."""
    events: list[Event] = []
    for body in bodies:
        events.append(event(body, writer=writer, before=events[-1] if events else None))
    return tuple(events)
