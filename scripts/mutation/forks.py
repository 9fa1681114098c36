"""Runs work in forked children, a few at a time, each with a folder and a process group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

BROKEN = 99
"""The work raised. pytest's own statuses are small."""

TIMED_OUT = -1
_POLL = 0.02
"""Seconds. Short beside the half second that the shortest child takes."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """What a child does: `work` gets its folder, and returns the exit status."""

    subject: T
    work: Callable[[Path], int]
    limit: float


@dataclass
class _Child(Generic[T]):
    job: Job[T]
    folder: Path
    pid: int
    started: float = field(default_factory=time.monotonic)

    def ended(self) -> int | None:
        """Return the status once it has ended or its time is up. Nothing it started is left."""
        late = time.monotonic() - self.started > self.job.limit
        if not late and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.kill()
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return TIMED_OUT if late else status

    def kill(self) -> None:
        """End the whole group. The child is not reaped yet, so the number is still its own."""
        os.killpg(self.pid, signal.SIGKILL)


def run(jobs: Iterable[Job[T]], at_once: int) -> Iterator[tuple[T, int, str, float]]:
    """Yield subject, status, output and seconds of each job, as they end.

    A status below zero is a signal, or TIMED_OUT.
    """
    waiting = iter(jobs)
    children: list[_Child[T]] = []
    try:
        while True:
            while len(children) < at_once and (job := next(waiting, None)):
                children.append(_fork(job))
            if not children:
                return
            for child in list(children):
                if (status := child.ended()) is not None:
                    children.remove(child)
                    yield child.job.subject, status, *_left(child)
            time.sleep(_POLL)
    finally:
        for child in children:
            child.kill()
            os.waitpid(child.pid, 0)
            _remove(child.folder)


def _left(child: _Child[T]) -> tuple[str, float]:
    output = (child.folder / "output").read_text(errors="replace")
    _remove(child.folder)
    return output, time.monotonic() - child.started


def _remove(folder: Path) -> None:
    """Tests make trees that are too deep for shutil.rmtree."""
    subprocess.run(["rm", "-rf", folder], check=False, capture_output=True)


def _fork(job: Job[T]) -> _Child[T]:
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        _lead_group(pid)
        return _Child(job, folder, pid)
    status = BROKEN
    try:
        _lead_group(0)
        # A shell starts what runs in the background with interrupts ignored, and that is inherited.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _redirect(folder / "output")
        status = job.work(folder)
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        os.write(2, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _lead_group(pid: int) -> None:
    """Both sides do it, so that neither can be early. The child may have ended already."""
    try:
        os.setpgid(pid, pid)
    except (PermissionError, ProcessLookupError):
        if not pid:
            raise


def _redirect(path: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
