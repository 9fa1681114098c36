"""What the platform is told of a model's methods: what the SDK would read from its model.py.

Made without the SDK, which takes a second to import and asks a package index for its newest
release. A test holds them to the SDK's own.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from clarifai_build.manifest.types import Manifest, Param
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.targets.runner.methods import Argument, annotation_of, method_of

Signature = Mapping[str, Any]
"""A MethodSignature, by the names of its fields."""

_TYPES = {
    "bool": "BOOL",
    "float": "FLOAT",
    "str": "STR",
    "Concept": "CONCEPT",
    "Image": "IMAGE",
    "Region": "REGION",
    "np.ndarray": "NDARRAY",
}


def signatures_of(manifest: Manifest) -> tuple[Signature, ...]:
    """Return the signatures of a manifest's methods, in the order of its class."""
    method = method_of(MODEL_TYPES[manifest.model.type])
    inputs = [_input(argument) for argument in method.arguments]
    inputs += [field for param in manifest.params for field in _parameter(param)]
    predict = {
        "name": "predict",
        "method_type": "UNARY_UNARY",
        "description": method.doc,
        "input_fields": inputs,
        "output_fields": [_field("return", method.returns)],
    }
    if not manifest.triton.streaming:
        return (predict,)
    pieces = {**_field("return", method.returns), "iterator": True}
    streamed = {"name": "generate", "method_type": "UNARY_STREAMING", "output_fields": [pieces]}
    return predict, {**predict, **streamed}


def _input(argument: Argument) -> Signature:
    field = _field(argument.name, argument.annotation)
    if argument.default is None:
        return {**field, "required": True}
    return {**field, **_default(ast.literal_eval(argument.default))}


def _parameter(param: Param) -> list[Signature]:
    annotation = annotation_of(param)
    if annotation is None:
        return []
    described = {"description": param.description} if param.description else {}
    field = _field(param.name, annotation)
    return [{**field, **_default(param.default), **described, "is_param": True}]


def _default(value: Any) -> Signature:
    text = value if isinstance(value, str) else json.dumps(value)
    # As all of protobuf's, an empty text is one that is not there.
    return {"default": text} if text else {}


def _field(name: str, annotation: str) -> Signature:
    if annotation in _TYPES:
        return {"name": name, "type": _TYPES[annotation]}
    item = annotation.removeprefix("List[").removesuffix("]")
    return {"name": name, "type": "LIST", "type_args": [_field(f"{name}_item", item)]}
