"""What is going on, as values: the library tells a `Listener`, and the CLI renders it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple


class Event(NamedTuple):
    """One step of one stage; `done` and `total` are bytes where the stage moves bytes."""

    stage: str
    state: Literal["started", "running", "done"]
    message: str = ""
    done: int | None = None
    total: int | None = None


Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listen to nothing."""


def named(name: str, listen: Listener) -> Listener:
    """Return a listener that tells `listen` whose stage an event is about."""
    return lambda event: listen(event._replace(stage=f"{name} {event.stage}"))
