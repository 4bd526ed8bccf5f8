"""Futures made of futures. Nothing here waits: it may run on the thread that ends them."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def then(future: Future[A], fn: Callable[[A], B]) -> Future[B]:
    """Give a future of `fn` of another future's result; errors of both pass through."""
    answer: Future[B] = Future()
    answer.set_running_or_notify_cancel()

    def done(finished: Future[A]) -> None:
        try:
            answer.set_result(fn(finished.result()))
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller
            answer.set_exception(error)

    future.add_done_callback(done)
    return answer


def after(first: Future[A], second: Future[B]) -> Future[A]:
    """Give a future that is done when both are, with the result or error of the first.

    Nothing waits: this may be called on the thread that will finish them.
    """
    answer: Future[A] = Future()
    answer.set_running_or_notify_cancel()

    def copy(done: Future[A]) -> None:
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)

    second.add_done_callback(lambda _: first.add_done_callback(copy))
    return answer
