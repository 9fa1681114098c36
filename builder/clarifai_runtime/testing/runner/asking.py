"""How the predefined tests reach a runner model: in this process, or through the official server.

Imported for runner models alone: their environments hold clarifai.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence

import numpy as np

from ...errors import RequestError
from ...model_types import ANY, ModelType, Tensor
from ...parameters import Value
from ...settings import Settings
from .. import fake_triton
from ..asking import Reply, Tensors
from .sent_data import arrays_of, data_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ADDRESS_VARIABLE = "CLARIFAI_BUILD_RUNNER"
"""Environment variable with the port of an official server that has the model loaded."""

_SECONDS = 600


def config_of(model_type: ModelType, settings: Settings) -> Mapping[str, Any]:
    """Return what a config.pbtxt would say of a model, for what checks its tensors."""

    def entry(tensor: Tensor) -> Dict[str, Any]:
        dims = tensor.dims
        if tensor.name == "image" and tensor in model_type.inputs:
            dims = (*settings.image_shape, dims[-1])
        elif tensor.name == "embeddings" and dims == (ANY,):
            dims = settings.embeddings_shape
        return {"name": tensor.name, "data_type": f"TYPE_{tensor.dtype}", "dims": dims}

    return {
        "max_batch_size": settings.max_batch_size,
        "input": [entry(tensor) for tensor in model_type.inputs],
        "output": [entry(tensor) for tensor in model_type.outputs],
    }


class LocalRunner:
    """The served path without a server: what the methods of 1/model.py call."""

    checks_names = True

    def __init__(self, version_folder: Path, config: Mapping[str, Any]) -> None:
        from ...runner import open_runner

        self._config = config
        self._runner = open_runner(version_folder)

    def ask(self, requests: Sequence[Tensors], parameters: Mapping[str, Value]) -> List[Reply]:
        """Answer requests together; one of several rows is that many inputs."""
        return [self._reply(rows, parameters) for rows in map(_rows, requests)]

    def stream(self, tensors: Tensors, parameters: Mapping[str, Value]) -> List[Reply]:
        """Return every response of a streaming model to one request."""
        item = (tensors, _as_json(parameters))
        return [self._checked(tensors, response) for response in self._runner.stream(item)]

    def call_method(self, tensors: Tensors, _parameters: Mapping[str, Value]) -> None:
        """Call nothing: a typed method is one of 1/model.py, which the official server loads."""

    def _reply(self, rows: Sequence[Tensors], parameters: Mapping[str, Value]) -> Reply:
        responses = self._runner.ask([(row, _as_json(parameters)) for row in rows])
        return _together([self._checked(*each) for each in zip(rows, responses)])

    def _checked(self, tensors: Tensors, response: Any) -> Reply:
        if response.error is not None:
            return RequestError(str(response.error))
        made = fake_triton.InferenceResponse(
            [fake_triton.Tensor(tensor.name(), tensor.as_numpy()) for tensor in response.tensors]
        )
        fake_triton.check_response(fake_triton.InferenceRequest(tensors), made, self._config)
        return made.tensors


class RemoteRunner:
    """A model in the official server, which takes what it does not know of a request as nothing."""

    checks_names = False

    def __init__(self, port: str, model_type: ModelType, settings: Settings) -> None:
        from clarifai.client.model_client import ModelClient

        self._client = ModelClient.from_local_grpc(int(port))
        self._model_type = model_type
        self._settings = settings

    def ask(self, requests: Sequence[Tensors], parameters: Mapping[str, Value]) -> List[Reply]:
        """Answer requests that are sent at the same time, as older clients send them."""
        with ThreadPoolExecutor(max_workers=max(1, len(requests))) as senders:
            return list(senders.map(lambda tensors: self._post(tensors, parameters), requests))

    def stream(self, tensors: Tensors, parameters: Mapping[str, Value]) -> List[Reply]:
        """Return every piece of a streaming model's answer to one request."""
        try:
            pieces = self._call("generate", tensors, parameters)
            return [{"text": _text(piece)} for piece in pieces]
        except Exception as error:  # noqa: BLE001 - the official client raises what it likes
            return [RequestError(str(error))]

    def call_method(self, tensors: Tensors, parameters: Mapping[str, Value]) -> None:
        """Call the method that today's clients call."""
        self._call("predict", tensors, parameters)

    def _call(self, name: str, tensors: Tensors, parameters: Mapping[str, Value]) -> Any:
        from clarifai.runners.utils.data_types import Image

        (row,) = _rows(tensors)
        data = data_of(row)
        given: Dict[str, Any] = {}
        if data.HasField("image"):
            given["image"] = Image(bytes=data.image.base64)
        if data.HasField("text"):
            given["text"] = data.text.raw
        # A secret is no argument of a method: the server's environment has it.
        named = {param.name for param in self._settings.params or () if param.type != "secret"}
        given.update((name, value) for name, value in parameters.items() if name in named)
        return getattr(self._client, name)(**given)

    def _post(self, tensors: Tensors, parameters: Mapping[str, Value]) -> Reply:
        from clarifai_grpc.grpc.api import resources_pb2, service_pb2
        from clarifai_grpc.grpc.api.status import status_code_pb2

        request = service_pb2.PostModelOutputsRequest()
        request.model.model_version.output_info.params.update(dict(parameters))
        request.inputs.extend(resources_pb2.Input(data=data_of(row)) for row in _rows(tensors))
        answer = self._client.STUB.PostModelOutputs(request, timeout=_SECONDS)
        if answer.status.code != status_code_pb2.SUCCESS:
            return RequestError(answer.status.details or answer.status.description)
        labels = self._settings.labels or ()
        return _together([arrays_of(self._model_type, labels, o.data) for o in answer.outputs])


def _rows(tensors: Tensors) -> List[Tensors]:
    """Return requests of one row each."""
    count = len(next(iter(tensors.values())))
    return [
        {name: array[number : number + 1] for name, array in tensors.items()}
        for number in range(count)
    ]


def _together(replies: Sequence[Reply]) -> Reply:
    """Return the replies to the rows of a request as one, or the first failure."""
    rows: List[Dict[str, Any]] = []
    for reply in replies:
        if isinstance(reply, RequestError):
            return reply
        rows.append(reply)
    try:
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    except ValueError:
        # Rows of different sizes are what one request of a runner may well be answered with.
        return {name: _ragged([row[name][0] for row in rows]) for name in rows[0]}


def _ragged(rows: Sequence[Array]) -> Array:
    made = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        made[number] = row
    return made


def _text(piece: str) -> Array:
    return np.array([[piece.encode()]], dtype=object)


def _as_json(parameters: Mapping[str, Value]) -> str:
    return json.dumps(dict(parameters)) if parameters else ""
