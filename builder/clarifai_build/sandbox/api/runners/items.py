"""Requests on their way through a runner's process: handed out on its streams, answered there."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.sandbox.api.errors import ApiError, Code, status

UNARY = resources_pb2.RunnerMethodType.UNARY_UNARY
STREAMED = resources_pb2.RunnerMethodType.UNARY_STREAMING


class GoneError(Exception):
    """The process that should take a request has ended before it did."""


class Item:
    """One request, and the answers that have come to it."""

    def __init__(self, request: Any, method_type: int) -> None:
        fine = status(Code.SUCCESS)
        self.message = service_pb2.MultiRunnerItemResponse(status=fine)
        self.message.runner_items.add(
            id=uuid.uuid4().hex,
            processing_info=resources_pb2.ProcessingInfo(
                runner_method_type=method_type, status=fine
            ),
            post_model_outputs_request=request,
        )
        # Nobody waits any more: it is not handed out, and what comes for it is dropped.
        self.abandoned = False
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def answers(self, seconds: float) -> Iterator[Any]:
        """Yield each answer as it comes, within so many seconds in all; raises ApiError.

        Raises GoneError where no process has taken the request.
        """
        deadline = time.monotonic() + seconds
        try:
            while True:
                try:
                    answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    raise _failed(f"the model gave no answer within {seconds:.0f} s") from None
                if answer is None:
                    return
                if isinstance(answer, Exception):
                    raise answer
                yield answer
        finally:
            self.abandoned = True

    def follow(self, messages: Iterator[Any]) -> None:
        """Take the answers from the stream on which the request went out, to its end."""
        for message in messages:
            if self.abandoned:
                return
            for output in message.runner_item_outputs:
                self._answers.put(output.multi_output_response)
            if not message.runner_item_outputs and message.status.code != Code.SUCCESS:
                self._answers.put(ApiError(message.status.code, message.status.details))
        self._answers.put(None)

    def fail(self, reason: str) -> None:
        """Let those who wait know that no more will come. After the last answer it is nothing."""
        self._answers.put(_failed(reason))

    def give_back(self, reason: str) -> None:
        """Let those who wait know that nobody has taken the request."""
        self._answers.put(GoneError(reason))


class Desk:
    """Where one process takes its requests. Closed when the process ends: nothing waits then."""

    def __init__(self) -> None:
        self._waiting: deque[Item] = deque()
        self._taken = 0
        self._changed = threading.Condition()
        self._closed: str | None = None
        self.joined = threading.Event()

    @property
    def is_idle(self) -> bool:
        with self._changed:
            return not self._waiting and not self._taken

    def put(self, item: Item) -> None:
        """Let a request wait for a stream; raises GoneError."""
        with self._changed:
            if self._closed is not None:
                raise GoneError(self._closed)
            self._waiting.append(item)
            self._changed.notify_all()

    def close(self, reason: str) -> None:
        """Hand out nothing any more, and give back what waits."""
        with self._changed:
            self._closed = reason
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for item in waiting:
            item.give_back(reason)

    def wake(self) -> None:
        """Have those who wait look again whether their stream is still open."""
        with self._changed:
            self._changed.notify_all()

    def serve(self, messages: Iterator[Any], is_open: Callable[[], bool]) -> Iterator[Any]:
        """Hand out one request on a stream, and take its answers; the process then opens another.

        `messages` is what the process sends.
        """
        self.joined.set()
        item = self._take(is_open)
        if item is None:
            return
        try:
            yield item.message
            item.follow(messages)
        finally:
            item.fail("the runner's process ended while it answered")
            with self._changed:
                self._taken -= 1

    def _take(self, is_open: Callable[[], bool]) -> Item | None:
        with self._changed:
            while is_open() and self._closed is None:
                if self._waiting:
                    item = self._waiting.popleft()
                    if not item.abandoned:
                        self._taken += 1
                        return item
                    continue
                self._changed.wait()
        return None


def _failed(reason: str) -> ApiError:
    return ApiError(Code.MODEL_PREDICTION_FAILED, reason)
