"""The requests of one `execute()` and their responses: each gets exactly one."""

from __future__ import annotations

import time
import traceback
from typing import Any, List, Sequence, Set, Union

from .calling import Job
from .encoding import Tensors
from .errors import ModelFailedError, RequestError

ASK_CANCELLED_AFTER = 0.1
"""Seconds of waiting after which Triton is asked whether a request is still wanted.

Asking takes 0.1 ms, and requests that have just come out of the queue are wanted."""

SEND_AHEAD_AFTER = 0.006
"""Seconds per request that an answer must take to be sent ahead of what is still to be done.

Sending ahead takes 0.3 ms a request, which the others have to wait."""

Answer = Union[Tensors, RequestError]


class Responder:
    """Makes Triton's response objects. `pb_utils` is Triton's module, or a stand-in for it."""

    def __init__(self, pb_utils: Any, names: Sequence[str]) -> None:
        self._pb = pb_utils
        self._names = names
        self.final = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL

    def respond(self, answer: Answer) -> Any:
        """Return the response that carries an answer."""
        if isinstance(answer, RequestError):
            code = getattr(self._pb.TritonError, answer.code)
            return self._pb.InferenceResponse([], self._pb.TritonError(str(answer), code))
        make = self._pb.Tensor
        return self._pb.InferenceResponse(
            [make(name, array) for name, array in zip(self._names, answer)]
        )

    def log(self, error: BaseException) -> None:
        """Write the traceback of a failure into the server's log."""
        cause = error.__cause__ or error
        lines = traceback.format_exception(type(cause), cause, cause.__traceback__)
        self._pb.Logger.log_error("".join(lines))


class Batch:
    """Collects the responses of one `execute()`, and sends ahead what need not wait."""

    def __init__(self, requests: Sequence[Any], responder: Responder) -> None:
        self.requests = requests
        self.responses: List[Any] = [None] * len(requests)
        self._responder = responder
        self._sent: Set[int] = set()
        self._open = len(requests)
        self._started = self._last = time.monotonic()

    def answer(self, jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
        """Give each job its answer."""
        for job, answer in zip(jobs, answers):
            self.responses[job.place] = self._responder.respond(answer)
        self._open -= len(jobs)
        now = time.monotonic()
        took, self._last = now - self._last, now
        if self._open and took > SEND_AHEAD_AFTER * len(jobs):
            self._send_ahead(jobs)

    def _send_ahead(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            response, self.responses[job.place] = self.responses[job.place], None
            self._sent.add(job.place)
            sender = self.requests[job.place].get_response_sender()
            sender.send(response, flags=self._responder.final)

    def cancelled(self, jobs: Sequence[Job]) -> List[Job]:
        """Return the jobs nobody waits for any more."""
        if time.monotonic() - self._started < ASK_CANCELLED_AFTER:
            return []
        return [job for job in jobs if self.requests[job.place].is_cancelled()]

    def fail(self, error: BaseException) -> None:
        """Answer whatever has no answer yet: a request without one hangs its client for ever."""
        failure = ModelFailedError(f"the runtime failed: {type(error).__name__}: {error}")
        for index, response in enumerate(self.responses):
            if response is None and index not in self._sent:
                self.responses[index] = self._responder.respond(failure)
