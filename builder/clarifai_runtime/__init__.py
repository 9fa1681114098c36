"""What travels inside an artifact and serves the model in Triton. Needs numpy alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import InvalidInputError
from .model_types import MODEL_TYPES, ModelType, Tensor

if TYPE_CHECKING:
    from .compat.base import (
        MultiModalEmbedder,
        TextClassifier,
        TextEmbedder,
        TextToImage,
        TextToText,
        VisualClassifier,
        VisualDetector,
        VisualEmbedder,
        VisualSegmenter,
    )
    from .config import ModelTypes, get_model_config
    from .outputs import (
        ClassifierOutput,
        EmbeddingOutput,
        ImageOutput,
        MasksOutput,
        TextOutput,
        VisualDetectorOutput,
    )

__all__ = [
    "MODEL_TYPES",
    "ClassifierOutput",
    "EmbeddingOutput",
    "ImageOutput",
    "InvalidInputError",
    "MasksOutput",
    "ModelType",
    "ModelTypes",
    "MultiModalEmbedder",
    "Tensor",
    "TextClassifier",
    "TextEmbedder",
    "TextOutput",
    "TextToImage",
    "TextToText",
    "VisualClassifier",
    "VisualDetector",
    "VisualDetectorOutput",
    "VisualEmbedder",
    "VisualSegmenter",
    "get_model_config",
]


def __getattr__(name: str) -> Any:
    """Import what needs numpy when it is asked for: the builder reads the table without it."""
    if name in __all__:
        for module in ("config", "outputs", "compat.base"):
            found = getattr(import_module(f".{module}", __name__), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
