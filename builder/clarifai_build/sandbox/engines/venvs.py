"""Virtual environments in the user's cache: made once, whole or not at all, shared by processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback
from clarifai_build.sandbox.engines.file_locks import exclusive, released
from clarifai_build.util.processes import children
from clarifai_build.util.processes.child_environment import child_environment
from clarifai_build.util.small_files import MIB, read_end

# Of pip's log: what failed stands at its end.
_MAX_LOG = MIB
_STAMP = ".complete"
# Lines that show progress; all that pip writes is in the log.
_SHOWN = ("Collecting ", "Downloading ", "Building wheel", "Installing collected")
_NOISE = ("Ignored the following", "ResolutionImpossible")


def unheard(_line: str) -> None:
    """Take a line of pip's output for nobody."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into an environment, for whom, and what to say when that fails.

    `arguments` are pip's; those of `then`, if any, are installed afterwards, on their own. `pip_of`
    is a Python whose pip installs into the environment; without one it gets its own. Paths in the
    requirements are taken from `folder`. Each line of pip's output goes to `hear`.
    """

    stage: str
    python: Path
    arguments: tuple[str, ...]
    hint: str
    pip_of: Path | None = None
    then: tuple[str, ...] = ()
    folder: Path | None = None
    hear: Callable[[str], None] = unheard


def provision(target: Path, recipe: Recipe, progress: ProgressCallback) -> Path:
    """Return `target` as a finished environment, installing into it unless that was done before.

    A stamp is written last, so an environment that was interrupted half-way is made anew. A file
    lock lets one process build while the others wait for it, and for a pip that outlived it.
    """
    if is_complete(target):
        return target
    with exclusive(target.with_name(target.name + ".lock")) as lock:
        if not is_complete(target):
            _remove_abandoned(target.parent)
            shutil.rmtree(target, ignore_errors=True)
            _make(target, recipe, lock)
            _install(target, recipe, lock, progress)
            if recipe.then:
                _install(target, replace(recipe, arguments=recipe.then), lock, progress)
            (target / _STAMP).touch()
    return target


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left half made, for whatever it was: gigabytes, at times."""
    for lock in folder.glob("*.lock"):
        half = lock.with_suffix("")
        if half.is_dir() and not (half / _STAMP).exists():
            with released(lock) as is_free:
                if is_free and not (half / _STAMP).exists():
                    shutil.rmtree(half, ignore_errors=True)


def is_complete(target: Path) -> bool:
    """Return whether `target` was finished and the Python it was made from is still there."""
    return (target / _STAMP).exists() and (target / "bin" / "python").exists()


def _make(target: Path, recipe: Recipe, lock: int) -> None:
    # Making pip takes longer than making the rest of a virtual environment.
    bare = ["--without-pip"] if recipe.pip_of else []
    command = [str(recipe.python), "-I", "-m", "venv", *bare, str(target)]
    done = children.run(command, cwd=target.parent, env=child_environment(), pass_fds=(lock,))
    if done.returncode:
        reason = _last_line(done.stdout + done.stderr)
        raise SandboxError.of(
            "environment-failed",
            f"{recipe.python} can't make a virtual environment: {reason}",
            hint="install Python's venv module (Debian, Ubuntu: apt-get install python3-venv)",
        )


def _install(target: Path, recipe: Recipe, lock: int, progress: ProgressCallback) -> None:
    log = target.with_name(target.name + ".log")
    with (
        log.open("w", encoding="utf-8") as written,
        children.start(
            _pip(target, recipe),
            cwd=recipe.folder or target.parent,
            env=child_environment(),
            pass_fds=(lock,),
        ) as pip,
    ):
        for line in pip.stdout or ():
            written.write(line)
            recipe.hear(line.rstrip())
            if line.lstrip().startswith(_SHOWN):
                progress(Event(recipe.stage, "running", _shortened(line)))
    if pip.returncode:
        raise SandboxError.of(
            "installation-failed",
            f"pip could not install the {recipe.stage}: {_reason(log)}",
            hint=f"{recipe.hint}; the whole output is in {log}",
        )


def _pip(target: Path, recipe: Recipe) -> list[str]:
    own = target / "bin" / "python"
    python = [str(recipe.pip_of), "-I", "-m", "pip", "--python", str(own)]
    return [
        *(python if recipe.pip_of else [str(own), "-I", "-m", "pip"]),
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
        *recipe.arguments,
    ]


def _shortened(line: str) -> str:
    words = line.split()
    if words[0] == "Installing":
        return "installing"
    name = words[1].rsplit("/", 1)[-1]
    return f"{words[0].lower()} {name}"


def _reason(log: Path) -> str:
    lines = read_end(log, _MAX_LOG).splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    telling = [error for error in errors if not error.startswith(_NOISE)]
    return "; ".join(telling) if telling else _last_line("\n".join(lines))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output")
