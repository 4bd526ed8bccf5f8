"""What was mended at start is told to the teacher: N1 of the station."""

from pathlib import Path

from PySide6.QtWidgets import QLabel

from client.domain.availability import Decodes
from client.domain.clock import SystemClock
from client.media.null_player import NullPlayer
from client.service.paths import Profile
from client.service.station import Station
from tests.no_link import NoLink
from ui.program import Parts, Program


def started(folder: Path, qtbot) -> tuple[Program, Station]:
    station = Station(Profile(folder), SystemClock())
    program = Program(
        Parts(
            services=station,
            clock=station.clock,
            player=lambda: NullPlayer(station.clock),
            link=NoLink,
            prints=folder / "prints",
            demo=folder / "demo",
            check_address=lambda _: None,
            decodes=lambda _: Decodes.YES,
            is_windowed=True,
        )
    )
    qtbot.addWidget(program.window)
    program.show()
    return program, station


def test_a_torn_journal_is_told_when_the_window_is_there(tmp_path, qtbot):
    station = Station(Profile(tmp_path), SystemClock())
    station.room.set_room("S", "R").result()
    assert station.journal.backup().result()
    station.close()
    (tmp_path / "journal.db").write_bytes(b"torn" * 5000)
    program, station = started(tmp_path, qtbot)
    try:
        assert len(station.notices) >= 2
        said = " ".join(
            one.text() for one in program.window.findChildren(QLabel) if one.isVisible()
        )
        for notice in station.notices:
            words = program.context.words(f"notice.{notice.code}", **dict(notice.values))
            assert words in said
    finally:
        program.close()
        station.close()
