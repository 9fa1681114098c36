"""Starts and stops the sandbox: its public functions. Loads next to nothing until one is called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.sandbox.endpoints import Endpoints, Status

STATE_VARIABLE = "CLARIFAI_BUILD_SANDBOX"


def default_state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that is used when none is named."""
    from clarifai_build.util.cache_dir import cache_folder

    named = environ.get(STATE_VARIABLE)
    return Path(named) if named else cache_folder(environ) / "sandbox"


def ensure(state_dir: Path | None = None, progress: ProgressCallback = no_progress) -> Endpoints:
    """Return the endpoints of a running sandbox, starting it if need be."""
    return up(state_dir, progress)


def up(
    state_dir: Path | None = None,
    progress: ProgressCallback = no_progress,
    *,
    attached: bool = False,
) -> Endpoints:
    """Start the sandbox if it does not run. An attached one dies with this process."""
    from clarifai_build.sandbox import control

    return control.up(_folder(state_dir), progress, attached=attached)


def down(state_dir: Path | None = None, progress: ProgressCallback = no_progress) -> bool:
    """Stop the sandbox and keep its data. Returns False if nothing ran."""
    from clarifai_build.sandbox import control

    return control.down(_folder(state_dir), progress)


def status(state_dir: Path | None = None) -> Status:
    """Say what runs."""
    from clarifai_build.sandbox import control

    return control.status(_folder(state_dir))


def wait(state_dir: Path | None = None) -> None:
    """Return when the sandbox has stopped; Ctrl-C stops an attached one with this process."""
    from clarifai_build.sandbox import control

    control.wait(_folder(state_dir))


def _folder(state_dir: Path | None) -> Path:
    return (state_dir or default_state_dir()).expanduser().resolve()
