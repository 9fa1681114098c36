"""Signals that ask the program to end: each raises KeyboardInterrupt, and is remembered.

Some libraries turn what is raised while they are loaded into an error of their own.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """Whether somebody has asked the program to end."""

    def __init__(self) -> None:
        self.came = False

    def heed(self) -> None:
        """Listen from now on; signals that whoever started us has ignored stay ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._raise)

    def _raise(self, _signal: int, _frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
