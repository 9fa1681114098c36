"""A stand-in for `triton_python_backend_utils`, stricter than Triton, for tests without a server.

Triton lets a wrong dtype or a missing answer through; `exchange` raises for each of them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1

DTYPES: Mapping[str, Any] = {
    "TYPE_STRING": np.object_,
    "TYPE_UINT8": np.uint8,
    "TYPE_INT32": np.int32,
    "TYPE_INT64": np.int64,
    "TYPE_FP32": np.float32,
}


class ProtocolError(AssertionError):
    """The runtime answered in a way Triton would hang, crash or lie on."""


class TritonError(Exception):
    """An error response. The codes have Triton's names."""

    INTERNAL = "INTERNAL"
    INVALID_ARG = "INVALID_ARG"
    UNAVAILABLE = "UNAVAILABLE"
    CANCELLED = "CANCELLED"

    def __init__(self, message: str, code: str = INTERNAL) -> None:
        super().__init__(message)
        self.code = code


class Tensor:
    """A named array."""

    def __init__(self, name: str, array: Array) -> None:
        if not isinstance(array, np.ndarray):
            raise ProtocolError(f"tensor {name} is made of a {type(array).__name__}")
        self._name = name
        self._array = array

    def name(self) -> str:
        """Return the tensor's name."""
        return self._name

    def as_numpy(self) -> Array:
        """Return the tensor's values."""
        return self._array


class InferenceResponse:
    """Output tensors, or an error."""

    def __init__(
        self, output_tensors: Sequence[Tensor] = (), error: Optional[TritonError] = None
    ) -> None:
        self.tensors = {tensor.name(): tensor.as_numpy() for tensor in output_tensors}
        self.error = error
        if len(self.tensors) != len(output_tensors):
            raise ProtocolError("a response names a tensor twice")


class ResponseSender:
    """Collects the responses sent ahead of, or instead of, the returned ones."""

    def __init__(self, request: InferenceRequest) -> None:
        self._request = request
        self.closed = False

    def send(self, response: Optional[InferenceResponse] = None, flags: int = 0) -> None:
        """Take one response."""
        if self.closed:
            raise ProtocolError("a response was sent after the final one")
        if response is not None:
            self._request.received.append(response)
        self.closed = flags == TRITONSERVER_RESPONSE_COMPLETE_FINAL

    def is_cancelled(self) -> bool:
        """Say whether the caller has gone."""
        return self._request.is_cancelled()


class InferenceRequest:
    """One request as the python backend hands it to `execute()`."""

    def __init__(
        self, inputs: Mapping[str, Array], parameters: str = "{}", cancelled: bool = False
    ) -> None:
        self._inputs = [Tensor(name, array) for name, array in inputs.items()]
        self._parameters = parameters
        self._cancelled = cancelled
        self.received: List[InferenceResponse] = []
        self.sender: Optional[ResponseSender] = None

    def inputs(self) -> List[Tensor]:
        """Return the input tensors."""
        return self._inputs

    def parameters(self) -> str:
        """Return the parameters as JSON."""
        return self._parameters

    def is_cancelled(self) -> bool:
        """Say whether the caller has gone."""
        return self._cancelled

    def get_response_sender(self) -> ResponseSender:
        """Return the sender of this request; Triton gives out one."""
        if self.sender is None:
            self.sender = ResponseSender(self)
        return self.sender


class Logger:
    """Writes to stderr, where a test run shows it beside the failure."""

    @staticmethod
    def log_error(message: str) -> None:
        """Write a message."""
        sys.stderr.write(message)


def exchange(
    server: Any, requests: Sequence[InferenceRequest], config: Mapping[str, Any]
) -> List[InferenceResponse]:
    """Run one `execute()` and return the one response of each request, checked."""
    returned = server.execute(requests)
    if not isinstance(returned, list) or len(returned) != len(requests):
        raise ProtocolError(f"{len(requests)} requests were answered with {returned!r}")
    for request, response in zip(requests, returned):
        if response is not None:
            request.get_response_sender().send(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        if len(request.received) != 1 or not request.get_response_sender().closed:
            raise ProtocolError(f"a request has {len(request.received)} responses, not one")
        check_response(request, request.received[0], config)
    return [request.received[0] for request in requests]


def stream(
    server: Any, request: InferenceRequest, config: Mapping[str, Any]
) -> List[InferenceResponse]:
    """Run one `execute()` of a decoupled model and return the responses of its request."""
    if server.execute([request]) is not None:
        raise ProtocolError("a decoupled model returned responses")
    if request.sender is None or not request.sender.closed:
        raise ProtocolError("the stream has no end")
    for response in request.received:
        check_response(request, response, config)
    return request.received


def check_response(
    request: InferenceRequest, response: InferenceResponse, config: Mapping[str, Any]
) -> None:
    """Raise unless a response is an error, or exactly the outputs that config.pbtxt declares."""
    if response.error is not None:
        if response.tensors or not str(response.error):
            raise ProtocolError("an error response has tensors, or no message")
        return
    declared = {output["name"]: output for output in config["output"]}
    if response.tensors.keys() != declared.keys():
        raise ProtocolError(f"outputs are {list(response.tensors)}, not {list(declared)}")
    rows = len(request.inputs()[0].as_numpy())
    for name, array in response.tensors.items():
        _check_tensor(name, array, rows, declared[name])


def _check_tensor(name: str, array: Array, rows: int, declared: Mapping[str, Any]) -> None:
    dtype = DTYPES[declared["data_type"]]
    if array.dtype != dtype:
        raise ProtocolError(f"{name} has dtype {array.dtype}, not {np.dtype(dtype)}")
    dims = [rows, *map(int, declared["dims"])]
    if len(array.shape) != len(dims) or any(
        dim not in (-1, got) for got, dim in zip(array.shape, dims)
    ):
        raise ProtocolError(f"{name} has the shape {array.shape}, not {tuple(dims)}")
    if array.dtype == np.object_ and not all(isinstance(item, bytes) for item in array.ravel()):
        raise ProtocolError(f"{name} holds something other than bytes")
