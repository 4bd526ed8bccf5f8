"""RV1 to RV4 of the service `roster`, with roster.db and files that are real."""

from pathlib import Path

import pytest

from client.domain.errors import ResourceError, UserError
from client.domain.ids import ClassId
from client.domain.recovery_code import read_code
from client.service.paths import Profile
from client.service.roster import CODE_FILE, Mark, MarkKind, RosterService
from client.service.roster_backup import Contents, seal
from client.service.secrets import is_private_file

C3, C5 = ClassId("c3"), ClassId("c5")
LIST = "1\t张三\n2\t李四\n3\t王芳\n"


def service(folder: Path) -> RosterService:
    folder.mkdir(exist_ok=True)
    return RosterService(Profile(folder).prepare(), lambda: None)


@pytest.fixture
def roster(tmp_path: Path):
    made = service(tmp_path / "room")
    yield made
    made.close()


def names(roster: RosterService, class_id: ClassId = C3) -> list[str]:
    return [pupil.name for pupil in roster.pupils(class_id).result() if pupil.is_present]


def test_a_list_is_pasted_changed_and_pasted_again(roster: RosterService) -> None:
    """RV1 RV2"""
    first = roster.import_text(C3, LIST).result()
    assert (first.added, first.left, first.duplicates) == (3, 0, ())
    who = {pupil.name: pupil.id for pupil in first.pupils}
    roster.add(C3, "赵六")
    roster.rename(C3, who["李四"], "李四光")
    last = roster.set_present(C3, who["张三"], is_present=False)
    assert [one.name for one in last.result()] == ["李四光", "王芳", "赵六", "张三"]
    order = [one.id for one in last.result() if one.is_present]
    roster.reorder(C3, order[::-1])
    assert names(roster) == ["赵六", "王芳", "李四光"]
    again = roster.import_text(C3, "王芳\n王芳\n张三").result()
    assert (again.added, again.left, again.duplicates) == (1, 2, ((1, 2),))
    assert again.pupils[2].id == who["张三"]
    with pytest.raises(UserError, match="roster_empty"):
        roster.import_text(C3, "\n").result()
    assert names(roster) == ["王芳", "王芳", "张三"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_taken_in(tmp_path: Path, roster: RosterService, encoding: str) -> None:
    path = tmp_path / "三年级.csv"
    path.write_bytes("学号,姓名\r\n1,张三\r\n2,李四\r\n".encode(encoding))
    assert len(roster.import_file(C3, path).result().pupils) == 2
    assert names(roster) == ["张三", "李四"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, roster: RosterService) -> None:
    path = tmp_path / "x"
    with pytest.raises(UserError, match="roster_unreadable"):
        roster.import_file(C3, path).result()
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(UserError, match="roster_unreadable"):
        roster.import_file(C3, path).result()
    assert not (tmp_path / "room" / "roster.db").exists()


def test_marks_are_kept_of_pupils_who_are_there(roster: RosterService) -> None:
    who = roster.import_text(C3, LIST).result().pupils[0].id
    mark = Mark(class_id=C3, pupil=who, kind=MarkKind.NOTE, value=" 进步大 ", day="5月18日")
    roster.add_mark(mark).result()
    assert [one.value for one in roster.marks(C3).result()] == ["进步大"]
    with pytest.raises(UserError, match="pupil_unknown"):
        roster.add_mark(Mark(class_id=C5, pupil=who, kind=mark.kind, value="x", day="x")).result()


def test_a_room_that_asks_and_never_writes_has_no_file(tmp_path: Path) -> None:
    room = tmp_path / "room"
    roster = service(room)
    assert roster.pupils(C3).result() == roster.marks(C3).result() == ()
    assert roster.set_aside().result() is None
    for question in (roster.recovery_code(), roster.back_up(tmp_path)):
        with pytest.raises(UserError, match="roster_none"):
            question.result()
    roster.close()
    roster.close()
    assert [path.name for path in room.rglob("*") if path.is_file()] == []


# --- the code ----------------------------------------------------------------------------


def test_the_code_is_made_once_and_kept_where_secrets_are(tmp_path: Path) -> None:
    """RV3"""
    roster = service(tmp_path / "room")
    code = roster.import_text(C3, LIST).result().new_code
    assert read_code(code) == code
    assert roster.import_text(C5, LIST).result().new_code == ""
    assert roster.recovery_code().result() == code
    roster.close()
    file = tmp_path / "room" / "keys" / CODE_FILE
    assert is_private_file(file)
    assert file.read_text() == code
    again = service(tmp_path / "room")
    assert again.recovery_code().result() == code
    assert again.back_up(tmp_path).result().new_code == ""
    again.close()
    other = service(tmp_path / "other")
    assert other.import_text(C3, LIST).result().new_code != code
    other.close()


@pytest.mark.parametrize("lost", ["", "7K2M", "no code at all"])
def test_a_lost_code_is_made_anew_and_told(
    tmp_path: Path, roster: RosterService, lost: str
) -> None:
    """RV3"""
    code = roster.import_text(C3, LIST).result().new_code
    first = roster.back_up(tmp_path).result()
    kept = tmp_path / "room" / "keys" / CODE_FILE
    assert kept.read_text() == code
    kept.write_text(lost)
    second = roster.back_up(tmp_path).result()
    assert second.new_code not in {"", code}
    assert second.path != first.path
    assert roster.restore(first.path, code).result().pupils == 3
    assert roster.recovery_code().result() == code


# --- backups -----------------------------------------------------------------------------


def test_a_backup_comes_back_on_another_machine(tmp_path: Path, roster: RosterService) -> None:
    """RV4"""
    code = roster.import_text(C3, LIST).result().new_code
    stick = tmp_path / "stick"
    stick.mkdir()
    made = roster.back_up(stick).result()
    assert (made.pupils, made.is_same_disk) == (3, True)
    assert made.size_bytes == made.path.stat().st_size
    assert "张三".encode() not in made.path.read_bytes()
    other = service(tmp_path / "other")
    came = other.restore(made.path, code.lower().replace("-", "")).result()
    assert (came.pupils, came.kept, came.is_older) == (3, None, False)
    assert names(other) == ["张三", "李四", "王芳"]
    assert other.recovery_code().result() == code
    assert other.back_up(stick).result().path == made.path
    other.close()


def test_an_older_backup_does_not_overwrite(tmp_path: Path, roster: RosterService) -> None:
    code = roster.import_text(C3, LIST).result().new_code
    made = roster.back_up(tmp_path).result()
    roster.add(C3, "赵六").result()
    came = roster.restore(made.path, code).result()
    assert came.is_older
    assert came.kept is not None
    assert "赵六".encode() in came.kept.read_bytes()
    assert names(roster) == ["张三", "李四", "王芳"]
    dropped = roster.drop(C3).result()
    assert (dropped.pupils, dropped.beside) == (3, (came.kept,))
    with pytest.raises(UserError, match="roster_none"):
        roster.back_up(tmp_path).result()


def test_what_does_not_open_changes_nothing(tmp_path: Path, roster: RosterService) -> None:
    code = roster.import_text(C3, LIST).result().new_code
    made = roster.back_up(tmp_path).result()
    with pytest.raises(UserError, match="roster_code_unreadable"):
        roster.restore(made.path, code[:-1]).result()
    with pytest.raises(UserError, match="roster_code_wrong"):
        roster.restore(made.path, "0000-0000-0000-0000-0000").result()
    with pytest.raises(UserError, match="roster_backup_unreadable"):
        roster.restore(tmp_path / "absent", code).result()
    made.path.write_bytes(seal(Contents(edition=1, image=b"no database"), code))
    with pytest.raises(ResourceError, match="roster_backup_damaged"):
        roster.restore(made.path, code).result()
    with pytest.raises(UserError, match="roster_backup_folder"):
        roster.back_up(tmp_path / "absent").result()
    assert names(roster) == ["张三", "李四", "王芳"]
    assert roster.recovery_code().result() == code


def test_a_damaged_roster_is_told(tmp_path: Path, roster: RosterService) -> None:
    roster.import_text(C3, LIST).result()
    roster.close()
    (tmp_path / "room" / "roster.db").write_bytes(b"torn" * 3000)
    again = service(tmp_path / "room")
    assert again.pupils(C3).result() == ()
    found = again.set_aside().result()
    assert found is not None
    assert found.read_bytes() == b"torn" * 3000
    again.close()
