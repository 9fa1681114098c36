"""The table of Clarifai model types, as the builder uses it.

The table itself lives in the runtime, which travels in every artifact: one definition for both.
"""

from __future__ import annotations

from typing import Any

from clarifai_runtime.model_types import MODEL_TYPES, ModelType, Tensor

__all__ = ["MODEL_TYPES", "ModelType", "Tensor", "template_table"]


def template_table() -> dict[str, Any]:
    """Return the table as the cookiecutter template's `_model_types` variable has it."""
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
