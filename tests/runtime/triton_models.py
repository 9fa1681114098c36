"""Models in a real Triton server, and requests to them."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

Reply = dict[str, Any] | InferenceServerException
Tensors = Mapping[str, Any]


class LoadedModel:
    """One model in the server."""

    def __init__(self, client: triton_grpc.InferenceServerClient, folder: Path) -> None:
        self.name = folder.parent.name
        self.folder = folder
        self.client = client

    def reload(self) -> None:
        """Load the model anew."""
        self.client.unload_model(self.name)
        while self.client.is_model_ready(self.name):
            time.sleep(0.05)
        self.client.load_model(self.name)

    def ask(self, tensors: Tensors, parameters: Mapping[str, Any] | None = None) -> Reply:
        """Answer one request: its outputs by name, or the server's error."""
        try:
            result = self.client.infer(
                self.name, inputs(tensors), parameters=dict(parameters or {}), client_timeout=30
            )
        except InferenceServerException as error:
            return error
        names = [output.name for output in result.get_response().outputs]
        return {name: result.as_numpy(name) for name in names}

    def ask_together(self, *requests: Tensors | tuple[Tensors, Mapping[str, Any]]) -> list[Reply]:
        """Answer requests that are sent at once; a request may be a pair with its parameters."""
        pairs = [request if isinstance(request, tuple) else (request, {}) for request in requests]
        with ThreadPoolExecutor(max_workers=len(pairs)) as senders:
            return list(senders.map(lambda pair: self.ask(*pair), pairs))

    def stream(self, tensors: Tensors) -> Iterator[Reply]:
        """Yield the responses of a decoupled model to one request, as they come."""
        received: queue.Queue[Any] = queue.Queue()
        self.client.start_stream(lambda result, error: received.put(error or result))
        try:
            self.client.async_stream_infer(
                self.name, inputs(tensors), enable_empty_final_response=True
            )
            while True:
                result = received.get(timeout=30)
                if isinstance(result, InferenceServerException):
                    yield result
                    return
                response = result.get_response()
                if response.parameters["triton_final_response"].bool_param:
                    return
                yield {output.name: result.as_numpy(output.name) for output in response.outputs}
        finally:
            self.client.stop_stream()


def texts(*values: str | bytes) -> dict[str, Any]:
    """Make the tensors of a text request."""
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = [value.encode() if isinstance(value, str) else value for value in values]
    return {"text": array}


def images(*values: Any) -> dict[str, Any]:
    """Make the tensors of an image request."""
    return {"image": np.stack(values)}


def inputs(tensors: Tensors) -> list[triton_grpc.InferInput]:
    """Make the client's inputs."""
    made = []
    for name, array in tensors.items():
        tensor = triton_grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def status(reply: Reply) -> str:
    """Return "ok", or the code of the server's error."""
    return str(reply.status()) if isinstance(reply, InferenceServerException) else "ok"
