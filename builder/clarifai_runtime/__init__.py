"""What travels inside an artifact and serves the model in Triton. Needs numpy alone."""

from __future__ import annotations

from .model_types import MODEL_TYPES, ModelType, Tensor

__all__ = ["MODEL_TYPES", "ModelType", "Tensor"]
