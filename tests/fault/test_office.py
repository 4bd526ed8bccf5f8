"""Slides and texts of office programs (sync.engine.office); a script stands for LibreOffice."""

import os
import threading
import time
from pathlib import Path

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Role
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UserError
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import office
from sync.engine.folder_import import import_folder
from sync.engine.office import find_office, shown_as
from sync.source.folder import scan

pytestmark = pytest.mark.skipif(os.name == "nt", reason="only on Linux and macOS")

MAKES = """#!/bin/sh
for last; do :; done
test -f "${1#-env:UserInstallation=file://}/user/registrymodifications.xcu" || exit 7
echo once >> "%(log)s"
ulimit -v >> "%(log)s"
%(extra)s
printf '%%%%PDF-1.4 of %%s' "$(cat "$last")" > "${last%%.*}.pdf"
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Install a program that makes a PDF; returns how to make it do something else before."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    log.touch()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def install(extra=""):
        script = folder / "soffice"
        script.write_text(MAKES % {"log": log, "extra": extra})
        script.chmod(0o755)
        return log

    return install


@pytest.fixture
def slides(tmp_path):
    path = tmp_path / "disk/三年级/数学/分一分/it's 课件.pptx"
    path.parent.mkdir(parents=True)
    path.write_text("slides")
    return path


def found(slides):
    (lesson,) = scan(slides.parents[3], CancelToken()).lessons
    return lesson.files[0]


def convert(slides, tmp_path, cancel=None):
    profile = tmp_path / "profile"
    profile.mkdir(exist_ok=True)
    return shown_as(found(slides), profile, cancel or CancelToken())


def test_slides_come_as_the_pdf_that_was_made_of_them_once(program, slides, tmp_path):
    """OF1, OF2"""
    log = program()
    made = convert(slides, tmp_path)
    assert made.path.read_bytes() == b"%PDF-1.4 of slides"
    assert (made.format, made.use, made.role) == ("pdf", FileUse.DOCUMENT, Role.SLIDES)
    assert made.title == "it's 课件"
    assert convert(slides, tmp_path) == made
    once, limit = log.read_text().split()
    assert once == "once"
    assert int(limit) == office._MEMORY_BYTES >> 10
    slides.write_text("other slides")
    assert convert(slides, tmp_path).path != made.path


def test_an_import_brings_the_pdf_in_and_names_what_failed(program, slides, tmp_path):
    """OF2, OF3"""
    program('grep -q bad "$last" && exit 1')
    slides.with_name("教案.docx").write_text("bad")
    slides.with_name("film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"x" * 100)
    station = Station(Profile(tmp_path / "profile"), FrozenClock())
    root = slides.parents[3]
    report = import_folder(station, root, lambda _: Decodes.YES, CancelToken())
    assert [(one.what, one.why) for one in report.rejected] == [("教案.docx", "office_failed")]
    (lesson,) = station.catalogue.lessons(report.lessons)
    assert [(p.role, p.files[0].format) for p in lesson.parts] == [
        (Role.VIDEO, "mp4"), (Role.SLIDES, "pdf"),
    ]  # fmt: skip
    again = import_folder(station, root, lambda _: Decodes.YES, CancelToken())
    assert again.copied_bytes == 0
    station.close()


def test_without_the_program_a_file_is_refused_with_what_to_do(slides, tmp_path, monkeypatch):
    """OF3"""
    monkeypatch.setattr(office, "find_office", lambda: None)
    with pytest.raises(UserError, match="office_missing"):
        convert(slides, tmp_path)
    pdf = slides.with_suffix(".pdf")
    slides.rename(pdf)
    assert convert(pdf, tmp_path).path == pdf


def test_the_program_is_found_on_the_path_or_where_systems_put_it(tmp_path, monkeypatch, program):
    """OF3"""
    program()
    assert find_office() == str(tmp_path / "bin/soffice")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(office, "_PLACES", (str(tmp_path / "none"), str(tmp_path / "bin/soffice")))
    assert find_office() == str(tmp_path / "bin/soffice")
    monkeypatch.setattr(office, "_PLACES", ())
    assert find_office() is None


def test_what_is_too_large_or_gone_is_refused(program, slides, tmp_path, monkeypatch):
    """OF3"""
    program()
    file = found(slides)
    monkeypatch.setattr(office, "MOST_BYTES", 1)
    with pytest.raises(UserError, match="office_failed"):
        shown_as(file, tmp_path, CancelToken())
    monkeypatch.undo()
    slides.unlink()
    monkeypatch.setattr(office, "find_office", lambda: "soffice")
    with pytest.raises(UserError, match="file_unreadable"):
        shown_as(file, tmp_path, CancelToken())


def test_a_program_that_hangs_ends_with_all_it_started(program, slides, tmp_path, monkeypatch):
    """OF1"""
    monkeypatch.setattr(office, "PATIENCE_S", 1.0)
    program(f'sleep 600 & echo $! > "{tmp_path}/child"; wait; exit 1')
    with pytest.raises(UserError, match="office_failed"):
        convert(slides, tmp_path)
    wait_until_gone(int((tmp_path / "child").read_text()))


def test_where_no_shell_is_the_program_itself_is_run_and_ended(
    program, slides, tmp_path, monkeypatch
):
    """OF1"""
    monkeypatch.setattr(office, "_HAS_SHELL", False)
    log = program()
    assert convert(slides, tmp_path).format == "pdf"
    assert log.read_text().startswith("once")
    slides.write_text("more")
    monkeypatch.setattr(office, "PATIENCE_S", 0.2)
    program(f'echo $$ > "{tmp_path}/child"; exec sleep 600')
    with pytest.raises(UserError, match="office_failed"):
        convert(slides, tmp_path)


def test_stopping_ends_it_at_once(program, slides, tmp_path):
    """OF1"""
    program(f'sleep 600 & echo $! > "{tmp_path}/child.new"; mv "{tmp_path}/child.new" '
            f'"{tmp_path}/child"; wait; exit 1')  # fmt: skip
    cancel = CancelToken()

    def stop():
        while not (tmp_path / "child").exists():
            time.sleep(0.02)
        cancel.cancel()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(Cancelled):
        convert(slides, tmp_path, cancel)
    stopping.join()
    wait_until_gone(int((tmp_path / "child").read_text()))


def wait_until_gone(pid):
    """Wait for the system to take a killed process away."""
    for _ in range(400):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(pid)
