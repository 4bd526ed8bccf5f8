"""Hand-made pages of 今天, as in a school with two grades in one room."""

from concurrent.futures import Future
from dataclasses import replace

from client.domain.availability import Light
from client.domain.catalogue import Placement, Role
from client.domain.errors import ClassroomError
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.timetable import DEFAULT_BELLS, ClassGroup, SlotKey, TeachingMode
from client.service.api import (
    Alternative,
    Card,
    CardAction,
    CardPart,
    DayBar,
    Moment,
    PeriodRow,
    Reason,
    ResumeNotice,
    Stopped,
    Swap,
    SwapScope,
    TodayPage,
)

C3, C5 = ClassId("c3"), ClassId("c5")
CLASSES = (
    ClassGroup(id=C3, name="三年级", grade=3, headcount=13),
    ClassGroup(id=C5, name="五年级", grade=5, headcount=11),
)
DAY = 2
_ALL = (Role.VIDEO, Role.SLIDES, Role.TASK, Role.EXERCISE)


def parts(*roles: Role, missing: tuple[Role, ...] = ()) -> tuple[CardPart, ...]:
    return tuple(CardPart(role=role, is_usable=role not in missing) for role in roles)


def card(
    period: int,
    class_id: ClassId,
    subject: str,
    title: str,
    *,
    light: Light = Light.READY,
    edition: str = "北师大版",
    unit: str = "第六单元 认识分数",
    **more: object,
) -> Card:
    action = {
        Light.DONE: CardAction.NONE,
        Light.NO_DEVICE: CardAction.NONE,
        Light.NOT_READY: CardAction.IMPORT,
    }.get(light, CardAction.START)
    values: dict[str, object] = {
        "key": SlotKey(day=DAY, period=period, class_id=class_id),
        "subject": subject,
        "mode": TeachingMode.OWN,
        "light": light,
        "action": action,
        "lesson": LessonId(f"l-{period}-{class_id}") if light is not Light.NO_DEVICE else None,
        "title": title,
        "place": Placement(
            stage="小学",
            grade="三年级" if class_id == C3 else "五年级",
            subject=subject,
            edition=edition,
            volume="下册",
        ),
        "unit": unit,
        "video_s": 732.0,
        "parts": parts(*_ALL),
        "is_taught": light is Light.DONE,
    }
    return Card(**{**values, **more})  # type: ignore[arg-type]


def row(period: int, moment: Moment, *cards: Card | None, starts: int | None = None) -> PeriodRow:
    bell = DEFAULT_BELLS[period - 1]
    return PeriodRow(period=period, bell=bell, moment=moment, cards=cards, starts_in_min=starts)


def full_day() -> TodayPage:
    """The day of the design's picture."""
    waiting = Reason(code="reason_coming", values=(("size_bytes", 46_000_000),))
    lost = Reason(code="reason_missing", values=(("size_bytes", 210_000_000),))
    sealed = Reason(code="reason_protected")
    rows = (
        row(
            1,
            Moment.PAST,
            card(1, C3, "语文", "23 海底世界（第二课时）", light=Light.DONE, edition="统编版"),
            card(1, C5, "语文", "17 跳水（第一课时）", light=Light.DONE, edition="统编版"),
        ),
        row(
            2,
            Moment.NEXT,
            card(2, C3, "数学", "分一分（一）认识几分之一"),
            card(2, C5, "数学", "邮票的张数：列方程解决问题", unit="第七单元 用方程解决问题"),
            starts=4,
        ),
        row(
            3,
            Moment.LATER,
            card(
                3,
                C3,
                "英语",
                "Unit 6 How many? · Let's learn",
                light=Light.PARTIAL,
                edition="人教 PEP 版",
                unit="第六单元",
                parts=parts(Role.VIDEO, Role.SLIDES, Role.EXERCISE, missing=(Role.VIDEO,)),
                reason=waiting,
            ),
            card(
                3,
                C5,
                "科学",
                "热在金属中的传递",
                light=Light.NOT_READY,
                edition="教科版",
                unit="第四单元 热",
                parts=parts(
                    Role.VIDEO,
                    Role.SLIDES,
                    Role.TASK,
                    missing=(Role.VIDEO, Role.SLIDES, Role.TASK),
                ),
                reason=lost,
            ),
        ),
        row(
            4,
            Moment.LATER,
            card(
                4,
                C3,
                "音乐",
                "我是草原小牧民（学唱与律动）",
                lesson=LessonId("l-song"),
                parts=parts(Role.VIDEO, Role.SLIDES),
            ),
            card(4, C5, "音乐", "我是草原小牧民（学唱与律动）", lesson=LessonId("l-song")),
        ),
        row(
            5,
            Moment.LATER,
            card(
                5,
                C3,
                "道德与法治",
                "生活离不开规则",
                light=Light.WITHOUT_VIDEO,
                edition="统编版",
                unit="第三单元 我们的公共生活",
                parts=parts(Role.SLIDES, Role.TASK),
                reason=sealed,
                video_s=0.0,
            ),
            card(
                5,
                C5,
                "英语",
                "Unit 6 Work quietly!",
                edition="人教 PEP 版",
                unit="第六单元",
                parts=parts(Role.VIDEO, Role.SLIDES, Role.EXERCISE),
            ),
        ),
        row(
            6,
            Moment.LATER,
            card(6, C3, "体育", "", light=Light.NO_DEVICE, parts=(), video_s=0.0),
            card(6, C5, "体育", "", light=Light.NO_DEVICE, parts=(), video_s=0.0),
        ),
    )
    ready, partial = Light.READY, Light.PARTIAL
    return TodayPage(
        day=DAY,
        is_time_sure=True,
        classes=CLASSES,
        rows=rows,
        resume=None,
        upcoming=(
            DayBar(day=3, lights=(ready,) * 4 + (partial,), missing_bytes=310_000_000),
            DayBar(
                day=4, lights=(ready, ready, partial, partial, Light.NOT_READY, Light.NO_DEVICE)
            ),
            DayBar(
                day=5,
                lights=(
                    ready,
                    ready,
                    partial,
                    Light.WITHOUT_VIDEO,
                    Light.NO_DEVICE,
                    Light.NO_DEVICE,
                ),
            ),
        ),
        needs_hand=tuple(c for r in rows for c in r.cards if c and c.light is Light.NOT_READY),
    )


def interrupted_day() -> TodayPage:
    """After a power cut: period 2 stopped, and the clock is in doubt."""
    page = full_day()
    held = page.rows[1]
    cards = tuple(
        replace(one, action=CardAction.RESUME, resume_s=408.0, sitting=SittingId("00" * 8))
        for one in held.cards
        if one is not None
    )
    rows = (page.rows[0], replace(held, moment=Moment.NOW, cards=cards), *page.rows[2:])
    first = cards[0]
    notice = ResumeNotice(
        key=first.key,
        sitting=SittingId("00" * 8),
        lesson=first.lesson or LessonId(""),
        title=first.title,
        position_s=408.0,
    )
    return replace(page, rows=rows, resume=notice, is_time_sure=False)


def one_class_day() -> TodayPage:
    """A room with one grade."""
    page = full_day()
    rows = tuple(replace(one, cards=one.cards[:1]) for one in page.rows)
    return replace(page, classes=CLASSES[:1], rows=rows, needs_hand=())


def stopped_day(stopped: Stopped, *, is_here: bool) -> TodayPage:
    """A room with one grade whose next lesson was withdrawn."""
    page = one_class_day()
    has_other = bool(stopped.replacement_title)
    over = CardAction.REPLACE if has_other else CardAction.SWAP
    (first,) = page.rows[1].cards
    assert first is not None
    shown = replace(
        first,
        light=Light.READY if is_here else Light.NOT_READY,
        action=CardAction.START if is_here else over,
        reason=Reason(code="reason_stopped"),
        stopped=stopped,
    )
    rows = (page.rows[0], replace(page.rows[1], cards=(shown,)), *page.rows[2:])
    return replace(page, rows=rows)


def empty_day(*, is_planned: bool = False) -> TodayPage:
    """No slot today; nothing at all unless planned."""
    page = full_day()
    upcoming = page.upcoming if is_planned else ()
    return replace(page, rows=(), needs_hand=(), upcoming=upcoming)


OFFERS = (
    Alternative(
        kind=Swap.UNFINISHED,
        lesson=LessonId("l-old"),
        title="面积的练习",
        place=Placement(grade="三年级", subject="数学", edition="北师大版", volume="下册"),
        light=Light.READY,
    ),
    Alternative(
        kind=Swap.NEXT,
        lesson=LessonId("l-next"),
        title="分一分（二）",
        place=Placement(grade="三年级", subject="数学", edition="北师大版", volume="下册"),
        light=Light.PARTIAL,
    ),
    Alternative(
        kind=Swap.OTHER_EDITION,
        lesson=LessonId("l-pep"),
        title="几分之一",
        place=Placement(grade="三年级", subject="数学", edition="人教版", volume="上册"),
        light=Light.NOT_READY,
    ),
    Alternative(kind=Swap.TEXTBOOK, lesson=None, title="", place=Placement(), light=Light.READY),
)


def done(value: object = None) -> Future:  # type: ignore[type-arg]
    future: Future = Future()  # type: ignore[type-arg]
    future.set_result(value)
    return future


def broken(error: ClassroomError) -> Future:  # type: ignore[type-arg]
    future: Future = Future()  # type: ignore[type-arg]
    future.set_exception(error)
    return future


class FakeToday:
    """A `TodayPort` that remembers what it was asked; `error` makes every answer fail."""

    def __init__(self, page: TodayPage) -> None:
        self.now = page
        self.error: ClassroomError | None = None
        self.asked: list[tuple[object, ...]] = []

    def _answer(self, value: object, *asked: object) -> Future:  # type: ignore[type-arg]
        self.asked.append(asked)
        return broken(self.error) if self.error is not None else done(value)

    def page(self) -> Future:  # type: ignore[type-arg]
        return self._answer(self.now, "page")

    def alternatives(self, key: SlotKey) -> Future:  # type: ignore[type-arg]
        return self._answer(OFFERS, "alternatives", key)

    def swap(self, key: SlotKey, alternative: Alternative, scope: SwapScope) -> Future:  # type: ignore[type-arg]
        return self._answer(None, "swap", key, alternative, scope)

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future:  # type: ignore[type-arg]
        return self._answer(None, "use_instead", stopped, other)

    def undo(self) -> Future:  # type: ignore[type-arg]
        return self._answer(None, "undo")

    def tell_time(self, day: int, period: int) -> Future:  # type: ignore[type-arg]
        return self._answer(None, "tell_time", day, period)

    def finish_with_textbook(self, notice: ResumeNotice) -> Future:  # type: ignore[type-arg]
        return self._answer(None, "finish_with_textbook", notice)


class FakeActions:
    """`TodayActions` that remember."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    def start(self, cards: object) -> None:
        self.done.append(("start", tuple(cards)))  # type: ignore[call-overload]

    def resume(self, notice: object) -> None:
        self.done.append(("resume", notice))

    def fetch(self, lesson: object) -> None:
        self.done.append(("fetch", lesson))

    def import_stick(self) -> None:
        self.done.append(("stick",))

    def import_paths(self, paths: object) -> None:
        self.done.append(("import", tuple(paths)))  # type: ignore[call-overload]

    def print_sheet(self, card: object, what: str) -> None:
        self.done.append(("print", card, what))

    def open_station(self, name: str) -> None:
        self.done.append(("open", name))
