"""Commands of the plan and the link: what comes when, at what cost, and the limits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from client.domain.catalogue import display_title
from client.domain.ids import LessonId
from client.domain.settings import READERS, check_setting
from client.service.agenda import Outlook
from client.service.api import LinkView, Promise
from client.service.command.documents import Listing
from client.service.command.parse import Invocation
from client.service.command.room_commands import Command
from client.service.plan_words import sentence
from client.service.station import Station
from client.service.text import Words

_OPTIONS: Final[Mapping[str, str]] = {
    "kind": "link_kind",
    "budget_mb": "link_budget_mb",
    "month_mb": "link_month_mb",
    "hours": "link_hours",
    "cap_kbps": "link_cap_kbps",
}


def set_link(station: Station, call: Invocation) -> object:
    """`link set`: all of it or nothing."""
    given = {
        setting: str(call.number(name)) if READERS[setting] is _AMOUNT else call.text(name)
        for name, setting in _OPTIONS.items()
        if call.has(name)
    }
    for setting, text in given.items():
        check_setting(setting, text)
    for setting, text in given.items():
        station.room.set_setting(setting, text).result()
    return show_link(station, call)


def show_link(station: Station, _: Invocation) -> object:
    """`link show`."""
    return link_document(station.agenda.look_now(station.wants.all()).link)


def show_plan(station: Station, call: Invocation) -> object:
    """`plan show`: every lesson to come, in the order in which it is fetched."""
    outlook = station.agenda.look_now(station.wants.all())
    words = Words(call.language or station.room.snapshot().settings.language)
    rows = [_row(station, words, outlook, lesson) for lesson in _order(outlook)]
    more = {"cost_bytes": outlook.plan.cost_bytes, "link": link_document(outlook.link)}
    return Listing(name="lessons", rows=rows, more=more)


def link_document(link: LinkView) -> Mapping[str, object]:
    """Write what a link may cost and has cost."""
    hours = link.hours
    return {
        "kind": link.kind,
        "metered": link.is_metered,
        "metered_by_system": link.is_detected,
        "day_budget_bytes": link.day_budget,
        "day_spent_bytes": link.day_spent,
        "month_budget_bytes": link.month_budget,
        "month_spent_bytes": link.month_spent,
        "month_expected_bytes": link.month_expected,
        "hours": "any" if hours is None else f"{hours.begin}-{hours.end}",
        "cap_bytes_per_s": link.cap_bytes_per_s,
        "time_is_sure": link.is_time_sure,
        "limit": link.limit,
    }


def _order(outlook: Outlook) -> tuple[LessonId, ...]:
    tasks = (task.lesson for task in outlook.plan.tasks)
    return tuple(dict.fromkeys((*tasks, *outlook.promises)))


def _row(
    station: Station, words: Words, outlook: Outlook, lesson_id: LessonId
) -> Mapping[str, object]:
    promise, forecast = outlook.promises[lesson_id], outlook.plan.by_lesson[lesson_id]
    lesson = station.catalogue.lesson(lesson_id)
    return {
        "id": lesson_id,
        "title": "" if lesson is None else display_title(lesson.title),
        "days_ahead": promise.days_ahead,
        "period": promise.period,
        "form": forecast.form,
        "rendition": forecast.rendition,
        "cost_bytes": forecast.cost_bytes,
        "arrives_earliest": _iso(promise, 0),
        "arrives": _iso(promise, 1),
        "in_time": promise.is_in_time,
        "half_a_day_early": forecast.is_early,
        "reason": promise.reason.code,
        "says": sentence(words, promise),
    }


def _iso(promise: Promise, end: int) -> str | None:
    if promise.arrives_ms is None:
        return None
    at = datetime.fromtimestamp(promise.arrives_ms[end] / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(timespec="minutes")


_AMOUNT: Final = READERS["link_budget_mb"]

COMMANDS: Final[Mapping[str, Command]] = {
    "plan show": show_plan,
    "link set": set_link,
    "link show": show_link,
}
