"""The generated files of a runner's folder, from the cookiecutter template."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from clarifai_build.manifest.types import Manifest, Param, Runner
from clarifai_build.targets.context import RenderContext, shared_variables
from clarifai_build.targets.runner.declaration import secrets_of
from clarifai_build.targets.runner.methods import annotation_of, method_table
from clarifai_build.targets.runner.sdk import CLARIFAI, base_image
from clarifai_build.targets.template import render_template
from clarifai_build.targets.vendored import runtime_files

_NO_CHECKPOINTS = {"repo_id": "", "when": "", "type": ""}


def context_of(manifest: Manifest, labels: tuple[str, ...]) -> RenderContext:
    """Take from the manifest all that reaches the artifact, and nothing else."""
    runner = manifest.runner or Runner()
    arguments = (_argument(param) for param in manifest.params if annotation_of(param))
    return RenderContext(
        {
            **shared_variables(manifest, labels),
            **runner_variables(runner),
            "_arguments": list(arguments),
        }
    )


def runner_variables(runner: Runner) -> dict[str, Any]:
    """Return the variables of the template that target runner alone uses."""
    compute, checkpoints = runner.compute, runner.checkpoints
    return {
        "_arguments": [],
        "_methods": method_table(),
        "_clarifai": CLARIFAI,
        "_python": runner.python,
        "_image": runner.image or "",
        "_base_image": base_image(runner.python),
        "_compute": {**asdict(compute), "accelerator_type": list(compute.accelerator_type)},
        "_instance": runner.instance or "",
        "_num_threads": runner.num_threads,
        "_secrets": list(secrets_of(runner)),
        "_checkpoints": asdict(checkpoints) if checkpoints else _NO_CHECKPOINTS,
    }


def render(context: RenderContext) -> dict[str, bytes]:
    """Return every generated file of the folder, the runtime included, by its path."""
    return render_template(context.variables) | runtime_files()


def _argument(param: Param) -> dict[str, Any]:
    """Return a parameter as Python source.

    In ASCII: which other characters `repr` leaves as they are differs by version of Python.
    """
    return {
        "name": param.name,
        "annotation": annotation_of(param),
        "default": ascii(param.default),
        "description": ascii(param.description) if param.description else "",
    }
