"""`hf://` weights, by the real client of the Hugging Face hub, from a stand-in for the hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.scripted_web import Asked, closed_port, web
from support.trees import weight_of

CONTENT = os.urandom((2 << 20) + 5)
FETCH = """
import sys
from pathlib import Path
from clarifai_build.manifest.types import Weight
from clarifai_build.errors import BuilderError
from clarifai_build.weights.locate import locate
from support.trees import manifest_of
try:
    (found,) = locate(manifest_of(Path(sys.argv[1]), (Weight(*sys.argv[2:]),)))
    print(found.file)
except BuilderError as error:
    print(*error.problems[0][:2])
"""


class Hub(BaseHTTPRequestHandler):
    """Knows one file of one repository at one revision, for one token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Bearer hf-token":
            self.reply(401, b"{}")
        elif self.path.startswith("/api/models/owner/name/revision/v1"):
            self.reply(200, json.dumps({"id": "owner/name", "sha": "a" * 40}).encode())
        elif self.path.startswith("/api/models/owner/name/tree/v1"):
            entry = {"type": "file", "path": "det.onnx", "size": len(CONTENT), "oid": "b" * 40}
            self.reply(200, json.dumps([entry]).encode())
        elif self.path.startswith("/owner/name/resolve/v1/det.onnx"):
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            span = f"bytes {first}-{last}/{len(CONTENT)}"
            self.reply(206, CONTENT[int(first) : int(last) + 1], {"Content-Range": span})
        else:
            self.reply(404, b"{}")

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def fetch(folder: Path, hub: str) -> str:
    """Fetch a weight from the hub at an address; return its place, or code and message."""
    weight = weight_of("det.onnx", "hf://owner/name@v1/det.onnx", CONTENT)
    environ = os.environ | {
        "HF_ENDPOINT": hub,
        "HF_HOME": str(folder / "hub"),
        "HF_TOKEN": "hf-token",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    arguments = [folder, weight.to, weight.source, weight.sha256]
    done = subprocess.run(
        [sys.executable, "-c", FETCH, *arguments], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_weights_come_from_the_hub(tmp_path: Path) -> None:
    """With the user's token, at the revision that is named, into the cache."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = fetch(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert Path(found).read_bytes() == CONTENT


def test_a_hub_that_can_not_be_reached(tmp_path: Path) -> None:
    """Its client raises what is no OSError."""
    found = fetch(tmp_path, closed_port())
    assert found.startswith("weight-unreachable ")
    assert found.endswith("Connection refused")


@pytest.mark.parametrize(
    ("status", "body", "code", "why"),
    [
        (200, b"<html>log in</html>", "weight-unreachable", "can't be understood"),
        (503, b"", "weight-unreachable", "503 Service Unavailable"),
        (403, b"", "weight-refused", "403 Forbidden"),
        (404, b"", "weight-refused", "404 Not Found"),
    ],
)
def test_a_hub_that_answers_otherwise(
    status: int, body: bytes, code: str, why: str, tmp_path: Path
) -> None:
    """What may pass is unreachable in the end; what the hub refuses is told at once."""
    length = {"Content-Length": str(len(body))}

    def answer(asked: Asked, _number: int) -> None:
        asked.head(status, length)
        asked.wfile.write(body)

    with web(answer) as server:
        found = fetch(tmp_path, server.url)
    assert found.startswith(f"{code} ")
    assert why in found
