"""How 班级 says what the record holds: classes, times, values of facts and of writes."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from client.domain.ids import ClassId
from client.domain.record import bodies as b
from client.domain.record.facts import Fact
from client.domain.record.fold import seconds
from client.domain.record.values import read_counts, read_stretches
from client.service.classes_page import ClassesPage, Heads, Sitting
from client.service.disputes import Dispute
from client.service.when import When, time_label
from ui.base.context import UiContext
from ui.base.widgets import day_name

_SEPARATOR: Final = " · "
_EITHER: Final = " / "
"""Between things of which only one can be true."""


_Planned: TypeAlias = b.SlotWritten | b.PointerMoved | b.Swapped
_Chosen: TypeAlias = (
    b.RoomWritten
    | b.ClassWritten
    | b.BookChosen
    | b.SettingWritten
    | b.SlotWritten
    | b.PointerMoved
    | b.Swapped
)
_SAID: Final = {"understood": "level", "taught_by": "who", "ended": "end"}
"""Kinds of facts whose value is a word of ours, and where their words stand."""


class ClassWords:
    """Words for one page. Pure but for the clock, which says what year goes without saying."""

    def __init__(self, context: UiContext, page: ClassesPage) -> None:
        self._context = context
        self._words = context.words
        self._names = dict(page.names)
        self._titles = dict(page.titles)
        self._sittings = {one.id: one for one in page.sittings()}
        now = context.now()
        self.today, self._zone = now.date(), now.tzinfo

    # --- times and classes -------------------------------------------------------------------

    def time(self, when: When, *, is_short: bool = False) -> str:
        """Write a time as sure as it is known."""
        return time_label(self._words, when, self.today, is_short=is_short, zone=self._zone)

    def names(self, class_ids: Iterable[ClassId]) -> str:
        """Name classes; one nobody named goes by its id."""
        return " ".join(self.name(one) for one in class_ids)

    def name(self, class_id: ClassId) -> str:
        """Name a class."""
        return self._names.get(class_id, class_id)

    # --- a sitting ---------------------------------------------------------------------------

    def title(self, sitting: Sitting) -> str:
        """Give the title of its lesson, or say why there is none."""
        if sitting.lesson is None:
            return self._words("classes.no_lesson")
        return sitting.title or self._words("classes.lesson_gone")

    def place(self, sitting: Sitting) -> str:
        """Say which class it was, in what, in which period."""
        parts = [self.names(sitting.class_ids), self._context.subjects.full(sitting.subject)]
        if sitting.period:
            parts.append(self._words("frame.period", n=sitting.period))
        return _SEPARATOR.join(part for part in parts if part)

    def summary(self, sitting: Sitting) -> str:
        """Say the figures of it in one line, only those that are known."""
        words, parts = self._words, list[str]()
        if sitting.shown_s:
            parts.append(words.plural("classes.minutes", _minutes(sitting.shown_s)))
        if sitting.rounds:
            parts.append(words.plural("classes.rounds", len(sitting.rounds)))
        counted = [max(one.counted) for one in sitting.heads if one.counted]
        if counted:
            parts.append(words.plural("classes.people", sum(counted)))
        return _SEPARATOR.join(parts)

    def end(self, sitting: Sitting) -> str:
        """Say how it ended."""
        ends = [self._words(f"classes.end_{one.value}") for one in sitting.ends]
        return _EITHER.join(ends) or self._words("classes.end_none")

    def heads(self, heads: Heads) -> str:
        """Say how many were there, and whether anybody counted."""
        words = self._words
        if heads.counted:
            return _EITHER.join(words.plural("classes.counted", n) for n in heads.counted)
        if heads.assumed:
            return words.plural("classes.assumed", heads.assumed)
        return words("classes.heads_unknown")

    def rows(self, sitting: Sitting) -> list[tuple[str, str]]:
        """List what is known of it: message key and text, question rounds left out."""
        words = self._words
        several = len(sitting.class_ids) > 1
        found = [("classes.row_place", self._course(sitting))]
        levels = [
            words("classes.level_of", name=self.name(one), level=words(_level(level)))
            if several
            else words(_level(level))
            for one, level in sitting.understood
        ]
        found.append(("classes.row_understood", (_SEPARATOR if several else _EITHER).join(levels)))
        heads = [
            words("classes.heads_of", name=self.name(one.class_id), heads=self.heads(one))
            if several
            else self.heads(one)
            for one in sitting.heads
        ]
        found.append(("classes.row_heads", _SEPARATOR.join(heads)))
        found.append(("classes.row_screen", self._screen(sitting)))
        who = [words(f"classes.who_{one.value}") for one in sitting.taught_by]
        found.append(("classes.row_taught_by", _EITHER.join(who)))
        found.append(("classes.row_notes", "\n".join(sitting.notes)))
        return [(key, text) for key, text in found if text]

    def _course(self, sitting: Sitting) -> str:
        parts = [self.end(sitting)]
        if sitting.steps:
            parts.append(self._words.plural("classes.steps", sitting.steps))
        return _SEPARATOR.join(parts)

    def _screen(self, sitting: Sitting) -> str:
        words, parts = self._words, list[str]()
        if sitting.screen_s:
            parts.append(words("classes.screen", length=words.length(sitting.screen_s)))
        if sitting.played_s:
            parts.append(words("classes.played", length=words.length(sitting.played_s)))
        return _SEPARATOR.join(parts) or words("classes.no_screen")

    # --- single lines ------------------------------------------------------------------------

    def fact(self, fact: Fact) -> str:
        """Say what one line says."""
        words = self._words
        values: dict[str, object] = {"value": fact.value}
        if fact.kind == "played":
            values["length"] = words.length(seconds(read_stretches(fact.value)))
        elif fact.kind == "answer":
            counts = read_counts(fact.value)
            values["value"] = _SEPARATOR.join(f"{choice} {count}" for choice, count in counts)
        elif fact.kind in _SAID:
            values["value"] = words(f"classes.{_SAID[fact.kind]}_{fact.value}")
        return words(f"classes.fact_{fact.kind}", **values)

    # --- what two machines say differently ---------------------------------------------------

    def topic(self, dispute: Dispute) -> str:
        """Say what it is about."""
        body = dispute.choices[-1].body
        values = {
            name: getattr(body, name)
            for name in ("subject", "period", "name", "occasion")
            if hasattr(body, name)
        }
        if "subject" in values:
            values["subject"] = self._context.subjects.full(values["subject"])
        if isinstance(body, b.SettingWritten):
            values["name"] = self._setting(body.name)
        if isinstance(body, b.SlotWritten) and body.day:
            values["day"] = day_name(self._context, body.day)
        return self._words(f"classes.of_{dispute.type.name.lower()}", **values)

    def about(self, dispute: Dispute) -> str:
        """Say which class and which lesson it belongs to."""
        sitting = self._sittings.get(dispute.sitting)
        if sitting is None:
            return self.names(dispute.class_ids) or self._words("classes.all_classes")
        parts = (self.time(sitting.when), self.names(sitting.class_ids), self.title(sitting))
        return _SEPARATOR.join(part for part in parts if part)

    def value(self, body: b.RegisterBody) -> str:
        """Say what one write says."""
        return self._said(body) or self._words("classes.nothing")

    def _said(self, body: b.RegisterBody) -> str:
        words = self._words
        match body:
            case b.NoteWritten():
                return body.text
            case b.UnderstoodWritten():
                return words(_level(body.level))
            case b.TaughtByWritten():
                return words(f"classes.who_{body.who.value}")
            case b.SittingEnded():
                how = words(f"classes.end_{body.how.value}")
                return words("classes.value_ended", how=how, length=words.length(body.screen_s))
            case _:
                return self._chosen(body)

    def _chosen(self, body: _Chosen) -> str:
        match body:
            case b.RoomWritten():
                return self._words("classes.value_room", school=body.school, room=body.room).strip()
            case b.ClassWritten():
                return self._class(body)
            case b.BookChosen():
                return self._titles.get(body.book, body.book)
            case b.SettingWritten():
                key = f"settings.{body.name}_{body.value}"
                return self._words(key) if self._words.has(key) else body.value
            case _:
                return self._planned(body)

    def _planned(self, body: _Planned) -> str:
        match body:
            case b.SlotWritten():
                return self._slot(body)
            case b.PointerMoved():
                return self._pointer(body)
            case b.Swapped():
                textbook = self._words("classes.value_textbook")
                return textbook if body.is_textbook else self._lesson(body.lesson)

    def _setting(self, name: str) -> str:
        key = f"settings.{name}"
        return self._words(key) if self._words.has(key) else name

    def _class(self, body: b.ClassWritten) -> str:
        key = "classes.value_class" if body.is_present else "classes.value_class_gone"
        return self._words(key, name=body.name, grade=body.grade, headcount=body.headcount)

    def _slot(self, body: b.SlotWritten) -> str:
        parts = [self._context.subjects.full(body.subject), self._lesson(body.lesson)]
        if body.subject:
            parts.append(self._words(f"timetable.weeks_{body.weeks.value}"))
            parts.append(self._words(f"timetable.mode_{body.mode.value}"))
        return _SEPARATOR.join(part for part in parts if part)

    def _pointer(self, body: b.PointerMoved) -> str:
        title = self._lesson(body.lesson)
        if not body.period:
            return title
        return self._words("classes.value_period", title=title, n=body.period + 1)

    def _lesson(self, lesson: str | None) -> str:
        if not lesson:
            return ""
        return self._titles.get(lesson) or self._words("classes.lesson_gone")


def _level(level: b.Understood) -> str:
    return f"classes.level_{level.value}"


def _minutes(length_s: int) -> int:
    return max(1, round(length_s / 60))
