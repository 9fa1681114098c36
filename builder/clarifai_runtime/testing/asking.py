"""How the predefined tests reach a model: in this process, or in a Triton server over HTTP."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence, Union

import numpy as np

from ..errors import RequestError
from ..parameters import Value
from ..serving.opening import open_server
from . import fake_triton

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ADDRESS_VARIABLE = "CLARIFAI_BUILD_TRITON"
"""Environment variable with the HTTP host:port of a Triton server that has the model loaded."""

Tensors = Mapping[str, "Array"]
Reply = Union[Dict[str, "Array"], RequestError]


class LocalModel:
    """The served path without a server: the runtime between strict stand-ins for Triton."""

    checks_names = True

    def __init__(self, version_folder: Path, config: Mapping[str, Any]) -> None:
        self._config = config
        self._server = open_server(version_folder, config, fake_triton)

    def ask(self, requests: Sequence[Tensors], parameters: Mapping[str, Value]) -> List[Reply]:
        """Answer requests that reach the model together, at most a full batch at a time."""
        text = json.dumps(dict(parameters))
        asked = [fake_triton.InferenceRequest(tensors, text) for tensors in requests]
        limit = int(self._config["max_batch_size"])
        responses: List[fake_triton.InferenceResponse] = []
        for batch in _batches(asked, limit):
            responses += fake_triton.exchange(self._server, batch, self._config)
        return [_reply(response) for response in responses]

    def stream(self, tensors: Tensors, parameters: Mapping[str, Value]) -> List[Reply]:
        """Return every response of a streaming model to one request."""
        request = fake_triton.InferenceRequest(tensors, json.dumps(dict(parameters)))
        return [_reply(r) for r in fake_triton.stream(self._server, request, self._config)]

    def call_method(self, tensors: Tensors, parameters: Mapping[str, Value]) -> None:
        """Call nothing: Triton's models have no methods."""


class RemoteModel:
    """A model in a Triton server: `address` is its HTTP host and port."""

    checks_names = True

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self._path = f"/v2/models/{name}"

    def ask(self, requests: Sequence[Tensors], parameters: Mapping[str, Value]) -> List[Reply]:
        """Answer requests that are sent at the same time."""
        with ThreadPoolExecutor(max_workers=max(1, len(requests))) as senders:
            return list(senders.map(lambda tensors: self._infer(tensors, parameters), requests))

    def stream(self, tensors: Tensors, parameters: Mapping[str, Value]) -> List[Reply]:
        """Return every response of a streaming model to one request."""
        text = tensors["text"].ravel()[0].decode()
        status, body = self._post("generate_stream", {"text": text, "parameters": dict(parameters)})
        lines = [line[len("data:") :] for line in body.splitlines() if line.startswith("data:")]
        if status != 200 or not lines:
            return [_failure(body)]
        return [_streamed(json.loads(line)) for line in lines]

    def call_method(self, tensors: Tensors, parameters: Mapping[str, Value]) -> None:
        """Call nothing: Triton's models have no methods."""

    def _infer(self, tensors: Tensors, parameters: Mapping[str, Value]) -> Reply:
        inputs = [_to_json(name, array) for name, array in tensors.items()]
        status, body = self._post("infer", {"inputs": inputs, "parameters": dict(parameters)})
        if status != 200:
            return _failure(body)
        return {output["name"]: _from_json(output) for output in json.loads(body)["outputs"]}

    def _post(self, action: str, content: Mapping[str, Any]) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=600)
        try:
            connection.request("POST", f"{self._path}/{action}", json.dumps(content))
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def _batches(
    requests: Sequence[fake_triton.InferenceRequest], limit: int
) -> List[List[fake_triton.InferenceRequest]]:
    """Fill batches up to `limit` rows, as Triton's dynamic batcher does."""
    batches: List[List[fake_triton.InferenceRequest]] = []
    room = 0
    for request in requests:
        rows = len(request.inputs()[0].as_numpy())
        if not batches or rows > room:
            batches.append([])
            room = limit
        batches[-1].append(request)
        room -= rows
    return batches


def _reply(response: fake_triton.InferenceResponse) -> Reply:
    return response.tensors if response.error is None else RequestError(str(response.error))


def _failure(body: str) -> RequestError:
    try:
        return RequestError(json.loads(body)["error"])
    except (ValueError, KeyError):
        return RequestError(body or "Triton gave no answer")


def _streamed(message: Mapping[str, Any]) -> Reply:
    if "error" in message:
        return RequestError(message["error"])
    return {"text": np.array([[str(message["text"]).encode()]], dtype=object)}


_NAMES = {"uint8": "UINT8", "object": "BYTES"}
_DTYPES: Mapping[str, Any] = {
    "BYTES": object,
    "FP32": np.float32,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
}


def _to_json(name: str, array: Array) -> Dict[str, Any]:
    data = array.ravel().tolist()
    if array.dtype == np.object_:
        data = [item.decode() for item in data]
    datatype = _NAMES[str(array.dtype)]
    return {"name": name, "shape": array.shape, "datatype": datatype, "data": data}


def _from_json(output: Mapping[str, Any]) -> Array:
    data = output["data"]
    if output["datatype"] == "BYTES":
        data = [item.encode() for item in data]
    array: Array = np.array(data, dtype=_DTYPES[output["datatype"]]).reshape(output["shape"])
    return array
