"""Requests of many threads, called together: what Triton's dynamic batching does for a model.

One thread at a time calls the model, the leader. What others ask meanwhile waits, and goes into the
next call, as much of it as a batch takes. Nothing waits while nobody calls: the first to ask leads
at once. A leader whose own answers are there hands over to the thread that has waited longest.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Callable, Deque, List, Mapping, Optional, Sequence, Tuple

from .exchange import (
    TRITONSERVER_RESPONSE_COMPLETE_FINAL,
    InferenceResponse,
    Request,
    TritonError,
)

Execute = Callable[[Sequence[Request]], Sequence[Optional[InferenceResponse]]]
Item = Tuple[Mapping[str, Any], str]
"""Tensors and parameters of one request."""

_UNANSWERED = InferenceResponse([], TritonError("the runtime left this request without an answer"))


class Merger:
    """Lets threads share the calls of a server's `execute`, with at most `most` requests each."""

    def __init__(self, execute: Execute, most: int) -> None:
        self._execute = execute
        self._most = most
        self._mutex = threading.Lock()
        self._waiting: Deque[_Waiting] = deque()
        self._has_leader = False

    def ask(self, items: Sequence[Item]) -> List[InferenceResponse]:
        """Return the response to each item, once all are there."""
        if not items:
            return []
        asked = _Asked(items)
        with self._mutex:
            self._waiting.extend(asked.waiting)
            leads, self._has_leader = not self._has_leader, True
        if leads or asked.wait():
            self._lead(asked)
        return asked.responses

    def _lead(self, asked: _Asked) -> None:
        """Call the model until what this thread asked is answered, then let another thread lead."""
        asked.leads = True
        try:
            while asked.open:
                self._call(self._next())
        finally:
            self._hand_over()

    def _next(self) -> List[_Waiting]:
        with self._mutex:
            return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    def _call(self, batch: Sequence[_Waiting]) -> None:
        try:
            responses = self._execute([one.request for one in batch])
            for one, response in zip(batch, responses):
                if response is not None:  # None: it was sent ahead.
                    one.request.send(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        finally:
            # An interrupt of the leader leaves nobody waiting for ever.
            for one in batch:
                one.end()

    def _hand_over(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting[0].asked.let_lead()
            else:
                self._has_leader = False


class _Asked:
    """What one thread asked: `open` requests have no response yet."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.responses = [_UNANSWERED] * len(items)
        self.waiting = [_Waiting(self, place, item) for place, item in enumerate(items)]
        self.open = len(items)
        self.leads = False
        self._woken = threading.Lock()
        self._woken.acquire()

    def wait(self) -> bool:
        """Sleep until all responses are there, or this thread is to lead; return whether it is."""
        self._woken.acquire()
        return self.open > 0

    def let_lead(self) -> None:
        """Wake the thread to lead."""
        self._woken.release()

    def close_one(self) -> None:
        """Count a response that is there; the last one wakes a thread that sleeps."""
        self.open -= 1
        if not self.open and not self.leads:
            self._woken.release()


class _Waiting:
    """One request, and whom its response wakes."""

    def __init__(self, asked: _Asked, place: int, item: Item) -> None:
        self.asked = asked
        self._place = place
        self._ended = False
        self.request = Request(*item, self._receive)

    def _receive(self, response: Optional[InferenceResponse], last: bool) -> None:
        if response is not None:
            self.asked.responses[self._place] = response
        if last:
            self.end()

    def end(self) -> None:
        """Let go of the request; the second time does nothing."""
        if not self._ended:
            self._ended = True
            self.asked.close_one()
