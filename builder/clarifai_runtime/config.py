"""`get_model_config`: what a model type is, as the user's inference.py sees it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, Callable, List, Type, TypeVar

from .model_types import MODEL_TYPES as _TABLE
from .model_types import ModelType
from .outputs import OUTPUT_CLASSES

MARK = "__clarifai_model_type__"
"""The attribute by which a wrapped prediction function says which model type it serves."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclasses.dataclass
class ModelTypes:
    """The names of the model types as attributes; `all` lists them."""

    visual_detector: str = "visual-detector"
    visual_classifier: str = "visual-classifier"
    text_classifier: str = "text-classifier"
    text_to_text: str = "text-to-text"
    text_embedder: str = "text-embedder"
    text_to_image: str = "text-to-image"
    visual_embedder: str = "visual-embedder"
    visual_segmenter: str = "visual-segmenter"
    multimodal_embedder: str = "multimodal-embedder"

    def __post_init__(self) -> None:
        self.all: List[str] = list(_TABLE)


MODEL_TYPES = ModelTypes().all


@dataclasses.dataclass(frozen=True)
class InferenceConfig:
    """`wrap_func` marks a prediction function; `return_type` is the class of one prediction."""

    wrap_func: Callable[[Any], Any]
    return_type: Type[Any]


@dataclasses.dataclass(frozen=True)
class FieldMaps:
    """How the platform's fields map to the model's tensors."""

    input_fields_map: dict[str, str]
    output_fields_map: dict[str, str]


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One model type."""

    type: str
    inference: InferenceConfig
    field_maps: FieldMaps
    triton: SimpleNamespace
    """The type's tensors, as `input` and `output`."""


def wrapper_of(model_type: str) -> Callable[[Function], Function]:
    """Return the decorator that marks a prediction function as one of `model_type`."""

    def wrap_func(function: Function) -> Function:
        setattr(function, MARK, model_type)
        return function

    return wrap_func


def find_model_type(name: str) -> ModelType:
    """Return the model type `name`, or say which there are."""
    try:
        return _TABLE[name]
    except KeyError:
        raise ValueError(
            f"there is no model type {name!r}; there are: {', '.join(_TABLE)}"
        ) from None


def get_model_config(model_type: str) -> ModelConfig:
    """Return the configuration of a model type, such as "visual-classifier"."""
    found = find_model_type(model_type)
    return ModelConfig(
        type=found.name,
        inference=InferenceConfig(wrapper_of(found.name), OUTPUT_CLASSES[found.output_class]),
        field_maps=FieldMaps(dict(found.input_fields_map), dict(found.output_fields_map)),
        triton=SimpleNamespace(input=list(found.inputs), output=list(found.outputs)),
    )
