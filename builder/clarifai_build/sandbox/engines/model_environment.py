"""An environment for what one model requires, beside the stub's own needs."""

from __future__ import annotations

import hashlib
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.sandbox.engines.install import Engines
from clarifai_build.sandbox.engines.shell_safe_paths import is_plain
from clarifai_build.util.small_files import MIB, read_small_text

STAGE = "model environment"
_MAX_BYTES = 4 * MIB
# Triton's Python stub crashes on the first array when it meets numpy 2.
STUB_NEEDS = ("numpy<2",)


def prepare(
    engines: Engines, requirements: Path | None, progress: ProgressCallback = no_progress
) -> Path | None:
    """Return the environment for a requirements file; None means the engines' own will do.

    The path is what Triton takes as EXECUTION_ENV_PATH. Environments are kept in the user's cache
    by the digest of the requirements, so the same file is installed once.
    """
    text = read_small_text(requirements, _MAX_BYTES) if requirements else ""
    if requirements is None or satisfied_by_engines(text, engines.numpy):
        return None
    from clarifai_build.sandbox.engines.venvs import Recipe, is_complete, provision
    from clarifai_build.util.cache_dir import cache_folder

    version = engines.interpreter.version
    # 64 bits are enough against chance, and keep paths short.
    key = hashlib.sha256("\n".join((version, *STUB_NEEDS, text)).encode()).hexdigest()[:16]
    target = cache_folder() / "environments" / f"{key}-py{version}"
    if not is_plain(target):
        # Triton resolves links here, so a plain name for the folder would not help.
        raise SandboxError.of(
            "unusable-cache-path",
            f"Triton can't use an environment in '{target.parent}': a shell would split the path",
            hint="set XDG_CACHE_HOME to a folder without spaces and quotes in its path",
        )
    if not is_complete(target):
        progress(Event(STAGE, "started", "installing the model's requirements"))
    arguments, then = _pip_arguments(requirements, text, target)
    recipe = Recipe(
        stage=STAGE,
        python=engines.interpreter.executable,
        arguments=arguments,
        then=then,
        hint=f"Triton's Python {version} needs {' '.join(STUB_NEEDS)} beside the requirements",
        pip_of=engines.python,
        folder=requirements.parent,
    )
    provision(target, recipe, progress)
    progress(Event(STAGE, "done", ""))
    return target


def _pip_arguments(
    requirements: Path, text: str, target: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what pip installs first, and what afterwards.

    Beside requirements with hashes, pip accepts none without: what the stub needs is a constraint
    on them, and is installed afterwards.
    """
    if "--hash=" not in text:
        return ("-r", str(requirements), *STUB_NEEDS), ()
    needs = target.with_name(f"{target.name}.needs.txt")
    needs.parent.mkdir(parents=True, exist_ok=True)
    needs.write_text("\n".join(STUB_NEEDS), encoding="utf-8")
    return ("-r", str(requirements), "-c", str(needs)), STUB_NEEDS


def satisfied_by_engines(text: str, numpy: str) -> bool:
    """Return whether an environment that holds this numpy alone already meets the requirements."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return all(_admits(line, numpy) for line in lines if line)


def _admits(line: str, numpy: str) -> bool:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return False
    return (
        requirement.name.lower() == "numpy"
        and not requirement.url
        and requirement.specifier.contains(numpy)
    )
