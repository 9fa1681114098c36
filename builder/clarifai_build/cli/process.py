"""The process of a command: signals that ask it to end, and garbage collection.

Each such signal raises KeyboardInterrupt, and is remembered. Some libraries turn what is raised
while they are loaded into an error of their own, or print it: there it is raised once they are
loaded, unless that takes long.
"""

from __future__ import annotations

import atexit
import gc
import signal
import threading
import time
from types import FrameType

# Ctrl-C, then what CI runners send to cancel a job, then a terminal that is closed.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# During an import, an interrupt is tried again this often, and raised after _MOST_SECONDS.
_AGAIN_SECONDS = 0.02
_MOST_SECONDS = 0.5
_IMPORTING = "<frozen importlib._bootstrap>"
_GC_THRESHOLD = 100_000


class Interrupts:
    """Whether a signal has asked the program to end."""

    def __init__(self) -> None:
        self.came = False
        self._until: float | None = None

    def install(self) -> None:
        """Listen from now on; signals that the parent process ignores stay ignored."""
        # signal.signal raises ValueError on any other thread.
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._raise)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        now = time.monotonic()
        self._until = self._until or now + _MOST_SECONDS
        if now >= self._until or not _is_importing(frame):
            raise KeyboardInterrupt
        again = threading.Timer(_AGAIN_SECONDS, _send, (number,))
        again.daemon = True
        again.start()


def _send(number: int) -> None:
    """Send a signal to the main thread, so that whatever it waits for does not go on."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def tune_gc() -> None:
    """Collect garbage after every `_GC_THRESHOLD` new objects, and not at exit.

    It holds for the whole process, so that a command calls it, and no library function. A tree of
    5,000 files is some 15,000 objects, none of them garbage; collecting after every few hundred of
    them takes 10 ms, and once more at exit 6 to 30.
    """
    gc.set_threshold(_GC_THRESHOLD)
    atexit.register(gc.freeze)


def collect_young() -> None:
    """Collect what refers to itself of the objects that are new since the last time.

    Libraries leave a hundred such objects a model; `_GC_THRESHOLD` would let those of a thousand
    models pile up.
    """
    gc.collect(0)
