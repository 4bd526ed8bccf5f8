"""How a fail-point ends the process, without ending this one (client.domain.failpoint)."""

import os
import signal

import pytest

from client.domain import failpoint


class EndedError(Exception):
    """Stands for the end of the process."""


def test_it_dies_at_the_passage_asked_for_and_on_every_system(monkeypatch):
    """X1"""

    def end(*_: int) -> None:
        raise EndedError

    killed = []
    trigger = failpoint._Trigger("here:2")
    monkeypatch.setattr(os, "kill", lambda _pid, number: killed.append(number))
    monkeypatch.setattr(os, "_exit", end)
    trigger.pull()
    assert killed == []
    with pytest.raises(EndedError):
        trigger.pull()
    assert killed == [signal.SIGKILL]
    monkeypatch.delattr(signal, "SIGKILL")
    with pytest.raises(EndedError):
        failpoint._Trigger("here").pull()
    assert len(killed) == 1


def test_only_its_own_name_counts(monkeypatch):
    """X1"""
    trigger = failpoint._Trigger("here:3")
    monkeypatch.setattr(failpoint, "_TRIGGER", trigger)
    failpoint.failpoint("there")
    failpoint.failpoint("here")
    assert trigger._left == 2
