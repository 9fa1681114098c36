"""Child processes that die with what started them, and the ports they listen on."""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from clarifai_build.errors import SandboxError
from clarifai_build.util.processes import children
from clarifai_build.util.processes.child_environment import child_environment
from clarifai_build.util.small_files import read_end

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "grpc_proxy"})
# Bytes of a log in which its last lines are sought.
_TAIL = 16 * 1024
_HOST = "127.0.0.1"
# Linux gives clients 32768 to 60999.
_PORTS = range(20_000, 32_000)
_TETHER = Path(__file__).with_name("tether.py")


def spawn(
    command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path
) -> Popen[bytes]:
    """Start a child whose output goes to `log`; the kernel kills it when this process dies.

    It starts in `folder`, which is emptied: nothing lies there that it could take for its own.
    """
    # Isolated and without site: the tether is up in milliseconds, whatever is installed.
    tether = [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid())]
    return children.start_server(
        [*tether, *command], log, cwd=children.empty_folder(folder), env=environment
    )


def stop(processes: Iterable[Popen[bytes]], seconds: float) -> None:
    """Ask children to end, all at once, and end those that still run after `seconds`."""
    asked = list(processes)
    for process in asked:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in asked:
        _end(process, deadline - time.monotonic())


def _end(process: Popen[bytes], seconds: float) -> None:
    try:
        process.wait(max(0.0, seconds))
    except TimeoutExpired:
        process.kill()
        process.wait()


def own_environment() -> dict[str, str]:
    """Return an environment in which a child imports the same package as this process."""
    here = {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    return child_environment() | past_proxies() | here


def free_ports(count: int) -> tuple[int, ...]:
    """Return free ports of the loopback interface.

    They lie below those that the kernel hands out to clients, so that they are likely to be free
    again after a restart.
    """
    found: list[int] = []
    # At random, so that two sandboxes that start at once seldom choose the same.
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return tuple(found)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port."""
    with socket.socket() as probe:
        # Ports of connections that were just closed (TIME_WAIT) count as free, as to a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Return whether a server answers on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0


def wait_until(
    ready: Callable[[], bool],
    process: Popen[bytes],
    name: str,
    log: Path,
    seconds: float,
) -> None:
    """Wait until a server answers; say where its log is when it dies or stays silent."""
    deadline = time.monotonic() + seconds
    while not ready():
        code = process.poll()
        if code is None and time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        what = (
            f"ended with code {code}" if code is not None else f"was not ready in {seconds:.0f} s"
        )
        raise SandboxError.of(
            "engine-failed", f"{name} {what}: {_tail(log)}", hint=f"the whole log is {log}"
        )


def _tail(log: Path) -> str:
    try:
        lines = read_end(log, _TAIL).splitlines()
    except OSError:
        lines = []
    return " / ".join(lines[-3:]) or "it wrote nothing"


def past_proxies(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that keep clients from asking a proxy for the sandbox."""
    if _PROXIES.isdisjoint(name.lower() for name in environ):
        return {}
    direct = [environ.get("no_proxy") or environ.get("NO_PROXY") or "", _HOST]
    # gRPC does not look at the others where there is the last one.
    names = ("no_proxy", "NO_PROXY", "no_grpc_proxy")
    return dict.fromkeys(names, ",".join(filter(None, direct)))
