"""The generated files of a Triton model repository, from the cookiecutter template."""

from __future__ import annotations

from clarifai_build.errors import BuilderError
from clarifai_build.manifest.types import Manifest
from clarifai_build.repository_layout import CONFIG
from clarifai_build.targets.context import RenderContext, shared_variables
from clarifai_build.targets.template import render_template
from clarifai_build.targets.vendored import runtime_files


class RenderError(BuilderError):
    """The template gave what Triton can't read: a bug of this tool, or an edited template."""


def context_of(manifest: Manifest, labels: tuple[str, ...]) -> RenderContext:
    """Take from the manifest all that reaches the artifact, and nothing else."""
    triton = manifest.triton
    batching = triton.dynamic_batching
    return RenderContext(
        {
            **shared_variables(manifest, labels),
            "instance_kind": triton.instance_group.kind,
            "instance_count": triton.instance_group.count,
            "max_queue_delay_microseconds": batching.max_queue_delay_microseconds,
            "_preferred_batch_size": list(batching.preferred_batch_size),
            "_parameters": [
                (pbtxt_escape(key), pbtxt_escape(value)) for key, value in triton.parameters
            ],
            "_warmup": triton.warmup,
            "_version_policy": triton.version_policy,
            "_response_cache": triton.response_cache,
        }
    )


def render(context: RenderContext) -> dict[str, bytes]:
    """Return every generated file of the repository, the runtime included, by its path.

    Raises RenderError when the result is not a config.pbtxt that Triton's ModelConfig takes.
    """
    files = render_template(context.variables)
    check_config(files[CONFIG])
    return files | runtime_files()


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
