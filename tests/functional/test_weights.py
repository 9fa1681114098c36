"""Weights from elsewhere: fetched once, resumed, verified, kept by digest."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.tree import make_tree
from clarifai_build.cli import cache_entries
from clarifai_build.errors import SourceError
from clarifai_build.weights.locate import locate
from clarifai_build.weights.remote.opener import open_remote
from support.trees import manifest_of, weight_of

CONTENT = random.Random(3).randbytes((5 << 20) + 7)


class Server(ThreadingHTTPServer):
    """Serves CONTENT under any path; `cuts` says how many answers break off in the middle."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content = CONTENT
        self.cuts = 0
        self.knows_ranges = True
        self.sent = 0
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/w.bin"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        content = self.server.content
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.server.knows_ranges else 0
        self.send_response(206 if start else 200)
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.server.sent += len(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on the loopback interface."""
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a cache folder of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_fetched_once_and_kept_by_digest(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """The second time, and for another model, nothing is fetched."""
    weight = weight_of("w.bin", server.url, CONTENT)
    for name in ("one", "two"):
        (found,) = locate(manifest_of(tmp_path / name, (weight,)), environ=environ)
        assert Path(found.file).read_bytes() == CONTENT
        assert Path(found.file).name == weight.sha256
    assert server.requests == 1


def test_a_broken_connection_is_resumed(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """What arrived is not asked for again, in one run or in the next."""
    server.cuts = 2
    weight = weight_of("w.bin", server.url, CONTENT)
    locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert server.sent == len(CONTENT)
    partial = tmp_path / "cache" / "clarifai-build" / "weights" / f"{weight.sha256}.part"
    assert not partial.exists()


def test_what_an_earlier_run_left_is_gone_on_from(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Its bytes are hashed along; if they are wrong, the fetch begins anew."""
    weight = weight_of("w.bin", server.url, CONTENT)
    folder = tmp_path / "cache" / "clarifai-build" / "weights"
    folder.mkdir(parents=True)
    (folder / f"{weight.sha256}.part").write_bytes(CONTENT[: 4 << 20])
    locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert server.sent == len(CONTENT) - (4 << 20)
    (folder / weight.sha256).unlink()
    (folder / f"{weight.sha256}.part").write_bytes(b"wrong" * 1000)
    (found,) = locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert Path(found.file).read_bytes() == CONTENT


def test_a_server_without_ranges_is_read_over(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """The part that is there is skipped."""
    server.cuts, server.knows_ranges = 1, False
    weight = weight_of("w.bin", server.url, CONTENT)
    (found,) = locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert Path(found.file).read_bytes() == CONTENT


def test_a_mismatch_names_both_digests_and_keeps_nothing(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Neither the file nor what was fetched of it."""
    weight = weight_of("w.bin", server.url, b"what was meant")
    found = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(SourceError, match=f"SHA-256 {found}.*says {weight.sha256}"):
        locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert cache_entries.find(environ) == []


def test_all_that_fail_are_named(server: Server, tmp_path: Path, environ: dict[str, str]) -> None:
    """Missing at the server, and nowhere on disk: one error with both is not asked for twice."""
    missing = server.url.replace("/w.bin", "/missing")
    weights = (
        weight_of("a.bin", missing, b"a"),
        weight_of("b.bin", missing, b"b"),
    )
    with pytest.raises(SourceError) as caught:
        locate(manifest_of(tmp_path, weights), environ=environ)
    assert [problem.code for problem in caught.value.problems] == ["weight-refused"] * 2
    with pytest.raises(SourceError, match=r"no\.bin can't be read"):
        locate(manifest_of(tmp_path, (weight_of("a.bin", "no.bin", b""),)), environ=environ)


@pytest.mark.parametrize("path", ["/missing", "/w.bin"])
def test_a_signature_is_never_shown(
    path: str, server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """A presigned address opens a file to whoever reads it in a log: only what it names is told."""
    signed = server.url.replace("/w.bin", f"{path}?X-Amz-Signature=hunter2")
    manifest = manifest_of(tmp_path, (weight_of("a.bin", signed, b"other"),))
    with pytest.raises(SourceError) as raised:
        locate(manifest, environ=environ)
    (problem,) = raised.value.problems
    assert problem.file == server.url.replace("/w.bin", path)
    assert problem.file in problem.message
    assert "hunter2" not in problem.message


def test_a_fetched_weight_is_laid_out_from_the_cache(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read where it is kept, and copied nowhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code").mkdir()
    weight = weight_of("det/w.bin", server.url, CONTENT)
    tree = make_tree({}, manifest_of(tmp_path / "code", (weight,)))
    (entry,) = tree.entries
    assert (entry.path, entry.sha256) == ("1/det/w.bin", weight.sha256)
    assert str(entry.source).startswith(str(tmp_path / "cache"))


def test_other_schemes_go_through_fsspec(tmp_path: Path) -> None:
    """From any offset."""
    (tmp_path / "w.bin").write_bytes(CONTENT)
    remote = open_remote(f"file://{tmp_path}/w.bin", 1000, None, {})
    assert remote.size == len(CONTENT)
    assert b"".join(remote.blocks) == CONTENT[1000:]


def test_pruning_removes_what_was_not_used(
    server: Server, tmp_path: Path, environ: dict[str, str]
) -> None:
    """What was used lately stays if that is asked for."""
    weight = weight_of("w.bin", server.url, CONTENT)
    locate(manifest_of(tmp_path, (weight,)), environ=environ)
    assert [file.size for file in cache_entries.find(environ)] == [len(CONTENT)]
    assert cache_entries.prune(3600, environ) == []
    assert [file.size for file in cache_entries.prune(0, environ)] == [len(CONTENT)]
    assert cache_entries.find(environ) == []


def test_an_interrupt_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    """Ctrl-C ends a fetch that nothing arrives for."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom clarifai_build.manifest.types import Weight\n"
        "from clarifai_build.weights.locate import locate\n"
        "from support.trees import manifest_of\n"
        "locate(manifest_of(Path(sys.argv[1]), (Weight('w', sys.argv[2], '0' * 64),)))\n"
    )
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/w"
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), url], env=environ)
        connection, _ = server.accept()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0
        connection.close()
