"""An environment for what one model requires, beside the stub's own needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.requirements.reader import Line, content_of, lines_in, text_of
from clarifai_build.sandbox.engines.file_locks import writing
from clarifai_build.sandbox.engines.install import Engines
from clarifai_build.sandbox.engines.shell_safe_paths import is_plain

STAGE = "model environment"
# Triton's Python stub crashes on the first array when it meets numpy 2.
STUB_NEEDS = ("numpy<2",)


def prepare(
    engines: Engines, requirements: Path | None, progress: ProgressCallback = no_progress
) -> Path | None:
    """Return the environment for a requirements file; None means the engines' own will do.

    The path is what Triton takes as EXECUTION_ENV_PATH. Environments are kept in the user's cache
    by the digest of the requirements, so the same file is installed once.
    """
    if requirements is None:
        return None
    text = text_of(content_of(requirements), str(requirements))
    lines = tuple(lines_in(text))
    if satisfied_by_engines(lines, engines.numpy):
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
    arguments, then = _pip_arguments(requirements, lines, target)
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
    requirements: Path, lines: Sequence[Line], target: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what pip installs first, and what afterwards.

    Beside requirements with hashes, pip accepts none without: what the stub needs is a constraint
    on them, and is installed afterwards.
    """
    if not any(line.values("--hash") or line.values("--require-hashes") for line in lines):
        return ("-r", str(requirements), *STUB_NEEDS), ()
    needs = target.with_name(f"{target.name}.needs.txt")
    with writing(needs):
        needs.parent.mkdir(parents=True, exist_ok=True)
        needs.write_text("\n".join(STUB_NEEDS), encoding="utf-8")
    return ("-r", str(requirements), "-c", str(needs)), STUB_NEEDS


def satisfied_by_engines(lines: Iterable[Line], numpy: str) -> bool:
    """Return whether an environment that holds this numpy alone already meets the requirements."""
    return all(_admits(line, numpy) for line in lines)


def _admits(line: Line, numpy: str) -> bool:
    try:
        requirement = Requirement(line.requirement)
    except InvalidRequirement:
        return False
    return (
        requirement.name.lower() == "numpy"
        and not (requirement.url or line.options or line.error)
        and requirement.specifier.contains(numpy)
    )
