"""Declarative, reproducible packaging and publishing of models for Clarifai.

`connect` a manifest, and `plan` what would change, `apply` it, or `roll_back`; or `load` one and
`build` its artifact alone. What goes wrong is a `BuilderError` that carries `Problem`s; nothing
here prints or exits. The environment is an argument, `os.environ` by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_build._version import __version__

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.artifact.folder_writer import write_folder
    from clarifai_build.artifact.packing.zip_writer import write_zip
    from clarifai_build.cancellation import CancelToken
    from clarifai_build.connection import Connected, Connection, connect, connect_all
    from clarifai_build.errors import BuilderError, Problem
    from clarifai_build.manifest.types import (
        Clarifai,
        Code,
        DynamicBatching,
        InstanceGroup,
        Manifest,
        Model,
        Param,
        Shapes,
        Storage,
        Triton,
        Weight,
        Zip,
    )
    from clarifai_build.pipeline import (
        Applied,
        ApplyOptions,
        Plan,
        Waiting,
        apply,
        build,
        plan,
        roll_back,
    )
    from clarifai_build.progress import Event
    from clarifai_build.registry import ModelRegistry
    from clarifai_build.reports.problems import text as problems_text
    from clarifai_build.storage import ObjectStore
    from clarifai_build.validation.load import load

_HOMES = {
    "Applied": "pipeline.Applied",
    "ApplyOptions": "pipeline.ApplyOptions",
    "Artifact": "artifact.artifact.Artifact",
    "BuilderError": "errors.BuilderError",
    "CancelToken": "cancellation.CancelToken",
    "Clarifai": "manifest.types.Clarifai",
    "Code": "manifest.types.Code",
    "Connected": "connection.Connected",
    "Connection": "connection.Connection",
    "DynamicBatching": "manifest.types.DynamicBatching",
    "Event": "progress.Event",
    "InstanceGroup": "manifest.types.InstanceGroup",
    "Manifest": "manifest.types.Manifest",
    "Model": "manifest.types.Model",
    "ModelRegistry": "registry.ModelRegistry",
    "ObjectStore": "storage.ObjectStore",
    "Param": "manifest.types.Param",
    "Plan": "pipeline.Plan",
    "Problem": "errors.Problem",
    "Shapes": "manifest.types.Shapes",
    "Storage": "manifest.types.Storage",
    "Triton": "manifest.types.Triton",
    "Waiting": "pipeline.Waiting",
    "Weight": "manifest.types.Weight",
    "Zip": "manifest.types.Zip",
    "apply": "pipeline.apply",
    "build": "pipeline.build",
    "connect": "connection.connect",
    "connect_all": "connection.connect_all",
    "load": "validation.load.load",
    "plan": "pipeline.plan",
    "problems_text": "reports.problems.text",
    "roll_back": "pipeline.roll_back",
    "write_folder": "artifact.folder_writer.write_folder",
    "write_zip": "artifact.packing.zip_writer.write_zip",
}

__all__ = [
    "Applied",
    "ApplyOptions",
    "Artifact",
    "BuilderError",
    "CancelToken",
    "Clarifai",
    "Code",
    "Connected",
    "Connection",
    "DynamicBatching",
    "Event",
    "InstanceGroup",
    "Manifest",
    "Model",
    "ModelRegistry",
    "ObjectStore",
    "Param",
    "Plan",
    "Problem",
    "Shapes",
    "Storage",
    "Triton",
    "Waiting",
    "Weight",
    "Zip",
    "__version__",
    "apply",
    "build",
    "connect",
    "connect_all",
    "load",
    "plan",
    "problems_text",
    "roll_back",
    "write_folder",
    "write_zip",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `--help` must not load the pipeline."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clarifai_build' has no attribute '{name}'")
    from importlib import import_module

    module, _, attribute = _HOMES[name].rpartition(".")
    return getattr(import_module(f"clarifai_build.{module}"), attribute)
