"""How far a stage is, counted by many threads."""

from __future__ import annotations

import threading

from clarifai_build.progress import Event, Listener


class Tally:
    """Adds up bytes, and tells a listener; never more than `total`, as a part may be sent again."""

    def __init__(self, stage: str, total: int, listen: Listener) -> None:
        self._stage, self._total, self._listen = stage, total, listen
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that were moved."""
        with self._lock:
            self._done = done = min(self._done + count, self._total)
        self._listen(Event(self._stage, "running", done=done, total=self._total))
