"""Fixtures shared by all tests."""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.engine.courier_stick import is_packed
from tests.replica import replica, replicas

__all__ = ["replica", "replicas"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Sentinels of profiles that tests make stay out of the home folder.
if "TONGKE_STATE" not in os.environ:
    os.environ["TONGKE_STATE"] = tempfile.mkdtemp(prefix="tongke-state-")
    atexit.register(shutil.rmtree, os.environ["TONGKE_STATE"], ignore_errors=True)

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with the replica and the link emulator, which users do not have."""
    if not (SHARED / "tools").is_dir():
        pytest.skip("the replica and measuring tools are not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def demo() -> Path:
    """The demo school, made once; `make setup` has made it already."""
    folder = ROOT / "build" / "demo"
    if not is_packed(folder):
        script = ROOT / "packaging" / "make_demo.py"
        subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _collecting(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let windows that were left in cycles go on this thread only, as the program does."""
    if not {"gui", "end2end"} & set(request.path.parts):
        yield
        return
    gc.disable()
    yield
    gc.collect()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the words when a source of theirs changed; workers find them done."""
    if not hasattr(config, "workerinput"):
        script = ROOT / "packaging" / "compile_words.py"
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, saying why."""
    for item in items:
        if item.get_closest_marker("shared") and not (SHARED / "tools").is_dir():
            item.add_marker(
                pytest.mark.skip(
                    reason="the replica and measuring tools are not beside the project"
                )
            )
        if item.get_closest_marker("root") and (sys.platform != "linux" or os.geteuid() != 0):
            item.add_marker(pytest.mark.skip(reason="needs root for network namespaces"))
