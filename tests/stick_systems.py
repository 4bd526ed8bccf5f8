"""Real file systems of sticks in an image file, where this machine can mount them.

exFAT is mounted by the kernel or by `exfat-fuse`, whose process can be killed as a stick is pulled
out. FAT32 is mounted by the kernel, or by one of its own: `python -m tests.stick_systems` is the
first process of a User-Mode Linux that mounts one and runs a command beside it.
"""

import contextlib
import ctypes
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = ("exfat", "fat32")
WHY_NOT = "no such stick can be mounted here"
PLACE = "TONGKE_STICK"
"""Where a kernel of its own mounted a FAT32 stick."""
UML = "linux.uml"
_MODULES = ("nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8", "fat", "vfat")
_MAKERS = {"exfat": ("mkfs.exfat",), "fat32": ("mkfs.vfat", "-F", "32")}
_NAMES = {"exfat": "exfat", "fat32": "vfat"}


def _kernel_knows(kind: str) -> bool:
    names = Path("/proc/filesystems").read_text("ascii").split()
    return _NAMES[kind] in names


def can_mount(kind: str) -> bool:
    """Tell whether this very machine can mount such a stick."""
    if sys.platform != "linux":
        return False
    if kind == "fat32" and PLACE in os.environ:
        return True
    is_known = _kernel_knows(kind) or (kind == "exfat" and _has_fuse())
    has_tools = os.geteuid() == 0 and bool(shutil.which(_MAKERS[kind][0])) and _has_loop()
    return is_known and has_tools and _mounts(kind)


@functools.cache
def _mounts(kind: str) -> bool:
    """Try it: a container may have all the tools and not the right."""
    with tempfile.TemporaryDirectory() as name:
        image, folder = Path(name, "image"), Path(name, "stick")
        try:
            with mounted(make_image(image, kind, 64), kind, folder):
                return True
        except (OSError, subprocess.SubprocessError, AssertionError):
            return False


def can_yank() -> bool:
    """Tell whether a stick can be mounted whose driver may be killed."""
    return can_mount("exfat") and not _kernel_knows("exfat")


def _has_fuse() -> bool:
    return bool(shutil.which("mount.exfat-fuse")) and Path("/dev/fuse").exists()


def _has_loop() -> bool:
    made = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return made.returncode == 0


def make_image(path: Path, kind: str, size_mb: int) -> Path:
    """Make an empty stick."""
    with path.open("wb") as file:
        file.truncate(size_mb << 20)
    subprocess.run([*_MAKERS[kind], str(path)], check=True, capture_output=True)
    return path


@dataclass
class Mounted:
    """A stick that is plugged in."""

    folder: Path
    kind: str
    device: str = ""
    driver: "subprocess.Popen[bytes] | None" = None

    def yank(self) -> None:
        """End the driver at once: nothing that it holds reaches the stick any more."""
        assert self.driver is not None
        self.driver.send_signal(signal.SIGKILL)
        self.driver.wait()


@contextlib.contextmanager
def mounted(image: Path, kind: str, folder: Path, *, read_only: bool = False) -> Iterator[Mounted]:
    """Plug a stick in."""
    folder.mkdir(exist_ok=True)
    command = ["losetup", "-f", "--show", *(["-r"] if read_only else []), str(image)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    stick = Mounted(folder, kind, device)
    try:
        if _kernel_knows(kind):
            options = "ro" if read_only else "rw"
            options += ",utf8" if kind == "fat32" else ""
            mount = ["mount", "-t", _NAMES[kind], "-o", options, device, str(folder)]
            subprocess.run(mount, check=True)
        else:
            options = "ro" if read_only else "rw"
            stick.driver = subprocess.Popen(
                ["mount.exfat-fuse", "-d", "-o", options, device, str(folder)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            until = time.monotonic() + 30
            while not folder.is_mount() and time.monotonic() < until:
                time.sleep(0.005)
            assert folder.is_mount()
        yield stick
    finally:
        subprocess.run(["umount", str(folder)], check=False, capture_output=True)
        if stick.driver is not None:
            stick.driver.wait(30)
        subprocess.run(["losetup", "-d", device], check=True)


# --- a kernel of its own -------------------------------------------------------------------


def run_beside_fat32(image: Path, scratch: Path, *command: str) -> "subprocess.Popen[bytes]":
    """Boot a User-Mode Linux that runs a command with the stick at `TONGKE_STICK`.

    Its exit code comes to `scratch/rc`, what it said to `scratch/said`.
    """
    scratch.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "LANG": "C.UTF-8"}
    job = {"command": command, "cwd": str(Path.cwd()), "environment": environment}
    (scratch / "job").write_text(json.dumps(job))
    init = scratch / "init"
    init.write_text(
        f"#!/bin/sh\ncd {Path.cwd()}\nexec {sys.executable} -m tests.stick_systems {scratch}\n"
    )
    init.chmod(0o755)
    return subprocess.Popen(
        [UML, "mem=1G", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "quiet",
         f"init={init}", f"ubd0={image}", "con=null", "con0=null,fd:2"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _first_process(scratch: Path) -> None:
    """Mount, run, note the exit code, halt."""
    libc = ctypes.CDLL(None, use_errno=True)
    job = json.loads((scratch / "job").read_text())
    stick, ram = scratch / "stick", scratch / "ram"
    for folder in (stick, ram):
        folder.mkdir(exist_ok=True)
    for kind, at in (("proc", "/proc"), ("tmpfs", str(ram))):
        subprocess.run(["mount", "-t", kind, kind, at], check=True)
    for name in _MODULES:
        for path in Path("/usr/lib/uml/modules").rglob(f"{name}.ko"):
            with path.open("rb") as file:
                libc.syscall(313, file.fileno(), b"", 0)  # finit_module: there is no insmod here
    options = "utf8,shortname=mixed"
    subprocess.run(["mount", "-t", "vfat", "-o", options, "/dev/ubda", str(stick)], check=True)
    environment = {**job["environment"], PLACE: str(stick), "TMPDIR": str(ram)}
    with (scratch / "said").open("wb") as said:
        done = subprocess.run(
            job["command"], cwd=job["cwd"], env=environment, stdout=said, stderr=said, check=False
        )
    subprocess.run(["umount", str(stick)], check=False)
    (scratch / "rc").write_text(str(done.returncode))
    os.sync()
    libc.reboot(0x4321FEDC)


if __name__ == "__main__":
    _first_process(Path(sys.argv[1]))
