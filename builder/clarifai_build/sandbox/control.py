"""Starting, stopping and looking at a sandbox from outside its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.sandbox.endpoints import Endpoints, Status
from clarifai_build.sandbox.engines import install, seaweedfs
from clarifai_build.sandbox.engines.file_locks import exclusive, writing
from clarifai_build.sandbox.engines.processes import own_environment, spawn
from clarifai_build.sandbox.state import APP_ID, USER_ID, Folder, Settings
from clarifai_build.util.processes import children

STAGE = "sandbox"
# Above the supervisor's START_SECONDS: it knows why a server is not up, and says it first.
UP_SECONDS = 150.0
# Then SIGKILL, which takes its children along, too (see tether.py).
DOWN_SECONDS = 30.0
POLL_SECONDS = 0.5


def up(root: Path, progress: ProgressCallback, *, attached: bool) -> Endpoints:
    """Start a supervisor unless one runs, and wait until everything answers."""
    folder = Folder(root)
    folder.create()
    folder.settings()
    install.install(progress)
    # One starts, the others wait for it: never two supervisors, never a half-started answer.
    with exclusive(folder.starting_lock):
        process = None
        if not folder.is_running():
            # What the last run said would be taken for news of this one.
            with writing(folder.phase_file):
                folder.phase_file.unlink(missing_ok=True)
            process = _launch(folder, attached)
        _wait_ready(folder, process, progress)
    return _endpoints(folder, _settings(folder))


def down(root: Path, progress: ProgressCallback) -> bool:
    """Ask the supervisor to end; end it if it does not."""
    folder = Folder(root)
    if not folder.is_running():
        return False
    progress(Event(STAGE, "started", "stopping"))
    pid = folder.phase().pid
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while folder.is_running():
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    progress(Event(STAGE, "done", "stopped; its data stay"))
    return True


def wait(root: Path) -> None:
    """Return when the supervisor has ended."""
    folder = Folder(root)
    try:
        while folder.is_running():
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        down(root, no_progress)


def status(root: Path) -> Status:
    """Say what runs, without touching it."""
    folder = Folder(root)
    phase = folder.phase()
    if folder.is_running():
        if phase.phase != "ready":
            return Status("starting", root, phase.pid or None, phase.message)
        return Status("running", root, phase.pid, endpoints=_endpoints(folder, _settings(folder)))
    if phase.phase == "failed":
        return Status("failed", root, message=phase.message)
    return Status("stopped" if phase.phase == "stopped" else "crashed", root)


def _launch(folder: Folder, attached: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "clarifai_build.sandbox.supervisor", str(folder.root)]
    log, cwd = folder.log("supervisor"), folder.cwd("supervisor")
    if attached:
        return spawn(command, log, own_environment(), cwd)
    # Not tethered to this process: it goes on in the background.
    return children.start_server(
        command, log, cwd=children.empty_folder(cwd), env=own_environment()
    )


def _wait_ready(
    folder: Folder, process: subprocess.Popen[bytes] | None, progress: ProgressCallback
) -> None:
    deadline = time.monotonic() + UP_SECONDS
    said = ""
    while (phase := folder.phase()).phase != "ready":
        if phase.message and phase.message != said:
            said = phase.message
            progress(Event(STAGE, "started", said))
        ended = not folder.is_running() if process is None else process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise _not_started(folder)
        time.sleep(0.05)
    progress(Event(STAGE, "done", "the sandbox runs" if said else ""))


def _not_started(folder: Folder) -> SandboxError:
    phase = folder.phase()
    reason = phase.message if phase.phase == "failed" else f"it ended while {phase.message}"
    return SandboxError.of(
        "sandbox-failed",
        f"the sandbox did not start: {reason}",
        hint=f"its logs are in {folder.log('supervisor').parent}",
    )


def _settings(folder: Folder) -> Settings:
    settings = folder.settings()
    if settings is None:
        raise SandboxError.of(
            "sandbox-state-broken",
            f"{folder.settings_file} is gone while the sandbox runs",
            hint="stop it with 'clarifai-build sandbox down' and start it again",
        )
    return settings


def _endpoints(folder: Folder, settings: Settings) -> Endpoints:
    def address(name: str) -> str:
        return f"127.0.0.1:{settings.ports[name]}"

    return Endpoints(
        state_dir=folder.root,
        s3_endpoint=f"http://{address('s3')}",
        region=seaweedfs.REGION,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        bucket=seaweedfs.PUBLIC_BUCKET,
        private_bucket=seaweedfs.PRIVATE_BUCKET,
        api_base=f"http://{address('api')}",
        user_id=USER_ID,
        app_id=APP_ID,
        pat=settings.pat,
        triton=address("triton"),
    )
