"""Slides and texts of office programs, shown as the PDF that LibreOffice makes of them.

Invariants:
  OF1  LibreOffice runs in a process of its own, with a profile of its own that trusts no macro and
       asks no network, for a bounded time and with bounded memory; what it leaves is taken away.
  OF2  A file is converted once: what was made of the same bytes is used again.
  OF3  Where it is not installed or fails, the file is refused with what to do; nothing else is.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import UserError
from client.store.durable import move_file, sync_file
from sync.source.folder import FolderFile
from sync.source.folder_names import is_office, shown

PATIENCE_S: Final = 180.0
MOST_BYTES: Final = 256 << 20
_MEMORY_BYTES: Final = 3 << 30
_LOOK_S: Final = 0.1
_HAS_SHELL: Final = os.name != "nt"
_MADE: Final = "office"
_NAMES: Final = ("soffice", "libreoffice")
_PLACES: Final = (
    r"C:\Program Files\LibreOffice\program\soffice.exe",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.exe",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
)
_SETTING: Final = (
    '<item oor:path="/org.openoffice.Office.Common/{path}"><prop oor:name="{name}" '
    'oor:op="fuse"><value>{value}</value></prop></item>'
)
_SETTINGS: Final = (
    ("Security/Scripting", "MacroSecurityLevel", "3"),
    ("Security/Scripting", "DisableMacrosExecution", "true"),
    ("Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Security/Scripting", "DisableActiveContent", "true"),
)
"""Signed macros of trusted places only, of which there is none; nothing is loaded from outside."""


def shown_as(file: FolderFile, profile: Path, cancel: CancelToken) -> FolderFile:
    """Give the file that is shown: itself, or the PDF made of it. Blocking, for a minute or more.

    Args:
        file: As found in a folder.
        profile: The room's profile; PDFs that were made stay there (OF2).
        cancel: Stops it.

    Raises:
        UserError: `office_missing`, `office_failed`, `file_unreadable`.
        Cancelled: As asked.
    """
    if not is_office(file.format):
        return file
    program = find_office()
    if program is None:
        raise UserError("office_missing", {"name": shown(file.path.name)})
    if file.size_bytes > MOST_BYTES:
        raise UserError("office_failed", {"name": shown(file.path.name)})
    try:
        with tempfile.TemporaryDirectory(prefix="office-") as work:
            made = _converted(program, file, profile / _MADE, Path(work), cancel)
    except OSError as error:
        raise UserError("file_unreadable", {"name": shown(file.path.name)}) from error
    return replace(file, path=made, format="pdf", size_bytes=made.stat().st_size)


def find_office() -> str | None:
    """Find LibreOffice, None when it is not installed."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    return next((place for place in _PLACES if Path(place).is_file()), None)


def _converted(program: str, file: FolderFile, kept: Path, work: Path, cancel: CancelToken) -> Path:
    """Convert a copy of a file, unless that was done before (OF2)."""
    copy = work / f"paper.{file.format}"
    shutil.copyfile(file.path, copy)
    with copy.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    target = kept / f"{digest}.pdf"
    if target.is_file():
        return target
    _run(_command(program, copy, work), work, cancel)
    made = copy.with_suffix(".pdf")
    if not made.is_file() or not made.stat().st_size:
        raise UserError("office_failed", {"name": shown(file.path.name)})
    kept.mkdir(exist_ok=True)
    fresh = kept / f"{digest}.new"
    shutil.copyfile(made, fresh)
    sync_file(fresh)
    move_file(fresh, target)
    return target


def _command(program: str, copy: Path, work: Path) -> list[str]:
    """Write the profile that trusts nothing, and the command that uses it (OF1)."""
    user = work / "profile" / "user"
    user.mkdir(parents=True)
    rows = "".join(_SETTING.format(path=p, name=n, value=v) for p, n, v in _SETTINGS)
    head = '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    (user / "registrymodifications.xcu").write_text(f"{head}{rows}</oor:items>", encoding="utf-8")
    return [
        program,
        f"-env:UserInstallation={(work / 'profile').as_uri()}",
        *("--headless", "--norestore", "--nolockcheck", "--nodefault", "--nologo"),
        *("--convert-to", "pdf", "--outdir", str(work), str(copy)),
    ]


def _run(command: list[str], work: Path, cancel: CancelToken) -> None:
    """Run it to its end, for `PATIENCE_S` at most; whatever it started ends with it (OF1)."""
    proxy = "http://127.0.0.1:9"
    nowhere = {"http_proxy": proxy, "https_proxy": proxy, "HOME": str(work), "TMPDIR": str(work)}
    process = subprocess.Popen(  # noqa: S603 - a program that was found by its name
        [*_bounds(), *command],
        cwd=work,
        env={**os.environ, **nowhere},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(int(PATIENCE_S / _LOOK_S)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_S)
                return
            cancel.check()
    finally:
        _end(process)


def _bounds() -> tuple[str, ...]:
    """Give the command that bounds the memory of what follows it, and of all that it starts."""
    if not _HAS_SHELL:
        return ()
    return ("/bin/sh", "-c", f'ulimit -v {_MEMORY_BYTES >> 10}; exec "$@"', "sh")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        if _HAS_SHELL:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
