"""The requests of one `execute()` and their responses: each gets exactly one."""

from __future__ import annotations

import time
import traceback
from typing import Any, List, Sequence, Set, Union

from ..errors import ModelFailedError, RequestError
from .encoding import Tensors

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

    def respond(self, answers: Sequence[Answer]) -> List[Any]:
        """Return the responses that carry answers."""
        tensor, response, names = self._pb.Tensor, self._pb.InferenceResponse, self._names
        return [
            response(list(map(tensor, names, answer)))
            if type(answer) is tuple
            else response([], self._error(answer))
            for answer in answers
        ]

    def _error(self, error: Any) -> Any:
        return self._pb.TritonError(str(error), getattr(self._pb.TritonError, error.code))

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

    def answer(self, places: Sequence[int], answers: Sequence[Answer]) -> None:
        """Give the requests at these places their answers."""
        responses = self._responder.respond(answers)
        if len(responses) == len(self.responses):
            self.responses = responses
        else:
            for place, response in zip(places, responses):
                self.responses[place] = response
        self._open -= len(places)
        now = time.monotonic()
        took, self._last = now - self._last, now
        if self._open and took > SEND_AHEAD_AFTER * len(places):
            self._send_ahead(places)

    def _send_ahead(self, places: Sequence[int]) -> None:
        for place in places:
            response, self.responses[place] = self.responses[place], None
            self._sent.add(place)
            sender = self.requests[place].get_response_sender()
            sender.send(response, flags=self._responder.final)

    def cancelled(self, places: Sequence[int]) -> List[int]:
        """Return the requests nobody waits for any more."""
        if time.monotonic() - self._started < ASK_CANCELLED_AFTER:
            return []
        return [place for place in places if self.requests[place].is_cancelled()]

    def fail(self, error: BaseException) -> None:
        """Answer whatever has no answer yet: a request without one hangs its client for ever."""
        failure = ModelFailedError(f"the runtime failed: {type(error).__name__}: {error}")
        for place, response in enumerate(self.responses):
            if response is None and place not in self._sent:
                (self.responses[place],) = self._responder.respond([failure])
