"""Virtual environments in the user's cache: made once, whole or not at all, shared by processes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from clarifai_build.problem import SandboxError
from clarifai_build.progress import Event, Listener
from clarifai_build.sandbox.locks import exclusive

_STAMP = ".complete"
_SHOWN = ("Collecting ", "Downloading ", "Building wheel", "Installing collected")
_REDIRECTING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_PYTHON", "PIP_CONSTRAINT")


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this tool in the user's cache."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "clarifai-build"


def provision(
    target: Path, python: Path, pip_arguments: Sequence[str], listen: Listener, stage: str
) -> Path:
    """Return `target` as a finished environment, installing into it unless that was done before.

    A stamp is written last, so an environment that was interrupted half-way is made anew; a file
    lock lets one process build while the others wait for it.
    """
    if is_complete(target):
        return target
    with exclusive(target.with_name(target.name + ".lock")):
        if not is_complete(target):
            shutil.rmtree(target, ignore_errors=True)
            _make(target, python)
            _install(target, pip_arguments, listen, stage)
            (target / _STAMP).touch()
    return target


def is_complete(target: Path) -> bool:
    """Say whether `target` was finished and the Python it was made from is still there."""
    return (target / _STAMP).exists() and (target / "bin" / "python").exists()


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead Python or pip elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name not in (*_REDIRECTING, "VIRTUAL_ENV")
    }


def _make(target: Path, python: Path) -> None:
    command = [str(python), "-I", "-m", "venv", str(target)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=clean_environment(), check=False
    )
    if done.returncode:
        raise SandboxError.of(
            "environment-failed",
            f"{python} can't make a virtual environment: {_last_line(done.stdout + done.stderr)}",
            hint="install Python's venv module (Debian, Ubuntu: apt-get install python3-venv)",
        )


def _install(target: Path, arguments: Sequence[str], listen: Listener, stage: str) -> None:
    command = [str(target / "bin/python"), "-I", "-m", "pip", "install", "--no-input", *arguments]
    log = target.with_name(target.name + ".log")
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            [*command, "--disable-pip-version-check", "--progress-bar", "off"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=clean_environment(),
        ) as pip,
    ):
        for line in pip.stdout or ():
            written.write(line)
            if line.lstrip().startswith(_SHOWN):
                listen(Event(stage, "running", _shortened(line)))
    if pip.returncode:
        raise SandboxError.of(
            "installation-failed",
            f"pip could not install what the {stage} needs: {_reason(log)}",
            hint=f"the whole output is in {log}; check the network and pip's configuration",
        )


def _shortened(line: str) -> str:
    words = line.split()
    if words[0] == "Installing":
        return "installing"
    name = words[1].rsplit("/", 1)[-1]
    return f"{words[0].lower()} {name} {' '.join(words[2:3])}".rstrip()


def _reason(log: Path) -> str:
    lines = log.read_text(encoding="utf-8").splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return "; ".join(errors) if errors else _last_line("\n".join(lines))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output")
