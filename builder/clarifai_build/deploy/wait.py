"""Following a registered version until the platform has built it, or has failed to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.runner.build_output import NO_OUTPUT, BuildOutput
from clarifai_build.errors import BuildFailedError, RegistryError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.status_codes import UNTRAINED

TIMEOUT_SECONDS = 1800.0
"""How long to wait for a version where nobody says."""

# A version passes through it before its build begins, or stays in it for good.
UNTRAINED_SECONDS = 60.0
"""Seconds that a version may stay 'untrained' before that counts as failed."""

NEWS_SECONDS = 10.0
"""Seconds between messages while nothing changes."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether a version is followed until it is ready, and for how many seconds."""

    wait: bool = True
    timeout: float = TIMEOUT_SECONDS


def wait_until_ready(
    registry: ModelRegistry,
    model_id: str,
    version: RemoteVersion,
    timeout: float,
    progress: ProgressCallback = no_progress,
    *,
    clock: Callable[[], float] = time.monotonic,
    cancel: CancelToken = NEVER,
    output: BuildOutput = NO_OUTPUT,
) -> RemoteVersion:
    """Poll this version until it is ready; `timeout` is in seconds. What it prints is passed on.

    Raises BuildFailedError with the platform's own words when the build fails or the time runs out,
    RegistryError when the version is gone.
    """
    start = clock()
    # Seconds: soon enough for a sandbox. It grows to 5 s, so that a long build costs few calls.
    pause = 0.25
    said: tuple[str, int] = ("", 0)
    while version.health != "ready":
        waited = clock() - start
        output.follow()
        if version.health == "failed" or _stuck(version, waited):
            raise _failed(model_id, version, output.tail)
        if waited > timeout:
            raise _late(model_id, version, timeout, output.tail)
        now = (version.status or "waiting", int(waited / NEWS_SECONDS))
        if now != said:
            said = now
            so_far = f", {waited:.0f} s so far" if said[1] else ""
            progress(Event("register", "running", f"version {version.id}: {said[0]}{so_far}"))
        # Jitter, so that many models applied at once do not ask in step.
        cancel.sleep(pause * random.uniform(0.75, 1.25))
        pause = min(pause * 1.5, 5.0)
        version = _again(registry, model_id, version.id)
    return version


def _stuck(version: RemoteVersion, waited: float) -> bool:
    return version.status_code == UNTRAINED and waited > UNTRAINED_SECONDS


def _again(registry: ModelRegistry, model_id: str, version_id: str) -> RemoteVersion:
    version = registry.version(model_id, version_id)
    if version is None:
        raise RegistryError.of(
            "version-gone",
            f"version {version_id} of '{model_id}' was removed while it was being built",
            hint="apply again to register it anew",
        )
    return version


def _failed(model_id: str, version: RemoteVersion, tail: str) -> BuildFailedError:
    words = ": ".join(filter(None, (version.status, version.details))) or "no reason given"
    return BuildFailedError.of(
        "build-failed",
        f"the platform could not build version {version.id} of '{model_id}': {words} "
        f"(code {version.status_code}, request {version.request_id or 'unknown'}){_told(tail)}",
        hint="fix the cause and apply again; 'clarifai-build test --"
        f"{version.recorded.target or 'triton'}' finds most of them before an upload",
    )


def _late(model_id: str, version: RemoteVersion, timeout: float, tail: str) -> BuildFailedError:
    return BuildFailedError.of(
        "build-timeout",
        f"version {version.id} of '{model_id}' is not ready after {timeout:.0f} s "
        f"(last seen: {version.status or version.status_code}){_told(tail)}",
        hint="apply again to go on waiting, or give --timeout more seconds",
    )


def _told(tail: str) -> str:
    """Return the builder's last lines, below what is said of them."""
    return f"; its last lines were:\n{tail}" if tail else ""
