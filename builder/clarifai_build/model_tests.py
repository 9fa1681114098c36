"""The model's own tests (1/test.py): in the environment it asks for, or through a real server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.errors import BuilderError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.repository_layout import REQUIREMENTS, TESTS
from clarifai_build.requirements.reader import content_of, text_of
from clarifai_build.sandbox.engines.interpreters import find_python
from clarifai_build.util.processes import children
from clarifai_build.util.processes.child_environment import child_environment
from clarifai_build.util.processes.scratch_folder import ScratchFolder

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact

Show: TypeAlias = Callable[[str], None]

STAGE = "test"
# Beside the model's requirements: what the runtime needs, and what runs the tests.
_TEST_NEEDS = ("numpy", "pytest")


class NoPythonError(BuilderError):
    """The model's tests can't be run here."""


def run_tests(
    manifest: Manifest,
    artifact: Artifact,
    progress: ProgressCallback = no_progress,
    show: Show | None = None,
) -> bool:
    """Run 1/test.py as it is in the artifact.

    What pytest reports is shown line by line, or goes to this process's own output.
    """
    with ScratchFolder() as scratch:
        folder = Path(scratch) / manifest.model.id
        write_folder(artifact.tree, folder)
        python = make_environment(folder / REQUIREMENTS, manifest.code.python, progress)
        return _pytest(python, folder, _parameters_of(manifest), show)


def run_tests_in_triton(
    manifest: Manifest,
    artifact: Artifact,
    progress: ProgressCallback = no_progress,
    show: Show | None = None,
) -> bool:
    """Run 1/test.py likewise against a Triton server that serves the artifact."""
    from clarifai_build.sandbox import single_model
    from clarifai_runtime.testing.asking import ADDRESS_VARIABLE

    with ScratchFolder() as scratch:
        folder = Path(scratch) / "models" / manifest.model.id
        write_folder(artifact.tree, folder)
        requirements = folder / REQUIREMENTS
        with single_model.serving(folder, Path(scratch) / "work", STAGE, progress) as served:
            python = make_environment(requirements, served.python, progress)
            extra = {**_parameters_of(manifest), ADDRESS_VARIABLE: served.address}
            return _pytest(python, folder, extra, show)


def run_tests_in_runner(
    manifest: Manifest,
    artifact: Artifact,
    progress: ProgressCallback = no_progress,
    show: Show | None = None,
) -> bool:
    """Run 1/test.py likewise through Clarifai's own server, which loads 1/model.py."""
    from clarifai_build.sandbox import single_runner
    from clarifai_runtime.testing.runner.asking import ADDRESS_VARIABLE

    with ScratchFolder() as scratch:
        folder = Path(scratch) / manifest.model.id
        write_folder(artifact.tree, folder)
        python = make_environment(folder / REQUIREMENTS, manifest.code.python, progress)
        given = _parameters_of(manifest)
        work = Path(scratch) / "work"
        with single_runner.serving(
            folder, python, _secrets_of(manifest), work, STAGE, progress
        ) as port:
            return _pytest(python, folder, {**given, ADDRESS_VARIABLE: str(port)}, show)


def make_environment(
    requirements: Path, version: str, progress: ProgressCallback = no_progress
) -> Path:
    """Return the Python of an environment with these requirements; the same file is installed once.

    Raises NoPythonError when there is no such Python, SandboxError when pip fails.
    """
    from clarifai_build.sandbox.engines.venvs import Recipe, is_complete, provision
    from clarifai_build.util.cache_dir import cache_folder

    interpreter = find_python(version)
    if interpreter is None:
        raise NoPythonError.of(
            "no-such-python",
            f"the model asks for Python {version}, which is not on this machine",
            hint=f"put python{version} on PATH, for example with 'uv python install {version}', or "
            "name another one in code.python",
        )
    text = text_of(content_of(requirements), str(requirements))
    content = "\n".join((version, *_TEST_NEEDS, text))
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    target = cache_folder() / "environments" / f"test-{key}-py{version}"
    if not is_complete(target):
        progress(Event(STAGE, "started", "installing the model's requirements"))
    arguments = ("-r", str(requirements), *_TEST_NEEDS)
    hint = "check the model's requirements"
    recipe = Recipe(STAGE, interpreter, arguments, hint, folder=requirements.parent)
    return provision(target, recipe, progress) / "bin" / "python"


def _parameters_of(manifest: Manifest) -> dict[str, str]:
    """Return the variables that give the model's own parameters their values in its tests."""
    from clarifai_runtime.testing.parameters import PREFIX

    names = (PREFIX + param.name for param in manifest.params)
    return {name: os.environ[name] for name in names if name in os.environ}


def _secrets_of(manifest: Manifest) -> dict[str, str]:
    """Return the variables by which a runner is given its secrets."""
    from clarifai_runtime.testing.parameters import PREFIX

    given = _parameters_of(manifest)
    secrets = (param.name for param in manifest.params if param.type == "secret")
    return {name: given[PREFIX + name] for name in secrets if PREFIX + name in given}


def _pytest(python: Path, folder: Path, extra: Mapping[str, str], show: Show | None) -> bool:
    # No caches in a folder that is removed afterwards.
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", TESTS]
    environment = {**child_environment(), **extra, "PYTHONDONTWRITEBYTECODE": "1"}
    if show is None:
        return children.run_in_sight(command, cwd=folder, env=environment) == 0
    return children.run_shown(command, cwd=folder, env=environment, show=show) == 0
