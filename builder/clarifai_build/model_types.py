"""The table of Clarifai model types, as the builder uses it.

What the served model needs of a type lives in the runtime, which travels in every artifact: one
definition for both. What the builder alone needs stands here, so that it changes no artifact.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from clarifai_runtime.model_types import MODEL_TYPES, ModelType, Tensor

LARGEST_SIDE = 1024
"""The largest height or width of an image that the platform takes, in pixels."""

_MAX_BATCH_SIZE = 8


class BuildTraits(NamedTuple):
    """What building asks of a model type beside its tensors.

    `answers` is what its methods do, in words. `streams` says whether answers can be sent piece by
    piece, `example_embedding_size` how long the vectors of its starter are, and `large_tensors`
    which of its tensors fill shared memory.
    """

    answers: str
    streams: bool = False
    example_embedding_size: int | None = None
    large_tensors: tuple[str, ...] = ()


_IMAGE = ("image",)
_TRAITS: Mapping[str, BuildTraits] = {
    "visual-detector": BuildTraits("Find regions in an image.", large_tensors=_IMAGE),
    "visual-classifier": BuildTraits("Score the labels for an image.", large_tensors=_IMAGE),
    "text-classifier": BuildTraits("Score the labels for a text."),
    "text-to-text": BuildTraits("Answer a text with a text.", streams=True),
    "text-embedder": BuildTraits("Embed a text.", example_embedding_size=64),
    "text-to-image": BuildTraits("Draw an image for a text.", large_tensors=_IMAGE),
    "visual-embedder": BuildTraits(
        "Embed an image.", example_embedding_size=48, large_tensors=_IMAGE
    ),
    "visual-segmenter": BuildTraits(
        "Find the region of each label in an image.", large_tensors=("image", "predicted_mask")
    ),
    "multimodal-embedder": BuildTraits(
        "Embed an image, a text, or both.", example_embedding_size=48, large_tensors=_IMAGE
    ),
}


def traits_of(model_type: ModelType) -> BuildTraits:
    """Return what building asks of a model type."""
    return _TRAITS[model_type.name]


def streaming_types() -> tuple[str, ...]:
    """Return the names of the types that can stream."""
    return tuple(name for name, traits in _TRAITS.items() if traits.streams)


def default_max_batch_size(model_type: ModelType) -> int:
    """Return the largest batch where the manifest names none: 1 where one answer takes long."""
    return 1 if model_type.generates else _MAX_BATCH_SIZE


def template_variables() -> dict[str, Any]:
    """Return the variables of cookiecutter.json that follow from the table."""
    generating = [name for name, model_type in MODEL_TYPES.items() if model_type.generates]
    one_at_a_time = f"cookiecutter.model_type in {generating!r}"
    return {
        "model_type": list(MODEL_TYPES),
        "max_batch_size": f"{{{{ 1 if {one_at_a_time} else {_MAX_BATCH_SIZE} }}}}",
        "_model_types": template_table(),
    }


@cache
def template_table() -> Mapping[str, Any]:
    """Return the table as the cookiecutter template's `_model_types` variable has it: one object,
    for every model of a fleet."""
    return {
        name: {
            "has_labels": model_type.has_labels,
            "inputs": [_tensor(tensor) for tensor in model_type.inputs],
            "outputs": [_tensor(tensor) for tensor in model_type.outputs],
        }
        for name, model_type in MODEL_TYPES.items()
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {**tensor._asdict(), "dims": list(tensor.dims)}


__all__ = [
    "LARGEST_SIDE",
    "MODEL_TYPES",
    "BuildTraits",
    "ModelType",
    "Tensor",
    "default_max_batch_size",
    "streaming_types",
    "template_table",
    "template_variables",
    "traits_of",
]
