"""One runner model in Clarifai's own server, on this machine alone: for its tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.sandbox.engines.processes import (
    free_ports,
    listens,
    past_proxies,
    spawn,
    stop,
    wait_until,
)
from clarifai_build.util.processes.child_environment import child_environment

# A model may read gigabytes of weights.
_START_SECONDS = 600.0
_STOP_SECONDS = 3.0
_SERVER = Path(__file__).parent / "engines" / "loopback_runner.py"


@contextmanager
def serving(
    folder: Path,
    python: Path,
    environment: Mapping[str, str],
    work: Path,
    stage: str,
    progress: ProgressCallback = no_progress,
) -> Iterator[int]:
    """Serve the runner model in `folder` while the block runs; gives the port of its server.

    `python` is an environment with the model's requirements, `work` a scratch folder. Raises
    SandboxError where the model does not load.
    """
    (port,) = free_ports(1)
    log, home = work / "runner.log", work / "home"
    home.mkdir(parents=True)
    own = {"HOME": str(home), "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    progress(Event(stage, "running", "loading the model into Clarifai's server"))
    # Without the folder of the program, whose modules are not the model's.
    command = [str(python), "-P", str(_SERVER), str(folder), str(port)]
    process = spawn(
        command, log, {**child_environment(), **past_proxies(), **own, **environment}, work / "cwd"
    )
    try:
        wait_until(lambda: listens(port), process, "Clarifai's server", log, _START_SECONDS)
        yield port
    finally:
        stop([process], _STOP_SECONDS)
