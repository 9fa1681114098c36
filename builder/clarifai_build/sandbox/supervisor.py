"""The one process that owns S3, Triton and the API: `python -m clarifai_build.sandbox.supervisor`.

Its children die with it, however it dies. A child that dies alone is started again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clarifai_build.problem import BuilderError
from clarifai_build.sandbox import engines, seaweed, triton
from clarifai_build.sandbox.locks import claim
from clarifai_build.sandbox.processes import own_environment, spawn, stop, wait_until
from clarifai_build.sandbox.state import Folder, Settings

START_SECONDS = 60.0
STOP_SECONDS = 5.0
RESTART_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Server:
    """One child: how to start it and how to tell that it answers."""

    name: str
    start: Callable[[Path], subprocess.Popen[bytes]]
    is_ready: Callable[[], bool]


def run(folder: Folder) -> int:
    """Keep the sandbox running until told to end; returns at once if another one does."""
    folder.create()
    if claim(folder.lock) is None:
        return 0
    folder.set_phase("starting", "starting")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    settings = folder.settle()
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        servers = _servers(folder, settings)
        for server in servers:
            folder.set_phase("starting", f"starting {server.name}")
            running[server.name] = _start(server, folder)
        seaweed.make_buckets(settings.ports["s3"], settings.keys)
        folder.set_phase("ready")
        _watch(servers, running, folder, ended)
    except BuilderError as error:
        folder.set_phase("failed", str(error))
        return error.exit_code
    finally:
        for process in reversed(running.values()):
            stop(process, STOP_SECONDS)
    folder.set_phase("stopped")
    return 0


def _servers(folder: Folder, settings: Settings) -> tuple[Server, ...]:
    installed = engines.install()
    ports = settings.ports
    triton_client = triton.Client(ports["triton"])
    return (
        Server(
            "SeaweedFS",
            lambda log: seaweed.start(installed, settings.keys, ports, folder.data / "s3", log),
            lambda: seaweed.is_ready(ports["s3"]),
        ),
        Server(
            "Triton",
            lambda log: triton.start(
                installed, folder.models, ports["triton"], folder.root / "triton", log
            ),
            triton_client.is_ready,
        ),
        Server(
            "API",
            lambda log: spawn(api_command(folder), log, own_environment()),
            lambda: _listens(ports["api"]),
        ),
    )


def api_command(folder: Folder) -> list[str]:
    return [sys.executable, "-m", "clarifai_build.sandbox.api", str(folder.root)]


def _start(server: Server, folder: Folder) -> subprocess.Popen[bytes]:
    log = folder.log(server.name.lower())
    process = server.start(log)
    try:
        wait_until(server.is_ready, process, server.name, log, START_SECONDS)
    except BuilderError:
        stop(process, STOP_SECONDS)
        raise
    return process


def _watch(
    servers: tuple[Server, ...],
    running: dict[str, subprocess.Popen[bytes]],
    folder: Folder,
    ended: threading.Event,
) -> None:
    while not ended.wait(RESTART_PAUSE_SECONDS):
        for server in servers:
            if running[server.name].poll() is not None:
                running[server.name] = _start(server, folder)


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(run(Folder(Path(sys.argv[1]))))
