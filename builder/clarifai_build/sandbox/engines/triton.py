"""A real Triton server on the CPU, and a client that loads models into it and asks them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.engines.install import Engines
from clarifai_build.sandbox.engines.processes import (
    free_ports,
    spawn,
    stop,
    wait_until,
)
from clarifai_build.sandbox.engines.shell_safe_paths import forget, plain
from clarifai_build.util.processes.child_environment import child_environment

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT_PARAMETER = "EXECUTION_ENV_PATH"
START_SECONDS = 60.0
# Longer than Triton's own --exit-timeout-secs.
STOP_SECONDS = 5.0
_BACKENDS = "backends"
LOG = "triton.log"
"""What the log of a separate server is called, in its scratch folder."""


class Client:
    """Loads, unloads and asks models; failures are `SandboxError` with Triton's own words."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._client = triton_grpc.InferenceServerClient(
            f"127.0.0.1:{port}",
            channel_args=[
                # No limit: gRPC stops at 4 MiB by default, and an image may have more.
                ("grpc.max_send_message_length", -1),
                ("grpc.max_receive_message_length", -1),
            ],
        )

    def close(self) -> None:
        self._client.close()

    def is_ready(self) -> bool:
        try:
            return bool(self._client.is_server_ready(client_timeout=2))
        except InferenceServerException:
            return False

    def has(self, model: str) -> bool:
        """Return whether the model is loaded. (It stays so after its process has crashed.)"""
        with _translated(f"Triton does not answer about '{model}'"):
            return bool(self._client.is_model_ready(model))

    def load(self, model: str, seconds: float | None = None) -> None:
        with _translated(f"Triton can't load '{model}'"):
            self._client.load_model(model, client_timeout=seconds)

    def unload(self, model: str, seconds: float = 30.0) -> None:
        """Unload a model and wait until it is gone."""
        deadline = time.monotonic() + seconds
        with _translated(f"Triton can't unload '{model}'"):
            self._client.unload_model(model)
        while self.has(model) and time.monotonic() < deadline:
            time.sleep(0.02)

    def restart(self, model: str, seconds: float | None = None) -> None:
        """Load a model anew, even if its files are the same: its process may have died."""
        self.unload(model)
        self.load(model, seconds)

    def infer(
        self,
        model: str,
        inputs: Mapping[str, np.ndarray[Any, Any]],
        outputs: Sequence[str],
        parameters: Mapping[str, str | bool | int | float] | None = None,
        seconds: float | None = None,
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Ask a model once. The arrays have a batch dimension where the model batches."""
        with _translated("the model failed"):
            result = self._client.infer(
                model,
                [_tensor(name, array) for name, array in inputs.items()],
                outputs=[triton_grpc.InferRequestedOutput(name) for name in outputs],
                parameters=dict(parameters) if parameters else None,
                client_timeout=seconds,
            )
        return {name: result.as_numpy(name) for name in outputs}


def start(
    engines: Engines,
    repository: Path,
    port: int,
    work: Path,
    log: Path,
    http_port: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that loads nothing by itself; `work` is a scratch folder of its own.

    It speaks gRPC on `port`, and HTTP too where `http_port` is given.
    """
    repository.mkdir(parents=True, exist_ok=True)
    backends = plain(_lay_out_backends(engines, work / _BACKENDS))
    # Of its own, so that what this server leaves in /dev/shm when killed can be found.
    prefix = _shared_memory_prefix(work)
    _free_shared_memory(work)
    command = [
        str(engines.triton / "bin" / "tritonserver"),
        f"--model-repository={plain(repository)}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={prefix}",
        "--model-control-mode=explicit",
        # Else Triton imports model.py twice, which makes loading 10 to 20 times slower.
        "--disable-auto-complete-config",
        *_http(http_port),
        "--allow-metrics=false",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={port}",
        "--exit-timeout-secs=2",
    ]
    # Triton's Python imports a model as `1.model`, from the folder it starts in before all others.
    return spawn(command, log, _environment(engines), work / "cwd")


@contextmanager
def serving(
    engines: Engines, repository: Path, work: Path, http_port: int | None = None
) -> Iterator[Client]:
    """Run a separate server on a free port for as long as the block lasts."""
    (port,) = free_ports(1)
    log = work / LOG
    process = start(engines, repository, port, work, log, http_port)
    client = Client(port)
    try:
        wait_until(client.is_ready, process, "Triton", log, START_SECONDS)
        yield client
    finally:
        client.close()
        stop([process], STOP_SECONDS)
        tidy(repository, work)


def tidy(repository: Path, work: Path) -> None:
    """Remove what a server that has ended left outside its own folders."""
    _free_shared_memory(work)
    forget(repository)
    forget(work / _BACKENDS)


def _free_shared_memory(work: Path) -> None:
    for leftover in Path("/dev/shm").glob(f"{_shared_memory_prefix(work)}*"):
        leftover.unlink(missing_ok=True)


def _http(port: int | None) -> list[str]:
    return (
        ["--allow-http=false"]
        if port is None
        else ["--http-address=127.0.0.1", f"--http-port={port}"]
    )


def _lay_out_backends(engines: Engines, where: Path) -> Path:
    """Put the Python backend and the stub of the engines' Python into one folder."""
    backend = where / "python"
    backend.mkdir(parents=True, exist_ok=True)
    stub = engines.triton / "python_backend_stubs" / engines.interpreter.version
    for folder in (engines.triton / "backends" / "python", stub):
        for source in (each for each in folder.iterdir() if each.is_file()):
            # Links, since the stub of a server that was just killed may still be running.
            link = backend / source.name
            link.unlink(missing_ok=True)
            link.symlink_to(source)
    return where


def _environment(engines: Engines) -> dict[str, str]:
    environment = child_environment()
    environment["PATH"] = f"{engines.python.parent}:{environment.get('PATH', os.defpath)}"
    environment["LD_LIBRARY_PATH"] = engines.library_path
    # Packages in the user's home are no part of a model.
    environment["PYTHONNOUSERSITE"] = "1"
    return environment


def _shared_memory_prefix(work: Path) -> str:
    import hashlib

    return f"clarifai_{hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:10]}_"


def _tensor(name: str, array: np.ndarray[Any, Any]) -> triton_grpc.InferInput:
    from tritonclient.utils import np_to_triton_dtype

    tensor = triton_grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except InferenceServerException as error:
        raise SandboxError.of("triton-failed", f"{what}: {error.message()}") from error
    except grpc.RpcError as error:
        raise SandboxError.of("triton-failed", f"{what}: {error}") from error
