"""RM1 of roster_commands: read as typed, run on a real profile; only `roster list` writes names."""

import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError, UserError
from client.service.command.documents import document, error_document
from client.service.command.parse import parse
from client.service.command.roster_commands import COMMANDS
from client.service.command.table import COMMANDS as TABLE
from client.service.paths import Profile
from client.service.roster import RosterService
from client.service.station import Station
from client.service.text import Words

WORDS = Words("zh_CN")
NAME = "金丝雀"


class Room:
    """A profile with one class, and its command line."""

    def __init__(self, folder: Path) -> None:
        self.station = Station(Profile(folder / "profile"), FrozenClock())
        self.station.room.add_class("三年级", 3).result()
        self.roster = RosterService(self.station.profile, lambda: None)
        self.list = folder / "list.txt"
        self.list.write_text(f"{NAME}甲\n{NAME}乙\n{NAME}甲\n", encoding="utf-8")

    def tell(self, *words: str):
        call = parse(list(words), WORDS)
        return document(COMMANDS[call.command](self.station, self.roster, call))


@pytest.fixture
def room(tmp_path: Path):
    made = Room(tmp_path)
    yield made
    made.roster.close()
    made.station.close()


def test_every_command_of_the_roster_is_one_of_the_table() -> None:
    assert set(COMMANDS) == {one.name for one in TABLE if one.name.startswith("roster ")}


def test_a_list_is_taken_listed_backed_up_restored_and_dropped(room: Room, tmp_path: Path) -> None:
    told = room.tell("roster", "import", str(room.list), "--class", "三年级")
    code = told["recovery_code"]
    assert told == {
        "class": "c3",
        "pupils": 3,
        "added": 3,
        "left": 0,
        "duplicates": [[1, 3]],
        "recovery_code": code,
    }
    listed = room.tell("roster", "list", "--class", "c3")
    assert [row["name"] for row in listed["pupils"]] == [f"{NAME}{x}" for x in "甲乙甲"]
    assert listed["pupils"][0].keys() == {"id", "position", "name", "is_present"}
    made = room.tell("roster", "backup", str(tmp_path))
    assert (made["pupils"], made["recovery_code"], made["is_same_disk"]) == (3, None, True)
    dropped = room.tell("roster", "drop", "--class", "三年级")
    assert dropped == {"class": "c3", "pupils": 3, "beside": None}
    assert room.tell("roster", "list", "--class", "c3")["pupils"] == []
    came = room.tell("roster", "restore", made["path"], "--code", code)
    assert came == {"pupils": 3, "kept": "roster.db.replaced-1", "is_older": True}
    again = room.tell("roster", "import", str(room.list), "--class", "三年级")
    assert (again["added"], again["recovery_code"]) == (0, None)


def test_a_machine_without_a_roster_restores_one(room: Room, tmp_path: Path) -> None:
    code = room.tell("roster", "import", str(room.list), "--class", "c3")["recovery_code"]
    path = room.tell("roster", "backup", str(tmp_path))["path"]
    with_none = RosterService(Profile(tmp_path / "none").prepare(), lambda: None)
    room.roster.close()
    room.roster = with_none
    assert room.tell("roster", "restore", path, "--code", code)["kept"] is None


def test_the_code_is_shown_and_printed(room: Room, tmp_path: Path) -> None:
    room.tell("roster", "import", str(room.list), "--class", "c3")
    code = room.tell("roster", "code")["recovery_code"]
    out = tmp_path / "sheet.pdf"
    for _ in range(2):
        assert room.tell("roster", "code", "--pdf", str(out))["path"] == str(out)
        (page,) = PdfReader(out).pages
        text = page.extract_text()
        assert code in text
        assert WORDS("roster.sheet_lost") in text
        room.station.room.set_room("石门村教学点", "一号教室").result()
    assert "石门村教学点" in text
    assert NAME not in text
    with pytest.raises(UserError, match="roster_backup_folder"):
        room.tell("roster", "code", "--pdf", str(tmp_path / "gone" / "sheet.pdf"))


def test_only_the_list_writes_names(room: Room, tmp_path: Path) -> None:
    """RM1"""
    import_it = ("roster", "import", str(room.list), "--class", "c3")
    code = room.tell(*import_it)["recovery_code"]
    path = room.tell("roster", "backup", str(tmp_path))["path"]
    room.list.write_text(f"{NAME}甲\n{NAME * 30}\n", encoding="utf-8")
    answers = []
    for words in (
        import_it,
        ("roster", "code"),
        ("roster", "backup", str(tmp_path / "absent")),
        ("roster", "restore", path, "--code", "0" * 20),
        ("roster", "restore", path, "--code", code),
        ("roster", "list", "--class", "五年级"),
        ("roster", "drop", "--class", "c3"),
    ):
        try:
            answers.append(room.tell(*words))
        except ClassroomError as error:
            answers += [error_document(error, WORDS), repr(error)]
    assert len(answers) == 11
    assert NAME not in json.dumps(answers, ensure_ascii=False)
