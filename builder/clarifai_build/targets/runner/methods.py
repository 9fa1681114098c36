"""The methods of a runner's class: what each model type takes and gives, in the SDK's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clarifai_build.manifest.types import Param
from clarifai_build.model_types import MODEL_TYPES, ModelType, traits_of


class Argument(NamedTuple):
    """An argument as Python source: its annotation, and its default where it has one."""

    name: str
    annotation: str
    default: str | None = None


class Method(NamedTuple):
    """What the methods of a model type take and return, as Python source, and what they do."""

    arguments: tuple[Argument, ...]
    returns: str
    doc: str


_ANNOTATIONS = {"image": "Image", "text": "str"}
# Of an input that may be left out.
_DEFAULTS = {"image": "None", "text": '""'}
_RETURNS = {
    "VisualDetectorOutput": "List[Region]",
    "ClassifierOutput": "List[Concept]",
    "TextOutput": "str",
    "EmbeddingOutput": "np.ndarray",
    "ImageOutput": "Image",
    "MasksOutput": "List[Region]",
}
_OF_PARAMS = {"boolean": "bool", "number": "float", "string": "str"}


def method_of(model_type: ModelType) -> Method:
    """Return what the methods of a type take and return, without inference parameters."""
    arguments = (
        Argument(
            tensor.name,
            _ANNOTATIONS[tensor.name],
            _DEFAULTS[tensor.name] if tensor.optional else None,
        )
        for tensor in model_type.inputs
    )
    returns = _RETURNS[model_type.output_class]
    return Method(tuple(arguments), returns, traits_of(model_type).answers)


def annotation_of(param: Param) -> str | None:
    """Return how a parameter is annotated; None for a secret, which is no argument."""
    return _OF_PARAMS.get(param.type)


def method_table() -> Mapping[str, Any]:
    """Return the table as the cookiecutter template's `_methods` variable has it."""
    methods = {name: method_of(model_type) for name, model_type in MODEL_TYPES.items()}
    return {
        name: {
            "arguments": [argument._asdict() for argument in method.arguments],
            "returns": method.returns,
            "doc": method.doc,
        }
        for name, method in methods.items()
    }
