"""Requests and responses as the servers know them from Triton, for callers in this process.

The module itself stands in for Triton's `pb_utils`.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1


class Tensor(NamedTuple):
    """A named array."""

    label: str
    array: Array

    def name(self) -> str:
        """Return the tensor's name."""
        return self.label

    def as_numpy(self) -> Array:
        """Return the tensor's values."""
        return self.array


class TritonError(Exception):
    """Why a request has no outputs; `code` is one of those below."""

    INTERNAL = "INTERNAL"
    INVALID_ARG = "INVALID_ARG"
    UNAVAILABLE = "UNAVAILABLE"
    CANCELLED = "CANCELLED"

    def __init__(self, message: str, code: str = INTERNAL) -> None:
        super().__init__(message)
        self.code = code


class InferenceResponse(NamedTuple):
    """Output tensors, or an error."""

    tensors: List[Tensor]
    error: Optional[TritonError] = None


class Logger:
    """Failures go to the runner's log, and nowhere else."""

    @staticmethod
    def log_error(message: str) -> None:
        """Write a traceback."""
        logging.getLogger("clarifai").error(message)


Receive = Callable[[Optional[InferenceResponse], bool], None]


class Request:
    """One item that a model is asked: its tensors, of one row each, and parameters as JSON.

    `receive` gets each response, and whether it is the last one.
    """

    def __init__(self, tensors: Mapping[str, Array], parameters: str, receive: Receive) -> None:
        self._tensors = [Tensor(name, array) for name, array in tensors.items()]
        self._parameters = parameters
        self._receive = receive
        self.cancelled = False

    def inputs(self) -> List[Tensor]:
        """Return the input tensors."""
        return self._tensors

    def parameters(self) -> str:
        """Return the parameters as JSON."""
        return self._parameters

    def is_cancelled(self) -> bool:
        """Return whether nobody waits for the answer any more."""
        return self.cancelled

    def get_response_sender(self) -> Request:
        """Return what takes responses."""
        return self

    def send(self, response: Optional[InferenceResponse] = None, flags: int = 0) -> None:
        """Take one response; the last one has the flag of it."""
        self._receive(response, flags == TRITONSERVER_RESPONSE_COMPLETE_FINAL)


pb_utils = sys.modules[__name__]
"""This module, as what a server takes."""
