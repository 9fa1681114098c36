"""What the template is rendered with, whatever the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clarifai_build.manifest.types import Manifest, Param
from clarifai_build.model_types import template_table


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Cookiecutter's variables by name.

    What the user wrote reaches the template as their values, so `{{ … }}` in a label stays text.
    """

    variables: dict[str, Any]


def shared_variables(manifest: Manifest, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what the files of every target say: which model this is, and how it is called."""
    height, width = manifest.shapes.image
    return {
        "model_name": manifest.model.id,
        "model_type": manifest.model.type,
        "target": manifest.target,
        "max_batch_size": manifest.triton.max_batch_size,
        "image_height": height,
        "image_width": width,
        "labels": "",
        "_labels": list(labels),
        "_params": [_param(param) for param in manifest.params],
        "_embeddings": list(manifest.shapes.embeddings),
        "_ragged": manifest.triton.ragged,
        "_isolate": manifest.triton.isolate,
        "_per_item": manifest.code.per_item,
        "_streaming": manifest.triton.streaming,
        "_model_types": template_table(),
    }


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "type": param.type,
        "default": param.default,
        "description": param.description,
    }
