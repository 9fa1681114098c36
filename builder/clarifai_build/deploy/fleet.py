"""Doing one thing to many models at once: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import BuilderError
from clarifai_build.util.crash_report import internal_error

Item = TypeVar("Item")
Value = TypeVar("Value")

# Ctrl-C ends a command within a second; giving a lease back takes up to 0.5 s of it.
_LAST_WORDS = 0.7
"""Seconds that interrupted work gets to end by itself, and to give its leases back."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Value]):
    """What came of one item: a value or an error."""

    item: Item
    value: Value | None = None
    error: BuilderError | None = None


def failure(work: Callable[[Item], object], item: Item) -> BuilderError | None:
    """Do `work`, and return the error that it raised, if any."""
    try:
        work(item)
    except BuilderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a bug that one item meets must not stop the others
        return internal_error(error)
    return None


def each(
    items: Sequence[Item], work: Callable[[Item], Value], jobs: int, cancel: CancelToken
) -> list[Outcome[Item, Value]]:
    """Do `work` for each item, `jobs` at a time, and return what came of each, in order.

    When this thread is interrupted, `cancel` is cancelled, which ends the others where they check
    it. They get a moment; one that is stuck in a call is left to end with the process.
    """

    def outcome(item: Item) -> Outcome[Item, Value]:
        try:
            return Outcome(item, work(item))
        except BuilderError as error:
            return Outcome(item, error=error)
        except Exception as error:  # noqa: BLE001 - as in `failure`
            return Outcome(item, error=internal_error(error))

    # On this thread, an interrupt is raised in the work itself.
    if jobs == 1 or len(items) < 2:
        return [outcome(item) for item in items]
    from functools import partial

    from clarifai_build.util import threads

    futures = threads.start([partial(outcome, item) for item in items], jobs)
    try:
        return [future.result() for future in futures]
    except BaseException:
        cancel.cancel()
        threads.cancel_all(futures, _LAST_WORDS)
        raise


def exit_code(errors: Sequence[BuilderError]) -> int:
    """Return 0 without errors, their common exit code, or 1 where they differ."""
    codes = {error.exit_code for error in errors}
    # No codes give 0, several 1.
    return codes.pop() if len(codes) == 1 else min(len(codes), 1)
