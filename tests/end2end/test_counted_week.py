"""SL1, SL2, MT4 measured at the link: a week whose budget nobody exceeds, whatever the clock shows.

| clock of the room's machine | the hub   | what comes                                           |
|-----------------------------|-----------|------------------------------------------------------|
| any                         | knows     | all sheets, Tuesday green; nothing in closed hours   |
| good                        | knows not | the same, but for ten minutes around midnight        |
| 2013, 2099, stepping hourly | knows not | all sheets, by the small allowance                   |

The first days of a small week with the two worst of them; with `TONGKE_WHOLE=1` whole weeks with
50 MB a day (minutes).
"""

import os
from pathlib import Path

import pytest

from client.domain.spend import MEGABYTE, content_share
from tests.counted_week import SMALL, Load, Week

CLOCKS = ("", "2013", "2099", "stepping")
IS_WHOLE = "TONGKE_WHOLE" in os.environ
LOAD = Load() if IS_WHOLE else SMALL


def lived(folder: Path, fault: str, *, knows_time: bool) -> Week:
    week = Week(folder, LOAD, fault, knows_time=knows_time)
    week.run()
    print(fault or "good", knows_time, dict(week.meter.by_day), week.charged, week.green)
    budget = LOAD.day_mb * MEGABYTE
    assert max(week.meter.by_day.values()) <= budget
    assert max(week.meter.content.values()) <= content_share(budget)
    assert sum(week.meter.by_day.values()) <= week.charged
    assert all(week.had_papers)
    assert len(week.had_papers) >= 6
    return week


@pytest.mark.parametrize("fault", CLOCKS if IS_WHOLE else ["stepping"])
def test_a_week_with_a_hub_that_knows_the_time(tmp_path: Path, fault: str) -> None:
    """Nights are used up to what they may cost, and Tuesday is green."""
    week = lived(tmp_path, fault, knows_time=True)
    urgent = LOAD.day_mb * MEGABYTE // 5
    assert week.meter.closed <= urgent * (week.boots if fault else 0)
    assert all(week.green[2])
    # Dark nights bring less, but a usual one what it may.
    used = sorted(week.meter.content.values())[len(week.meter.content) // 2]
    assert used >= 0.7 * LOAD.day_mb * MEGABYTE


@pytest.mark.parametrize("fault", CLOCKS if IS_WHOLE else ["2013"])
def test_a_week_in_which_nobody_tells_the_time(tmp_path: Path, fault: str) -> None:
    """Sheets come all the same; films only by a clock that is believed."""
    week = lived(tmp_path, fault, knows_time=False)
    if fault in {"2013", "2099"}:
        # Days of a machine that knows no date are not those of the school.
        urgent = min(10, LOAD.day_mb // 5) * MEGABYTE
        assert max(week.meter.content.values()) <= 2 * urgent
        assert not any(any(day) for day in week.green.values())
    if not fault:
        assert week.meter.closed == 0
        assert all(week.green[1])
