"""A stream of one gRPC call that ends when nothing moves any more, or when it is cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from clarifai_build.cancellation import CancelToken

# Seconds between looks: a cancellation is noticed within that.
_BEAT = 0.1


class GuardedStream:
    """Requests and answers of one call. `idle` is how many seconds may pass without either."""

    def __init__(self, requests: Iterable[Any], idle: float, cancel: CancelToken) -> None:
        self._requests, self._idle, self._cancel = requests, idle, cancel
        self._moved = time.monotonic()
        self._ended = threading.Event()
        self._reason: BaseException | None = None
        self.is_late = False

    def answers(self, method: Callable[..., Any], **options: Any) -> Iterator[Any]:
        """Make the call, and yield its answers; however that ends, the call is over then."""
        call = method(self._noted(), **options)
        threading.Thread(target=self._watch, args=(call,), daemon=True).start()
        try:
            for answer in call:
                self._moved = time.monotonic()
                yield answer
        finally:
            self._ended.set()
            call.cancel()

    def raise_reason(self) -> None:
        """Raise what ended the call from this side, if that did."""
        if self._reason:
            raise self._reason

    def _noted(self) -> Iterator[Any]:
        """Yield the requests; gRPC would log what making one raises, and end the stream."""
        try:
            for request in self._requests:
                self._moved = time.monotonic()
                yield request
                self._moved = time.monotonic()
        except GeneratorExit:
            # The call is over, and takes no more.
            raise
        except BaseException as error:  # noqa: BLE001 - raised by `raise_reason`
            self._reason = error
            self._ended.wait()

    def _watch(self, call: Any) -> None:
        while not self._ended.wait(_BEAT):
            if self._is_over():
                call.cancel()
                return

    def _is_over(self) -> bool:
        try:
            self._cancel.check()
        except KeyboardInterrupt as error:
            self._reason = error
        self.is_late = time.monotonic() - self._moved > self._idle
        return self.is_late or self._reason is not None
