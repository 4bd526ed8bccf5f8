"""ME1 of metering: what a system bus says, by a real bus and a NetworkManager of the test's own."""

import contextlib
import importlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.domain.metering import Metering
from sync.transport.metering import ask_system, unknown

NAME = "org.freedesktop.NetworkManager"


@contextlib.contextmanager
def bus(folder: Path) -> Iterator[str]:
    """Run a bus of its own; gives its address."""
    program = shutil.which("dbus-daemon")
    if program is None or shutil.which("busctl") is None:
        pytest.skip("dbus-daemon or busctl is not installed")
    place = f"--address=unix:path={folder}/bus"
    command = [program, "--session", "--nofork", "--print-address", place]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextlib.contextmanager
def manager(address: str, kind: str, value: object) -> Iterator[None]:
    """Answer one question for a property, as NetworkManager does."""
    jeepney: Any = importlib.import_module("jeepney")
    blocking: Any = importlib.import_module("jeepney.io.blocking")
    with blocking.open_dbus_connection(address) as connection:
        asked = jeepney.message_bus.RequestName(NAME)
        assert connection.send_and_get_reply(asked).body == (1,)

        def serve() -> None:
            while True:
                question = connection.receive()
                if question.header.message_type is jeepney.MessageType.method_call:
                    assert question.body == (NAME, "Metered")
                    answer = jeepney.new_method_return(question, "v", ((kind, value),))
                    connection.send(answer)
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("kind", "value", "metering"),
    [
        ("u", 0, Metering.UNKNOWN),
        ("u", 1, Metering.METERED),
        ("u", 2, Metering.FREE),
        ("u", 3, Metering.METERED),
        ("u", 4, Metering.FREE),
        ("u", 9, Metering.UNKNOWN),
        ("s", "yes", Metering.UNKNOWN),
    ],
)
def test_what_networkmanager_says(
    tmp_path: Path, kind: str, value: object, metering: Metering
) -> None:
    with bus(tmp_path) as address, manager(address, kind, value):
        assert ask_system(f"--address={address}") is metering


def test_me1_where_nobody_answers_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask_system(f"--address=unix:path={tmp_path}/none") is unknown() is Metering.UNKNOWN
    with bus(tmp_path) as address:
        assert ask_system(f"--address={address}") is Metering.UNKNOWN
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        monkeypatch.setattr("sync.transport.metering._WAIT_S", 0.2)
        assert ask_system(f"--address=unix:path={tmp_path}/mute") is Metering.UNKNOWN
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_system() is Metering.UNKNOWN
