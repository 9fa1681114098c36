"""What is going on, as values: the library calls back, and the CLI renders it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, NamedTuple

from clarifai_build.errors import Problem


class Event(NamedTuple):
    """One step of one stage; `done` and `total` are bytes where the stage moves bytes.

    With a `warning`, `message` is the warning's.
    """

    stage: str
    state: Literal["started", "running", "done"]
    message: str = ""
    done: int | None = None
    total: int | None = None
    warning: Problem | None = None


ProgressCallback = Callable[[Event], None]


def no_progress(_event: Event) -> None:
    """Show nothing."""


def named(name: str, progress: ProgressCallback) -> ProgressCallback:
    """Return a callback that puts a name before the stage of each event."""
    return lambda event: progress(event._replace(stage=f"{name} {event.stage}"))


def warn(
    progress: ProgressCallback, code: str, message: str, *, stage: str, hint: str | None = None
) -> None:
    """Report what the user should know, though it makes nothing fail."""
    warning = Problem(code, message, hint=hint, severity="warning")
    progress(Event(stage, "running", message, warning=warning))


class Tally:
    """Adds up bytes, and reports them; never more than `total`, as a part may be sent again."""

    def __init__(self, stage: str, total: int, progress: ProgressCallback) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> int:
        """Count bytes that were moved, and return how many there are by now."""
        with self._lock:
            self._done = done = min(self._done + count, self._total)
        # Outside the lock: a slow callback must not hold up the other threads.
        self._progress(Event(self._stage, "running", done=done, total=self._total))
        return done
