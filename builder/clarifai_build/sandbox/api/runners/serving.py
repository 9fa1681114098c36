"""The runner processes of the versions that are asked: started when needed, again after a crash."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.runners import environment, process, runner_folder
from clarifai_build.sandbox.api.runners.gate import Gate
from clarifai_build.sandbox.api.runners.items import GoneError, Item
from clarifai_build.sandbox.api.runners.logs import Log
from clarifai_build.sandbox.api.runners.process import RunnerProcess

ANSWER_SECONDS = 300.0
# Each has the SDK, and the model's weights, in memory.
MOST_RUNNING = 8
# Ends in a row, without an answer between, after which a start has to wait.
_FREE_STARTS = 3
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(slots=True)
class _Slot:
    """The process of one version, if it runs, and how often in a row it ended."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    running: RunnerProcess | None = None
    ends: int = 0
    not_before: float = 0.0
    used: float = 0.0


class Runners:
    """Versions of runner models on disk, each in a folder under its id, and their processes."""

    def __init__(self, root: Path, pip_of: Path, gate: Gate) -> None:
        self.root = root
        self._pip_of = pip_of
        self._gate = gate
        self._slots: dict[str, _Slot] = {}
        self._changing = threading.Lock()

    def model_folder(self, version_id: str) -> Path:
        return self.root / version_id / "model"

    def builder_log(self, version_id: str) -> Log:
        return Log(self.root / version_id / "builder.log")

    def process_log(self, version_id: str) -> Log:
        return Log(self._process_log(version_id))

    def prepare(self, folder: runner_folder.RunnerFolder, log: Log) -> Path:
        """Return the Python of the environment that a model asks for."""
        return environment.prepare(folder, self._pip_of, log.add)

    def start(self, version_id: str, cancel: CancelToken = NEVER) -> RunnerProcess:
        """Return the process of a version that was built, starting it if it does not run.

        Raises SandboxError when it does not start.
        """
        slot = self._slot(version_id)
        with slot.lock:
            slot.used = time.monotonic()
            if slot.running is not None and slot.running.is_alive:
                return slot.running
            if slot.running is not None:
                slot.running = None
                _count_end(slot)
            _check_pause(slot)
            try:
                slot.running = self._start(version_id, cancel)
            except SandboxError:
                _count_end(slot)
                raise
        self._retire(version_id)
        return slot.running

    def ask(self, version_id: str, request: Any, method_type: int) -> Iterator[Any]:
        """Yield the answers of a version to a request; raises ApiError."""
        try:
            try:
                yield from self._answers(version_id, Item(request, method_type))
            except GoneError:
                # That a process has ended shows a moment late. Once more, and not for ever.
                yield from self._answers(version_id, Item(request, method_type))
        except (GoneError, SandboxError) as error:
            raise ApiError(Code.MODEL_PREDICTION_FAILED, str(error)) from error

    def discard(self, version_id: str) -> None:
        """Forget a version: its process ends, its files are removed."""
        with self._changing:
            slot = self._slots.pop(version_id, None)
        if slot is not None and slot.running is not None:
            slot.running.stop()
        shutil.rmtree(self.root / version_id, ignore_errors=True)

    def close(self) -> None:
        """End all processes."""
        with self._changing:
            slots = list(self._slots.values())
        self._gate.close()
        for slot in slots:
            if slot.running is not None:
                slot.running.stop()

    def is_running(self, version_id: str) -> bool:
        slot = self._slots.get(version_id)
        return slot is not None and slot.running is not None and slot.running.is_alive

    def _answers(self, version_id: str, item: Item) -> Iterator[Any]:
        self.start(version_id).desk.put(item)
        for answer in item.answers(ANSWER_SECONDS):
            if (slot := self._slots.get(version_id)) is not None:
                slot.ends = 0
            yield answer

    def _start(self, version_id: str, cancel: CancelToken) -> RunnerProcess:
        log = self._process_log(version_id)
        folder = runner_folder.read(self.model_folder(version_id))
        python = self.prepare(folder, Log(log))
        home = self.root / version_id / "home"
        return process.start(python, folder, home, log, self._gate, cancel)

    def _process_log(self, version_id: str) -> Path:
        return self.root / version_id / "runner.log"

    def _slot(self, version_id: str) -> _Slot:
        with self._changing:
            return self._slots.setdefault(version_id, _Slot())

    def _retire(self, started: str) -> None:
        """End the processes used longest ago, beyond the limit, that answer nobody."""
        with self._changing:
            others = [slot for name, slot in self._slots.items() if name != started]
        running = [slot for slot in others if slot.running is not None and slot.running.is_alive]
        running.sort(key=lambda slot: slot.used)
        for slot in running[: max(0, len(running) + 1 - MOST_RUNNING)]:
            # One that is being started, or asked, is no idle one.
            if slot.lock.acquire(blocking=False):
                try:
                    if slot.running is not None and slot.running.desk.is_idle:
                        slot.running.stop()
                        slot.running = None
                finally:
                    slot.lock.release()


def _count_end(slot: _Slot) -> None:
    slot.ends += 1
    if slot.ends >= _FREE_STARTS:
        pause = min(2.0**slot.ends, _LONGEST_PAUSE_SECONDS)
        slot.not_before = time.monotonic() + pause


def _check_pause(slot: _Slot) -> None:
    left = slot.not_before - time.monotonic()
    if left > 0:
        raise SandboxError.of(
            "engine-failed",
            f"the runner's process ended {slot.ends} times in a row;"
            f" it is started again in {left:.0f} s at the earliest",
            hint="the log of the model says why",
        )
