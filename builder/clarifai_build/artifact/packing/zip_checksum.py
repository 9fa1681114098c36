"""The SHA-256 of a zip that need not exist: known from before, taken beside its upload, or read."""

from __future__ import annotations

import hashlib
from threading import Condition
from types import TracebackType
from typing import TYPE_CHECKING

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.util import threads

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Self

_BLOCK = 4 << 20
# Four parts of 64 MiB, which travel at a time: what the sum has read is still in memory for them.
_AHEAD = 256 << 20


class ZipSum:
    """Takes the sum beside an upload, if there is one: `follow` is called as that proceeds.

    As the sum has to be taken in order, and parts are sent side by side and by the kernel, it reads
    for itself; but what one of the two has read is in memory for the other.
    """

    def __init__(
        self,
        artifact: Artifact,
        progress: ProgressCallback = no_progress,
        cache: DigestCache = NO_CACHE,
        *,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._artifact, self._progress, self._cache = artifact, progress, cache
        self._cancel = cancel
        self._known = cache.zip_sha256(artifact.digest)
        if self._known is None and artifact.missing:
            self._known = ""
        self._allowed = 0
        self._awaited = self._stopped = False
        self._moved = Condition()
        self._taken: Future[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with self._moved:
            self._stopped = True
            self._moved.notify()

    def follow(self, sent: int) -> None:
        """Keep up with an upload that has sent so many bytes; with 0, it begins."""
        if self._known is None:
            self._allow(sent + _AHEAD)

    def sha256(self) -> str:
        """Return the sum, as hex; where nothing was uploaded, this reads every file.

        Empty where content is missing: without reading it, nobody knows.
        """
        if self._known is None:
            self._awaited = True
            self._allow(self._artifact.size)
            assert self._taken is not None
            self._known = self._taken.result()
            self._cache.keep_zip_sha256(self._artifact.digest, self._known)
        return self._known

    def _allow(self, end: int) -> None:
        """Let the sum proceed to `end`, and start it if need be."""
        with self._moved:
            self._allowed = max(self._allowed, end)
            self._moved.notify()
            if self._taken is None:
                (self._taken,) = threads.start([self._take], 1)

    def _take(self) -> str:
        sha256 = hashlib.sha256()
        buffer = memoryview(bytearray(min(_BLOCK, self._artifact.size)))
        for offset in range(0, self._artifact.size, _BLOCK):
            block = buffer[: self._artifact.size - offset]
            done = offset + len(block)
            self._wait(done)
            self._cancel.check()
            self._artifact.read_into(block, offset)
            sha256.update(block)
            if self._awaited:  # before that, the upload reports progress
                self._progress(Event("sum", "running", done=done, total=self._artifact.size))
        return sha256.hexdigest()

    def _wait(self, end: int) -> None:
        """Wait until the sum may proceed to `end`; raises InterruptedError if it is not needed."""
        with self._moved:
            while not self._stopped and end > self._allowed:
                self._moved.wait()
            if self._stopped:
                raise InterruptedError
