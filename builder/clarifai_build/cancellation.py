"""Asking work on another thread to end, which checks a `CancelToken` now and then."""

from __future__ import annotations

import threading


class CancelToken:
    """Once cancelled, it raises KeyboardInterrupt wherever it is checked, on any thread."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask everyone who was given this token to end."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise KeyboardInterrupt once cancelled."""
        # Not an Exception: handlers that go on after a failure must not take it for one.
        if self._cancelled.is_set():
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleep, at most until cancelled."""
        if self._cancelled.wait(seconds):
            raise KeyboardInterrupt


class _Never(CancelToken):
    """What everyone shares who was given no token: to cancel it would end them all."""

    def cancel(self) -> None:
        raise TypeError("NEVER can't be cancelled: pass a CancelToken")


NEVER = _Never()
