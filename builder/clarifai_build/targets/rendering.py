"""A manifest's generated files, whichever target it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clarifai_build.manifest.types import Manifest, Target
from clarifai_build.targets.context import RenderContext
from clarifai_build.targets.render_cache import render_once
from clarifai_build.targets.runner import render as runner
from clarifai_build.targets.triton import render as triton

_CONTEXTS: dict[Target, Callable[[Manifest, tuple[str, ...]], RenderContext]] = {
    "triton": triton.context_of,
    "runner": runner.context_of,
}
_RENDERERS: dict[Target, Callable[[RenderContext], dict[str, bytes]]] = {
    "triton": triton.render,
    "runner": runner.render,
}


def generated_files_of(
    manifest: Manifest, labels: tuple[str, ...], renders: Path | None = None
) -> dict[str, bytes]:
    """Render every generated file, the runtime included: path in the artifact to content.

    With `renders`, a folder, what was rendered before is taken from there.
    """
    return render_once(context_of(manifest, labels), renders, _RENDERERS[manifest.target])


def context_of(manifest: Manifest, labels: tuple[str, ...]) -> RenderContext:
    """Take from the manifest all that reaches the artifact, and nothing else."""
    return _CONTEXTS[manifest.target](manifest, labels)
