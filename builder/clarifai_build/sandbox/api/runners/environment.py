"""An environment for what a runner model requires: the official runner among it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from clarifai_build.errors import BuilderError, SandboxError
from clarifai_build.progress import no_progress
from clarifai_build.requirements.reader import Line, content_of, lines_in, text_of
from clarifai_build.sandbox.api.runners.runner_folder import REQUIREMENTS, RunnerFolder
from clarifai_build.sandbox.engines.interpreters import nearest_python
from clarifai_build.sandbox.engines.venvs import Recipe, is_complete, provision
from clarifai_build.util.cache_dir import cache_folder

STAGE = "runner environment"
# What the compiled part of the SDK, clarifai-protocol, has wheels for.
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def prepare(folder: RunnerFolder, pip_of: Path, log: Callable[[str], None]) -> Path:
    """Return the Python of an environment with the model's requirements, installed once.

    `log` hears what pip says. Raises SandboxError where pip fails, or no Python is there.
    """
    text = _checked_text(folder.requirements)
    version, interpreter = _interpreter(folder.python, log)
    key = hashlib.sha256("\n".join((version, text)).encode()).hexdigest()[:16]
    target = cache_folder() / "environments" / f"runner-{key}-py{version}"
    recipe = Recipe(
        stage=STAGE,
        python=interpreter,
        arguments=("-r", str(folder.requirements)),
        hint=f"fix {REQUIREMENTS}",
        pip_of=pip_of,
        folder=folder.path,
        hear=log,
    )
    known = is_complete(target)
    log(f"{'Using' if known else 'Making'} an environment of Python {version}")
    return provision(target, recipe, no_progress) / "bin" / "python"


def _interpreter(version: str, log: Callable[[str], None]) -> tuple[str, Path]:
    found = nearest_python(version, PYTHONS)
    if found is None:
        raise SandboxError.of(
            "no-such-python",
            f"the model asks for Python {version}; none of {', '.join(PYTHONS)} is on this machine",
            hint=f"put python{version} on PATH, for example with 'uv python install {version}'",
        )
    if found[0] != version:
        log(f"Python {version} is not on this machine; {found[0]} stands in for it")
    return found


def _checked_text(requirements: Path) -> str:
    try:
        text = text_of(content_of(requirements), REQUIREMENTS)
    except BuilderError as error:
        raise SandboxError(*error.problems) from error
    if not any(_names_sdk(line) for line in lines_in(text)):
        raise SandboxError.of(
            "layout-refused",
            f"{REQUIREMENTS} has no line for clarifai, which runs the model",
            hint="add a line 'clarifai==VERSION'",
        )
    return text


def _names_sdk(line: Line) -> bool:
    try:
        return Requirement(line.requirement).name.lower() == "clarifai"
    except InvalidRequirement:
        return False
