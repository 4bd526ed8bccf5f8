"""How a time is written for people: never more exactly than it is known.

| the time                              | code       | written                |
|---------------------------------------|------------|------------------------|
| sure to the minute                    | `moment`   | 11月3日 10:05          |
| known within 6 hours                  | `half_day` | 约 11月3日 上午        |
| on one day                            | `day`      | 11月3日                |
| on one of at most 7 days              | `days`     | 11月3日至5日           |
| the same, from one month into another | `months`   | 11月30日至12月2日      |
| known within a month                  | `about`    | 约 11月3日             |
| known worse                           | `unknown`  | 时间不明               |

Invariants:
  LB1  Where only a day, or several, are known, no hour is written; where nothing is, no day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Final

from client.domain.record.dates import Dated, Quality

_HALF_DAY: Final = timedelta(hours=6)
_DAYS: Final = 7
_NOON, _EVENING = 12, 18


class Part(Enum):
    """A part of the day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A message code of the table above and its values.

    All but `unknown` have `year`, `month`, `day`; `moment` has `time` (`10:05`), `half_day` the
    value of a `Part` as `part`, `days` and `months` the last day as `to_month` and `to_day`.
    """

    code: str
    values: Mapping[str, int | str] = field(default_factory=dict)


def label_of(when: Dated, zone: tzinfo | None = None) -> Label:
    """Choose how to write a time.

    Args:
        when: The time.
        zone: Local time of the school; None for that of this machine.
    """
    if when.quality is Quality.UNKNOWN:
        return Label(code="unknown")
    first, middle, last = (
        datetime.fromtimestamp(round(at / 1000), UTC).astimezone(zone)
        for at in (when.earliest_ms, when.middle_ms, when.latest_ms)
    )
    if when.is_sure:
        return Label(code="moment", values={**_day(middle), "time": f"{middle:%H:%M}"})
    if last - first <= _HALF_DAY:
        return Label(code="half_day", values={**_day(middle), "part": _part(middle.hour).value})
    if first.date() == last.date():
        return Label(code="day", values=_day(middle))
    if (last.date() - first.date()).days < _DAYS:
        to = {"to_month": last.month, "to_day": last.day}
        code = "days" if first.month == last.month else "months"
        return Label(code=code, values={**_day(first), **to})
    return Label(code="about", values=_day(middle))


def _day(moment: datetime) -> dict[str, int | str]:
    return {"year": moment.year, "month": moment.month, "day": moment.day}


def _part(hour: int) -> Part:
    if hour < _NOON:
        return Part.MORNING
    return Part.AFTERNOON if hour < _EVENING else Part.EVENING
