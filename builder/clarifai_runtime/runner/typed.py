"""Answers in the types of the SDK, for the methods that today's clients call."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from clarifai.runners.utils.data_types import Concept, Image, Region

from ..model_types import ModelType
from .answers import Arrays


def value_of(model_type: ModelType, data: Any, arrays: Arrays) -> Any:
    """Return what a typed method returns; `data` is the answer as clients of old get it."""
    if model_type.output_class == "EmbeddingOutput":
        return arrays[0]
    return _VALUES[model_type.output_class](data)


def _regions(data: Any) -> Any:
    return [Region(region) for region in data.regions]


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "VisualDetectorOutput": _regions,
    "ClassifierOutput": lambda data: [Concept.from_proto(one) for one in data.concepts],
    "TextOutput": lambda data: data.text.raw,
    "MasksOutput": _regions,
    "ImageOutput": lambda data: Image(data.image),
}
