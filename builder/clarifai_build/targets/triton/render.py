"""RenderContext to generated files: the Triton model repository, from the cookiecutter template.

What the user wrote reaches it as context values, so `{{ … }}` in a label or a parameter stays text.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from clarifai_build.errors import BuilderError
from clarifai_build.manifest.types import Manifest, Param
from clarifai_build.model_types import template_table
from clarifai_build.repository_layout import CONFIG, RUNTIME
from clarifai_build.resources import files_below, runtime_dir

TEMPLATE_VERSION = 3
"""Raised when the template or the runtime gives other bytes for the same manifest."""


class RenderError(BuilderError):
    """The template gave what Triton can't read: a bug of this tool, or an edited template."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What the template is rendered with: cookiecutter's variables by name."""

    variables: dict[str, Any]

    @classmethod
    def of(cls, manifest: Manifest, labels: tuple[str, ...]) -> RenderContext:
        """Take from the manifest all that reaches the artifact, and nothing else."""
        triton = manifest.triton
        height, width = manifest.shapes.image
        return cls(
            {
                "model_name": manifest.model.id,
                "model_type": manifest.model.type,
                "max_batch_size": triton.max_batch_size,
                "image_height": height,
                "image_width": width,
                "labels": "",
                "instance_kind": triton.instance_group.kind,
                "instance_count": triton.instance_group.count,
                "max_queue_delay_microseconds": (
                    triton.dynamic_batching.max_queue_delay_microseconds
                ),
                "_preferred_batch_size": list(triton.dynamic_batching.preferred_batch_size),
                "_labels": list(labels),
                "_params": [_param(param) for param in manifest.params],
                "_parameters": [
                    (pbtxt_escape(key), pbtxt_escape(value)) for key, value in triton.parameters
                ],
                "_embeddings": list(manifest.shapes.embeddings),
                "_ragged": triton.ragged,
                "_isolate": triton.isolate,
                "_per_item": manifest.code.per_item,
                "_streaming": triton.streaming,
                "_warmup": triton.warmup,
                "_version_policy": triton.version_policy,
                "_response_cache": triton.response_cache,
                "_model_types": template_table(),
            }
        )


def render(context: RenderContext) -> dict[str, bytes]:
    """Return every generated file of the repository, the runtime included, by its path.

    Raises RenderError when the result is not a config.pbtxt that Triton's ModelConfig takes.
    """
    from clarifai_build.targets.triton.template import render_template

    files = render_template(context.variables)
    check_config(files[CONFIG])
    return files | runtime_files()


@functools.cache
def runtime_files() -> dict[str, bytes]:
    """Return the runtime as it is vendored: path in the artifact to content."""
    return {
        RUNTIME + path: content
        for path, content in files_below(runtime_dir()).items()
        # With what editors and pip leave there, the digest would differ by machine.
        if path.endswith((".py", "py.typed"))
    }


def check_config(content: bytes) -> None:
    """Parse a config.pbtxt into Triton's own message; raise RenderError where that fails."""
    from google.protobuf import text_format

    from clarifai_build.targets.triton.model_config import model_config_pb2

    try:
        text_format.Parse(content.decode(), model_config_pb2().ModelConfig())
    except text_format.ParseError as error:
        raise RenderError.of(
            "config-pbtxt",
            f"the rendered config.pbtxt does not parse: {error}",
            hint="the cookiecutter template was edited, or this is a bug in clarifai-build",
        ) from error


def pbtxt_escape(text: str) -> str:
    """Escape text for a double-quoted string of protobuf's text format.

    Bytes outside printable ASCII become octal escapes, which every parser version takes.
    """
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in text.encode()
    )


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "type": param.type,
        "default": param.default,
        "description": param.description,
    }
