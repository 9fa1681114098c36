"""Fetching several weights at once, and reporting their progress as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import BuilderError, SourceError
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.util import threads
from clarifai_build.weights.fetcher import Fetcher

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Storage, Weight

# Servers often slow down single connections, and refuse clients with many of them.
_AT_ONCE = 4


class FetchProgress:
    """Progress of each weight: written by threads that fetch, reported by the one that waits."""

    def __init__(self, weights: Sequence[Weight]) -> None:
        self._sizes: dict[Weight, tuple[int, int | None]] = dict.fromkeys(weights, (0, 0))
        self._there: SimpleQueue[str] = SimpleQueue()

    def note(self, weight: Weight, done: int, size: int | None) -> None:
        """Note how many bytes of a weight are there, and of how many."""
        self._sizes[weight] = (done, size)

    def finish(self, weight: Weight, size: int) -> None:
        """Note that a weight is there."""
        self.note(weight, size, size)
        self._there.put(f"{weight.to} is there, {size} bytes")

    def tell(self, progress: ProgressCallback) -> None:
        """Report what was fetched since the last time; the total grows as servers name sizes."""
        while not self._there.empty():
            progress(Event("weights", "done", self._there.get()))
        done, sizes = zip(*self._sizes.values(), strict=True)
        total = None if None in sizes else sum(sizes) or None
        progress(Event("weights", "running", done=sum(done), total=total))


def fetch_all(
    weights: Sequence[Weight],
    folder: Path,
    storage: Storage | None,
    progress: ProgressCallback,
    environ: Mapping[str, str],
    *,
    cancel: CancelToken = NEVER,
) -> None:
    """Fetch weights into a folder; raise what is wrong with any, after all were tried.

    This thread alone calls `progress`, and checks `cancel` a few times a second whatever the
    servers do.
    """
    board = FetchProgress(weights)
    fetcher = Fetcher(folder, storage, environ, board.note)

    def fetch(weight: Weight) -> Exception | None:
        try:
            board.finish(weight, fetcher.fetch(weight))
        except Exception as exc:  # noqa: BLE001 - raised again by the thread that waits
            return exc
        return None

    def on_tick() -> None:
        cancel.check()
        board.tell(progress)

    futures = threads.start([partial(fetch, weight) for weight in weights], _AT_ONCE)
    try:
        threads.wait_all(futures, on_tick)
    finally:
        # Those that have not begun; the others hear of it from the fetcher.
        threads.cancel_all(futures, 0)
        fetcher.close()
    _raise_all([failure for future in futures if (failure := future.result())])


def _raise_all(failures: Sequence[Exception]) -> None:
    """Raise what the user can fix as one error; anything else as it is."""
    errors = [failure for failure in failures if isinstance(failure, BuilderError)]
    if len(errors) < len(failures):
        raise next(failure for failure in failures if not isinstance(failure, BuilderError))
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else SourceError
        raise kind(*(problem for error in errors for problem in error.problems))
