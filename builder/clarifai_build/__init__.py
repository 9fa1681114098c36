"""Declarative, reproducible packaging and publishing of models for Clarifai.

`load` a manifest, `build` its artifact, `plan` what would change, `apply` it. What goes wrong is a
`BuilderError` that carries `Problem`s; nothing here prints or exits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_build._version import __version__

if TYPE_CHECKING:
    from clarifai_build.errors import BuilderError, Problem
    from clarifai_build.manifest.types import Manifest
    from clarifai_build.pipeline import apply, build, plan
    from clarifai_build.validation.load import load

__all__ = [
    "BuilderError",
    "Manifest",
    "Problem",
    "__version__",
    "apply",
    "build",
    "load",
    "plan",
]

_HOMES = {
    "Manifest": "manifest.types",
    "load": "validation.load",
    "apply": "pipeline",
    "build": "pipeline",
    "plan": "pipeline",
    "BuilderError": "errors",
    "Problem": "errors",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `--help` must not load the pipeline."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clarifai_build' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"clarifai_build.{_HOMES[name]}"), name)
