"""The only way from other threads to the GUI.

Invariants:
  G1  What is posted runs on the GUI thread, in the order in which it was posted.
  G2  An answer to an old question is dropped (`Latest`).
  G3  After `close`, and for an owner that Qt has deleted, nothing runs.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from client.domain.errors import Cancelled, ClassroomError

T = TypeVar("T")
Failed = Callable[[ClassroomError], None]


class UiDispatcher(QObject):
    """Runs callables on the GUI thread, in the order in which they were posted (G1)."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_closed = False
        self._on_failed: Failed | None = None
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, fn: Callable[[], None]) -> None:
        """Run `fn` on the GUI thread, soon. May be called from any thread."""
        if not self._is_closed:
            self._posted.emit(fn)

    def on_failure(self, failed: Failed) -> None:
        """Set who hears of failures that nobody watches for."""
        self._on_failed = failed

    def watch(
        self,
        future: Future[T],
        *,
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        owner: QObject | None = None,
    ) -> None:
        """Hand the result of `future` to `done`, its named error to `failed`, on the GUI thread.

        `Cancelled` reaches nobody. An error that is no `ClassroomError` is a bug and is raised
        in the event loop. With an `owner`, nothing runs once Qt has deleted it (G3).
        """

        def settle() -> None:
            if owner is not None and not isValid(owner):
                return
            self._settle(future, done, failed)

        future.add_done_callback(lambda _: self.post(settle))

    def close(self) -> None:
        """Drop everything that arrives from now on. GUI thread."""
        self._is_closed = True

    def _run(self, fn: Callable[[], None]) -> None:
        if not self._is_closed:
            fn()

    def _settle(
        self, future: Future[T], done: Callable[[T], None] | None, failed: Failed | None
    ) -> None:
        try:
            result = future.result()
        except (Cancelled, CancelledError):
            return
        except ClassroomError as error:
            hear = failed or self._on_failed
            if hear is None:
                raise
            hear(error)
            return
        if done is not None:
            done(result)


class Latest:
    """Numbers the questions of one kind and lets only the newest answer through (G2)."""

    def __init__(self, dispatcher: UiDispatcher, owner: QObject | None = None) -> None:
        self._dispatcher = dispatcher
        self._owner = owner
        self._number = 0

    def ask(
        self, future: Future[T], done: Callable[[T], None], failed: Failed | None = None
    ) -> None:
        """Watch `future`; forget every question asked before."""
        self._number += 1
        number = self._number

        def answer(result: T) -> None:
            if number == self._number:
                done(result)

        def fail(error: ClassroomError) -> None:
            if number == self._number and failed is not None:
                failed(error)

        self._dispatcher.watch(
            future, done=answer, failed=fail if failed else None, owner=self._owner
        )

    def forget(self) -> None:
        """Drop the answers of all questions asked so far."""
        self._number += 1
