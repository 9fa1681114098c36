"""The one process that owns S3, Triton and the API: `python -m clarifai_build.sandbox.supervisor`.

Its children die with it, however it dies. A child that dies alone is started again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from clarifai_build.errors import BuilderError, in_one_line
from clarifai_build.sandbox.engines import install, seaweedfs, triton
from clarifai_build.sandbox.engines.file_locks import claim
from clarifai_build.sandbox.engines.processes import (
    listens,
    own_environment,
    spawn,
    stop,
    wait_until,
)
from clarifai_build.sandbox.state import Folder, Settings

# SeaweedFS takes about 3 s; the rest is for machines under load.
START_SECONDS = 60.0
# SeaweedFS would take 15 s to say goodbye; its data are safe without.
STOP_SECONDS = 3.0
# Also how often children are looked at: one that dies at once is restarted at this pace.
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
    running: dict[str, subprocess.Popen[bytes]] = {}
    settings = folder.settle()
    try:
        engines_first, api = _servers(folder, settings)
        # The engines start side by side; the API loads models into Triton when it resumes builds.
        for group in (engines_first, (api,)):
            names = " and ".join(server.name for server in group)
            folder.set_phase("starting", f"starting {names}")
            for server in group:
                running[server.name] = server.start(_log(server, folder))
            for server in group:
                _wait(server, running[server.name], folder)
        _open_buckets(settings, engines_first[0], running, folder)
        folder.set_phase("ready")
        _watch((*engines_first, api), running, folder, ended)
    except BuilderError as error:
        folder.set_phase("failed", in_one_line(error))
        return error.exit_code
    finally:
        stop(running.values(), STOP_SECONDS)
        triton.tidy(folder.models, folder.triton)
        seaweedfs.tidy(settings.ports)
    folder.set_phase("stopped")
    return 0


def _servers(folder: Folder, settings: Settings) -> tuple[tuple[Server, ...], Server]:
    """Return the engines, and the API, which needs them."""
    installed = install.install()
    ports = settings.ports
    s3 = Server(
        "SeaweedFS",
        lambda log: seaweedfs.start(installed, settings.keys, ports, folder.data / "s3", log),
        lambda: seaweedfs.is_ready(ports["s3"]),
    )
    triton_server = Server(
        "Triton",
        lambda log: triton.start(installed, folder.models, ports["triton"], folder.triton, log),
        lambda: listens(ports["triton"]),
    )
    api = Server(
        "API",
        lambda log: spawn(api_command(folder), log, own_environment(), folder.cwd("api")),
        lambda: listens(ports["api"]),
    )
    return (s3, triton_server), api


def api_command(folder: Folder) -> list[str]:
    return [sys.executable, "-m", "clarifai_build.sandbox.api", str(folder.root)]


def _log(server: Server, folder: Folder) -> Path:
    return folder.log(server.name.lower())


def _wait(server: Server, process: subprocess.Popen[bytes], folder: Folder) -> None:
    wait_until(server.is_ready, process, server.name, _log(server, folder), START_SECONDS)


def _open_buckets(
    settings: Settings,
    store: Server,
    running: dict[str, subprocess.Popen[bytes]],
    folder: Folder,
) -> None:
    port, keys = settings.ports["s3"], settings.keys
    seaweedfs.make_buckets(port, keys)
    readable = partial(seaweedfs.reads_what_it_holds, port, keys)
    _wait(replace(store, is_ready=readable), running[store.name], folder)


def _watch(
    servers: tuple[Server, ...],
    running: dict[str, subprocess.Popen[bytes]],
    folder: Folder,
    ended: threading.Event,
) -> None:
    while not ended.wait(RESTART_PAUSE_SECONDS):
        for server in servers:
            if running[server.name].poll() is not None:
                running[server.name] = server.start(_log(server, folder))
                _wait(server, running[server.name], folder)


if __name__ == "__main__":
    sys.exit(run(Folder(Path(sys.argv[1]))))
