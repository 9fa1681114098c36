"""Work on threads that the end of the process does not wait for.

Those of `concurrent.futures` are joined at exit: one that waits for a server which has stopped
answering would keep an interrupted command alive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from threading import Thread
from typing import TypeVar

Value = TypeVar("Value")

# Seconds between ticks: a cancellation is noticed within that.
_BEAT = 0.1


def start(calls: Sequence[Callable[[], Value]], at_once: int) -> list[Future[Value]]:
    """Make calls, at most `at_once` at a time, and return their futures."""
    futures: list[Future[Value]] = [Future() for _ in calls]
    waiting = deque(zip(futures, calls, strict=True))

    def work() -> None:
        while waiting:
            try:
                future, call = waiting.popleft()
            # Another thread took the last one between the test and here.
            except IndexError:
                return
            if future.set_running_or_notify_cancel():
                _settle(future, call)

    for _ in range(min(at_once, len(calls))):
        Thread(target=work, daemon=True).start()
    return futures


def wait_all(futures: Collection[Future[Value]], on_tick: Callable[[], None]) -> None:
    """Wait for all, calling `on_tick` ten times a second. Re-raises the first exception."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, _BEAT, FIRST_EXCEPTION)
        for future in done:
            future.result()
        on_tick()


def run_interruptibly(call: Callable[[], Value], on_tick: Callable[[], None]) -> Value:
    """Make one call that may take long; what `on_tick` raises meanwhile ends the wait for it."""
    (future,) = start([call], 1)
    wait_all([future], on_tick)
    return future.result()


def ended(futures: Collection[Future[Value]], seconds: float | None) -> bool:
    """Give all some time, any time for None, and say whether they have ended."""
    return not wait(futures, seconds).not_done


def cancel_all(futures: Collection[Future[Value]], seconds: float) -> None:
    """Cancel the calls that have not begun, and give the others some time to end."""
    for future in futures:
        future.cancel()
    ended(futures, seconds)


def _settle(future: Future[Value], call: Callable[[], Value]) -> None:
    try:
        value = call()
    except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(value)
