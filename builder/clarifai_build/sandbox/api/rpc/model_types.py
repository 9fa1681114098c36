"""Handlers of the RPCs about model types."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.model_types import MODEL_TYPES, ModelType, Tensor
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.paging import page_of

_FIELDS = {
    "concepts": "concepts",
    "text": "text",
    "image": "image",
    "embeddings": "embeddings",
}


def get_type(request: Any) -> Any:
    model_type = MODEL_TYPES.get(request.model_type_id)
    if model_type is None:
        raise ApiError(
            Code.MODEL_INVALID_ARGUMENT, f"'{request.model_type_id}' is not a model type"
        )
    return service_pb2.SingleModelTypeResponse(model_type=_message(model_type))


def list_types(request: Any) -> Any:
    known = [_message(model_type) for model_type in MODEL_TYPES.values()]
    return service_pb2.MultiModelTypeResponse(model_types=page_of(known, request))


def _message(model_type: ModelType) -> resources_pb2.ModelType:
    message = resources_pb2.ModelType(
        id=model_type.name,
        title=model_type.name.replace("-", " ").title(),
        input_fields=list(model_type.input_fields_map),
        # A set: several paths of the field map lead below `regions`.
        output_fields=sorted({_output_field(field) for field in model_type.output_fields_map}),
        creatable=True,
    )
    for tensor in model_type.inputs:
        message.expected_input_layers.append(_layer(tensor))
    for tensor in model_type.outputs:
        message.expected_output_layers.append(_layer(tensor))
    return message


def _output_field(field: str) -> str:
    return "regions" if field.startswith("regions") else field


def _layer(tensor: Tensor) -> resources_pb2.ModelLayerInfo:
    shape = resources_pb2.LayerShape(
        dims=list(tensor.dims), data_type=resources_pb2.DataType.Value(tensor.dtype)
    )
    return resources_pb2.ModelLayerInfo(
        data_field_name=tensor.name, shapes=[shape], requires_label_filename=tensor.labels
    )
