"""Cycles are collected on the GUI thread alone (ui.base.garbage)."""

import gc
import threading

import pytest
from PySide6.QtCore import QObject

from ui.base.garbage import Collector, collect


class Link:
    """Half of a cycle that says on which thread it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        self.went, self.me = went, self

    def __del__(self) -> None:
        self.went.append(threading.current_thread())


def elsewhere() -> list[list[int]]:
    """Allocate as much as makes Python collect by itself; it counts while it lives."""
    made: list[list[int]] = []
    worker = threading.Thread(target=lambda: made.extend([number] for number in range(20_000)))
    worker.start()
    worker.join()
    return made


@pytest.fixture
def went():
    gc.collect()
    gc.enable()
    yield []
    gc.disable()


def test_without_it_another_thread_collects(went):
    Link(went)
    elsewhere()
    assert went
    assert went[0] is not threading.current_thread()


def test_gc1_cycles_go_on_the_thread_of_the_windows(went, qtbot):
    """GC1"""
    owner = QObject()
    Collector(owner)
    Link(went)
    kept = elsewhere()
    assert went == []
    qtbot.waitUntil(lambda: bool(went), timeout=10_000)
    assert went == [threading.current_thread()]
    assert kept


def test_nothing_is_done_when_nothing_is_due(went):
    gc.disable()
    gc.collect()
    before = gc.get_stats()
    collect()
    assert gc.get_stats() == before
