"""The check-up in words: client.service.doctor_report."""

import pytest

from client.service.doctor import ClockFacts, Facts, examine
from client.service.doctor_report import report
from client.service.text import Words


@pytest.mark.parametrize(("language", "state"), [("zh_CN", "空 5.0 GB"), ("en", "5.0 GB free")])
def test_each_check_is_a_row_in_words(language: str, state: str) -> None:
    clock = ClockFacts(year=1970)
    facts = Facts(free_bytes=int(5.0 * 1024**3), total_bytes=2**40, is_writable=True, clock=clock)
    rows = report(examine(facts), Words(language))["checks"]
    by_code = {row["code"]: row for row in rows}
    assert by_code["disk"]["message"].startswith(state)
    assert "1970" in by_code["clock"]["message"]
    assert by_code["clock"]["hint"]
    assert by_code["player"]["hint"] == ""
    assert {row["state"] for row in rows} <= {"ok", "advice", "bad", "unknown"}
