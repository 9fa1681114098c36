"""From a request's inputs to tensors, through the input field map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from clarifai_grpc.grpc.api import resources_pb2
from tritonclient.grpc import model_config_pb2

from clarifai_build.sandbox.api.builds.served_model import ServedModel
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.rpc import images
from clarifai_build.sandbox.api.rpc.fetching import Fetched

Array = np.ndarray[Any, Any]
Scalar = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Asked:
    """The inference parameters of a request, and which concepts it wants to see."""

    parameters: dict[str, Scalar]
    config: resources_pb2.OutputConfig


@dataclass(frozen=True, slots=True)
class Sources:
    """What lies at URLs, and whom to tell of the memory that an input takes, before it does."""

    fetched: Fetched
    hold: Callable[[int], None]


def tensors(
    data: resources_pb2.Data, fields: Mapping[str, str], model: ServedModel, sources: Sources
) -> dict[str, Array]:
    """Return one input as tensors, with a batch dimension where the model batches."""
    found: dict[str, Array] = {}
    for field, name in fields.items():
        tensor = model.inputs[name]
        array = _read(data, field, tensor, sources)
        if array is not None:
            # Triton wants a batch dimension exactly where the model batches.
            found[name] = array[np.newaxis] if model.config.max_batch_size > 0 else array
        elif not tensor.optional:
            raise _refused(f"the input has no {field}, which the model needs")
    if not found:
        raise _refused(f"the input has none of {' and '.join(sorted(fields))}")
    return found


def asked(model: resources_pb2.Model) -> Asked:
    """Return what a request asks beside its inputs: JSON scalars, numbers as doubles."""
    found: dict[str, Scalar] = {}
    for given in (model.output_info.params, model.model_version.output_info.params):
        for name, value in given.items():
            if value is None:
                continue
            if not isinstance(value, str | bool | int | float):
                raise ApiError(
                    Code.MODEL_INVALID_ARGUMENT,
                    f"parameter '{name}' must be a string, a number or a boolean",
                )
            found[name] = value
    config = resources_pb2.OutputConfig()
    config.MergeFrom(model.output_info.output_config)
    config.MergeFrom(model.model_version.output_info.output_config)
    return Asked(found, config)


def _read(data: resources_pb2.Data, field: str, tensor: Any, sources: Sources) -> Array | None:
    if field == "image" and data.HasField("image"):
        height, width = list(tensor.dims)[:2]
        content = _image_bytes(data.image, sources.fetched)
        return images.decode(content, height, width, sources.hold)
    if field == "text" and data.HasField("text"):
        return _text(data.text, tensor, sources.fetched)
    return None


def _image_bytes(image: resources_pb2.Image, fetched: Fetched) -> bytes:
    content = image.base64 or (_content(image.url, fetched) if image.url else b"")
    if not content:
        raise _refused("the image has neither base64 nor url")
    return bytes(content)


def _text(text: resources_pb2.Text, tensor: Any, fetched: Fetched) -> Array:
    content = _content(text.url, fetched) if text.url and not text.raw else text.raw.encode()
    if tensor.data_type != model_config_pb2.TYPE_STRING:
        raise _refused(f"tensor '{tensor.name}' does not take text")
    return np.array([content], dtype=np.object_)


def _content(url: str, fetched: Fetched) -> bytes:
    content = fetched[url]
    if isinstance(content, ApiError):
        raise content
    return content


def _refused(details: str) -> ApiError:
    return ApiError(Code.INPUT_INVALID_ARGUMENT, details)
