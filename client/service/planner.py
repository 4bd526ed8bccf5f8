"""What to bring in which order, what will be here by when, and why. Pure.

Papers (documents, pictures, recordings) of everything come first, the soonest lesson first; then
films, each in the fullest size that does not miss its slot. What cannot come in time goes to the
end of the line and says what to do instead. A lesson in no slot comes behind those that have one.

A promise counts on the cautious speed, and on every film before it that could come taking its full
size, or all that the link can bring before that film's slot. So it holds whatever is chosen.

Invariants:
  PL1  The same inputs give the same plan; all papers stand before any film.
  PL2  No plan spends more than the road to its end can carry, and no promise is earlier than the
       cautious road allows.
  PL3  One wish less never makes another lesson later: it comes in the same size no later, or in a
       fuller one still in time. More bandwidth never makes the same bytes later; it may let the
       film of an earlier slot in, which then goes first.
  PL4  Every lesson has one reason with its values; what cannot come says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from client.domain.ids import LessonId
from client.domain.road import Road
from client.service.api import Reason

EARLY_S: Final = 12 * 3600.0
"""So long before its slot a lesson should be here."""
MARGIN_S: Final = 45 * 60.0
"""So long before its slot a lesson must be here."""
SLACK_S: Final = 15 * 60.0
"""So much later than worked out an arrival is promised: a link needs a while to begin."""
_ENDLESS_S: Final = float("inf")


class Form(Enum):
    """In which form a lesson comes."""

    HERE = "here"
    FULL = "full"
    SMALLER = "smaller"
    """Its film in a smaller size than wanted."""
    PAPERS = "papers"
    """Without its film: slides, sheets, recordings."""
    LATE = "late"
    """Not even its papers come in time."""
    UNKNOWN = "unknown"
    """Nothing tells how large it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One size of all films of a lesson. `size_bytes` is what is missing of it."""

    rendition: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One lesson to have."""

    lesson: LessonId
    papers_bytes: int = 0
    """Missing."""
    films: tuple[Film, ...] = ()
    """The wanted size first, then smaller ones; empty when nothing is missing or to be had."""
    slot_s: tuple[float, float] | None = None
    """Between which seconds from now its next slot begins; None for no slot."""
    has_sound: bool = False
    """Among its papers is a recording."""
    is_barred: bool = False
    """Its film is protected or withdrawn: it can only come by hand."""
    is_unknown: bool = False
    """Its sizes are not known yet."""
    is_wished: bool = False
    """Somebody asked for it: its film comes even when it misses the slot."""

    @property
    def due_s(self) -> float:
        """Until when it must be here."""
        return _ENDLESS_S if self.slot_s is None else max(0.0, self.slot_s[0] - MARGIN_S)

    @property
    def missing_bytes(self) -> int:
        """What is missing of it as it is wanted."""
        return self.papers_bytes + (self.films[0].size_bytes if self.films else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What will become of one lesson. Seconds from now; arrivals are (hoped, promised)."""

    lesson: LessonId
    form: Form
    rendition: str = ""
    """Of its film, empty when none comes in time."""
    cost_bytes: int = 0
    """Of all that is on its way for it."""
    arrival_s: tuple[float, float] | None = None
    """When everything that comes in time is here; None when nobody can say."""
    slot_s: tuple[float, float] | None = None
    reason: Reason

    @property
    def is_early(self) -> bool:
        """Tell whether it comes half a day before its slot."""
        if self.arrival_s is None or self.slot_s is None:
            return False
        return self.arrival_s[1] <= self.slot_s[0] - EARLY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to fetch: the papers of a lesson, or its film."""

    lesson: LessonId
    is_film: bool
    size_bytes: int
    rendition: str = ""
    is_urgent: bool = False
    """Papers of a lesson that is taught within two days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Tasks in their order, and what is promised of each lesson."""

    tasks: tuple[Task, ...] = ()
    forecasts: tuple[Forecast, ...] = ()

    @property
    def by_lesson(self) -> Mapping[LessonId, Forecast]:
        """Find a forecast."""
        return {one.lesson: one for one in self.forecasts}

    @property
    def cost_bytes(self) -> int:
        """Bytes of all tasks."""
        return sum(task.size_bytes for task in self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What was chosen of one need. `ends` are the byte marks of its film: real, promised."""

    need: Need
    papers_end: int
    film: Film | None = None
    ends: tuple[int, int] | None = None


_URGENT_S: Final = 48 * 3600.0


def make_plan(needs: Sequence[Need], cautious: Road, hopeful: Road) -> Plan:
    """Plan (PL1 to PL4).

    Args:
        needs: One for each lesson; lessons without a slot in the order in which they were wished.
        cautious: What promises count on.
        hopeful: The same terms at the speed that is expected.
    """
    order = sorted(needs, key=lambda need: need.due_s)
    marks, mark = list[int](), 0
    for need in order:
        mark += need.papers_bytes
        marks.append(mark)
    timely, late = _choose_films(order, marks, cautious)
    chosen = {one.need.lesson: one for one in (*timely, *late)}
    forecasts = tuple(_forecast(chosen[need.lesson], cautious, hopeful) for need in order)
    papers = (_papers_task(need) for need in order if need.papers_bytes or need.is_unknown)
    films = (_film_task(one) for one in (*timely, *late) if one.film is not None)
    return Plan(tasks=(*papers, *films), forecasts=forecasts)


def _choose_films(
    order: Sequence[Need], marks: Sequence[int], cautious: Road
) -> tuple[list[_Choice], list[_Choice]]:
    """Choose sizes: those that come in time, and those behind them."""
    all_papers = marks[-1] if marks else 0
    real = promised = all_papers
    timely: list[_Choice] = []
    tail: list[tuple[Need, int]] = []
    for need, papers_end in zip(order, marks, strict=True):
        if not need.films:
            timely.append(_Choice(need=need, papers_end=papers_end))
            continue
        if need.slot_s is None:
            tail.append((need, papers_end))
            continue
        room = cautious.by(need.due_s)
        film = next((one for one in need.films if promised + one.size_bytes <= room), None)
        if film is not None:
            real += film.size_bytes
            ends = real, promised + film.size_bytes
            timely.append(_Choice(need=need, papers_end=papers_end, film=film, ends=ends))
        elif need.is_wished:
            tail.append((need, papers_end))
        else:
            timely.append(_Choice(need=need, papers_end=papers_end))
        if need.papers_bytes + min(one.size_bytes for one in need.films) <= room:
            # Whatever was chosen: the size may be another when something else is wished no more.
            promised = max(promised, min(promised + need.films[0].size_bytes, room))
    late: list[_Choice] = []
    for need, papers_end in tail:
        film = need.films[0]
        real, promised = real + film.size_bytes, promised + film.size_bytes
        late.append(_Choice(need=need, papers_end=papers_end, film=film, ends=(real, promised)))
    return timely, late


def _forecast(one: _Choice, cautious: Road, hopeful: Road) -> Forecast:
    need, film = one.need, one.film
    papers: tuple[float, float] | None = (0.0, 0.0)
    if need.papers_bytes:
        papers = _arrival((one.papers_end, one.papers_end), cautious, hopeful)
    whole = papers if one.ends is None else _arrival(one.ends, cautious, hopeful)
    is_film_late = bool(need.films) and (film is None or _is_after(whole, need.due_s))
    form = _form(
        need,
        film,
        is_film_late=is_film_late,
        are_papers_late=_is_after(papers, need.due_s),
    )
    comes_with_film = film is not None and form in {Form.FULL, Form.SMALLER}
    arrival = whole if comes_with_film else papers
    if form in {Form.HERE, Form.UNKNOWN}:
        arrival = None
    if arrival is not None and arrival[1] > 0:
        arrival = arrival[0], arrival[1] + SLACK_S
    return Forecast(
        lesson=need.lesson,
        form=form,
        rendition=film.rendition if film is not None and comes_with_film else "",
        cost_bytes=need.papers_bytes + (0 if film is None else film.size_bytes),
        arrival_s=arrival,
        slot_s=need.slot_s,
        reason=_reason(need, form, film, is_promised=arrival is not None),
    )


def _is_after(arrival: tuple[float, float] | None, due_s: float) -> bool:
    """Tell whether something with a slot misses it; what has none misses nothing."""
    return due_s != _ENDLESS_S and (arrival is None or arrival[1] > due_s)


def _form(need: Need, film: Film | None, *, is_film_late: bool, are_papers_late: bool) -> Form:
    """Name the form; the first line that fits decides.

    | condition                                  | form    |
    |--------------------------------------------|---------|
    | its sizes are not known                    | UNKNOWN |
    | its papers miss its slot                   | LATE    |
    | its film can only come by hand, or late    | PAPERS  |
    | nothing is missing                         | HERE    |
    | its film is not of the wanted size         | SMALLER |
    | else                                       | FULL    |
    """
    table = (
        (need.is_unknown, Form.UNKNOWN),
        (are_papers_late, Form.LATE),
        (need.is_barred or is_film_late, Form.PAPERS),
        (not need.missing_bytes, Form.HERE),
        (film is not None and film is not need.films[0], Form.SMALLER),
    )
    return next((form for holds, form in table if holds), Form.FULL)


def _reason(need: Need, form: Form, film: Film | None, *, is_promised: bool) -> Reason:
    """Say why in one code (PL4).

    | form    | detail                       | code                |
    |---------|------------------------------|---------------------|
    | PAPERS  | its film is protected        | plan_protected      |
    | PAPERS  | a recording is among them    | plan_sound          |
    | FULL    | nobody knows when            | plan_open           |
    | another |                              | plan_ and its name  |
    """
    values: tuple[tuple[str, str | int | float], ...] = (("size_bytes", need.missing_bytes),)
    if film is not None and form is Form.SMALLER:
        values = (*values, ("rendition", film.rendition), ("wanted", need.films[0].rendition))
    code = f"plan_{form.value}"
    if form is Form.PAPERS and need.is_barred:
        code = "plan_protected"
    elif form is Form.PAPERS and need.has_sound:
        code = "plan_sound"
    elif form is Form.FULL and not is_promised:
        code = "plan_open"
    return Reason(code=code, values=values)


def _arrival(ends: tuple[int, int], cautious: Road, hopeful: Road) -> tuple[float, float] | None:
    first, last = hopeful.at(ends[0]), cautious.at(ends[1])
    return None if last is None else (min(last, first if first is not None else last), last)


def _papers_task(need: Need) -> Task:
    is_urgent = need.slot_s is not None and need.slot_s[0] <= _URGENT_S
    return Task(
        lesson=need.lesson, is_film=False, size_bytes=need.papers_bytes, is_urgent=is_urgent
    )


def _film_task(one: _Choice) -> Task:
    film = one.film
    return Task(
        lesson=one.need.lesson,
        is_film=True,
        size_bytes=film.size_bytes if film is not None else 0,
        rendition=film.rendition if film is not None else "",
    )
