"""Memory for decoded pictures: those that fit are worked on, the others wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clarifai_build.sandbox.api.errors import ApiError, Code

BYTES = 2 << 30
# As long as a model may take to answer.
WAIT_SECONDS = 300.0


class Memory:
    """So many bytes, shared by threads."""

    def __init__(self, size: int = BYTES) -> None:
        self._free = self._size = size
        self._freed = threading.Condition()

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Hold so many bytes while the block runs, once they are free, at most all of them."""
        size = min(size, self._size)
        with self._freed:
            if not self._freed.wait_for(lambda: self._free >= size, WAIT_SECONDS):
                raise ApiError(Code.MODEL_BUSY_PLEASE_RETRY, "other pictures take all the memory")
            self._free -= size
        try:
            yield
        finally:
            with self._freed:
                self._free += size
                self._freed.notify_all()
