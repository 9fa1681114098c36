"""The official runner process of one version: it dials out, and listens nowhere."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.runners.gate import Gate
from clarifai_build.sandbox.api.runners.items import Desk
from clarifai_build.sandbox.api.runners.runner_folder import RunnerFolder
from clarifai_build.sandbox.engines.processes import past_proxies, spawn, stop
from clarifai_build.util.processes.child_environment import child_environment
from clarifai_build.util.small_files import read_end

# A model may import a large framework and read gigabytes of weights.
LOAD_SECONDS = 600.0
# More streams than this would only wait for a processor.
MOST_THREADS = 32
_STOP_SECONDS = 3.0
_LOOK_SECONDS = 0.1
_TAIL_BYTES = 16 << 10
_TAIL_LINES = 20
# The kernel kills a child when the thread that made it ends, so all are made by one that stays.
_starter = ThreadPoolExecutor(1, "runner-starter")


class RunnerProcess:
    """A running process, and the desk where it takes its requests."""

    def __init__(self, process: subprocess.Popen[bytes], desk: Desk, end: Callable[[], None]):
        self.desk = desk
        self._process = process
        self._end = end
        threading.Thread(target=self._watch, name="runner-watch", daemon=True).start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        """End the process; what it has not answered fails."""
        self.desk.close("the runner was stopped")
        stop([self._process], _STOP_SECONDS)

    def _watch(self) -> None:
        code = self._process.wait()
        self.desk.close(f"the runner's process ended with code {code}")
        self._end()


def start(
    python: Path, folder: RunnerFolder, home: Path, log: Path, gate: Gate, cancel: CancelToken
) -> RunnerProcess:
    """Start the process of a model and wait until it asks for work.

    `home` is a folder of its own, in which it finds nobody's settings. Raises SandboxError with the
    last lines of its log when it ends before that.
    """
    runner_id, desk = home.parent.name, Desk()
    token = gate.admit(runner_id, desk)
    command = [
        *(str(python), "-m", "clarifai.runners.server"),
        *("--model_path", str(folder.path)),
        *("--user_id", "sandbox", "--compute_cluster_id", "sandbox", "--nodepool_id", "sandbox"),
        *("--runner_id", runner_id, "--base_url", gate.address),
        *("--num_threads", str(min(folder.num_threads, MOST_THREADS))),
        # Else it listens on all addresses.
        *("--health_check_port", "0"),
    ]
    home.mkdir(parents=True, exist_ok=True)
    spawned = _starter.submit(spawn, command, log, _environment(home, token), home / "cwd")
    process = RunnerProcess(spawned.result(), desk, lambda: gate.dismiss(token))
    try:
        _wait(process, log, cancel)
    except BaseException:
        process.stop()
        raise
    return process


def _wait(process: RunnerProcess, log: Path, cancel: CancelToken) -> None:
    deadline = time.monotonic() + LOAD_SECONDS
    while not process.desk.joined.wait(_LOOK_SECONDS):
        cancel.check()
        code = process.exit_code
        if code is not None:
            raise _not_started(f"ended with code {code}", log)
        if time.monotonic() > deadline:
            raise _not_started(f"did not ask for work within {LOAD_SECONDS:.0f} s", log)


def tail_of(log: Path) -> list[str]:
    """Return the last lines of a process's log."""
    try:
        lines = read_end(log, _TAIL_BYTES).splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-_TAIL_LINES:]


def _not_started(what: str, log: Path) -> SandboxError:
    last = tail_of(log)[-1:] or ["it wrote nothing"]
    return SandboxError.of(
        "engine-failed",
        f"the runner's process {what}: {last[0].strip()}",
        hint=f"the whole log is {log}",
    )


def _environment(home: Path, token: str) -> dict[str, str]:
    own = {
        # The SDK reads the account of whoever is at home.
        "HOME": str(home),
        # Not an argument, which other users of the machine can read.
        "CLARIFAI_PAT": token,
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return child_environment() | past_proxies() | own
