"""Ctrl-C while a store, or the platform, does not answer: the command ends at once."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clarifai_build.manifest.types import Storage
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.s3_store import open_store
from conftest import Tool
from support.light_platform import INFERENCE, Platform, light_platform
from support.odd_store import Request, Silence, odd_store

AT_MOST = 5.0
"""Seconds, where it used to be half a minute or more; it is well under one on a quiet machine."""


class Applies:
    """Models, and applies of them as processes, by way of a store that is somewhere."""

    def __init__(self, tool: Tool, sandbox: Endpoints, platform: Platform, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.prefix = f"interrupts-{uuid.uuid4().hex[:8]}"
        self.environ = {**tool.environ, **platform.environ, "PYTHONFAULTHANDLER": "1"}

    def start(
        self, endpoint: str, *names: str, size: int = 20 << 20, options: tuple[str, ...] = ()
    ) -> subprocess.Popen[str]:
        """Apply new models that need a multipart upload."""
        for name in names:
            folder = self.folder / name
            folder.mkdir()
            (folder / "clarifai.yaml").write_text(
                f"model: {{id: {name}, type: text-to-text}}\n"
                f"storage: {{bucket: {self.sandbox.bucket}, prefix: {self.prefix}, "
                f"endpoint_url: '{endpoint}', region: us-east-1}}\n"
            )
            (folder / "inference.py").write_text(INFERENCE)
            with (folder / "w.bin").open("wb") as file:
                file.truncate(size)
        folders = [str(self.folder / name) for name in names]
        return subprocess.Popen(
            [sys.executable, "-m", "clarifai_build", "apply", *folders, "--no-wait", *options],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def leased(self, name: str) -> bool:
        """Say whether a model's lease is still there."""
        storage = Storage(self.sandbox.bucket, endpoint_url=self.sandbox.s3_endpoint)
        key = lease_key(self.prefix, "sandbox-user/sandbox-app", name)
        return open_store(storage, self.sandbox.environ()).get(key) is not None


@pytest.fixture
def applies(tool: Tool, sandbox: Endpoints, tmp_path: Path) -> Iterator[Applies]:
    """A place of one's own."""
    (tmp_path / "platform").mkdir()
    with light_platform(tmp_path / "platform") as platform:
        yield Applies(tool, sandbox, platform, tmp_path)


def interrupted(process: subprocess.Popen[str], stuck: threading.Event) -> str:
    """Interrupt a process once it is stuck, and return what it has said when it ended in time."""
    while not stuck.wait(0.2):
        if process.poll() is not None:
            pytest.fail(f"it never got there: {process.communicate()[0]}")
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=AT_MOST)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        pytest.fail(f"still alive after {AT_MOST} s: {process.communicate()[0]}")
    print(f"ended {time.monotonic() - start:.2f} s after the signal")
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    return said


def silence_from(where: Callable[[Request], bool]) -> Callable[[Request], Silence | None]:
    """Return a rule: from such a request on, nothing is answered any more."""
    dead = threading.Event()

    def rule(request: Request) -> Silence | None:
        if where(request):
            dead.set()
        return Silence(forever=True) if dead.is_set() else None

    return rule


def test_a_store_that_stops_answering(applies: Applies) -> None:
    """The lease can't be given back, and is left to expire."""
    rule = silence_from(lambda request: request.is_part)
    with odd_store(applies.sandbox.s3_endpoint, rule) as odd:
        said = interrupted(applies.start(odd.endpoint, "one"), odd.silent)
    assert "the lease expires by itself" in said
    assert applies.leased("one")


@pytest.mark.parametrize("asked", ["lists_uploads", "begins", "is_part", "completes"])
@pytest.mark.parametrize("names", [("one",), ("one", "two")], ids=["one", "two"])
def test_one_kind_of_request_that_is_not_answered(
    applies: Applies, asked: str, names: tuple[str, ...]
) -> None:
    """As the store answers all else, leases are given back; so it is for many models at once."""

    def rule(request: Request) -> Silence | None:
        return Silence(forever=True) if getattr(request, asked) else None

    # Of what is not sent, more than the sum of a zip reads ahead: it waits, too.
    size = 20 << 20 if asked in ("is_part", "completes") else 300 << 20
    with odd_store(applies.sandbox.s3_endpoint, rule) as odd:
        interrupted(applies.start(odd.endpoint, *names, size=size), odd.silent)
    assert not any(applies.leased(name) for name in names)


@pytest.mark.parametrize("asked", [".leases", "used-by"])
def test_two_models_that_wait_for_small_objects(applies: Applies, asked: str) -> None:
    """What no progress is told of is left behind, too."""

    def rule(request: Request) -> Silence | None:
        return Silence(forever=True) if asked in request.path else None

    with odd_store(applies.sandbox.s3_endpoint, rule) as odd:
        interrupted(applies.start(odd.endpoint, "one", "two"), odd.silent)


def test_two_models_of_a_platform_that_does_not_answer(applies: Applies) -> None:
    """What waits in gRPC's own threads is left behind as well."""
    with socket.create_server(("127.0.0.1", 0)) as platform:
        address = f"http://127.0.0.1:{platform.getsockname()[1]}"
        applies.environ["CLARIFAI_API_BASE"] = address
        process = applies.start(applies.sandbox.s3_endpoint, "one", "two")
        connected = threading.Event()

        def accept() -> None:
            connection, _ = platform.accept()
            with connection:
                connected.set()
                process.wait()

        threading.Thread(target=accept, daemon=True).start()
        interrupted(process, connected)


@pytest.mark.parametrize("options", [(), ("--no-lease",)], ids=["lease", "no lease"])
def test_parts_that_reach_no_store(applies: Applies, options: tuple[str, ...]) -> None:
    """Connections that are neither made nor refused are not waited for."""
    with BlackHole(applies.sandbox.s3_endpoint) as hole:
        interrupted(applies.start(hole.endpoint, "one", options=options), hole.stuck)


class BlackHole:
    """Passes connections on, until an upload begins: from then on, none is made any more."""

    def __init__(self, endpoint: str) -> None:
        self.target = urlsplit(endpoint)
        self.closed, self.stuck = threading.Event(), threading.Event()
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(0)
        self.address = self.server.getsockname()
        self.endpoint = f"http://127.0.0.1:{self.address[1]}"
        self.kept: list[socket.socket] = []

    def __enter__(self) -> BlackHole:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (*self.kept, self.server):
            connection.close()

    def _accept(self) -> None:
        while True:
            client, _ = self.server.accept()
            self.kept.append(client)
            if self.closed.is_set():
                return
            store = socket.create_connection((self.target.hostname or "", self.target.port or 0))
            self.kept.append(store)
            for source, sink in ((client, store), (store, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while block := source.recv(1 << 20):
                if b"?uploads HTTP" in block and b"POST " in block:
                    self._close()
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _close(self) -> None:
        """Fill what the system would accept in our place.

        A connection that it does not take at once is tried again after a second.
        """
        self.closed.set()
        with contextlib.suppress(TimeoutError):
            while True:
                self.kept.append(socket.create_connection(self.address, timeout=1.5))
        # By then the upload has begun, and its parts connect.
        threading.Timer(1, self.stuck.set).start()


def test_the_black_hole_is_one(sandbox: Endpoints) -> None:
    """Once it is closed, a connection to it takes for ever."""
    with BlackHole(sandbox.s3_endpoint) as hole:
        hole._close()
        with pytest.raises(TimeoutError):
            socket.create_connection(hole.address, timeout=1.5)
