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

from trees import weight_of

CONTENT = os.urandom((2 << 20) + 5)
FETCH = """
import sys
from pathlib import Path
from clarifai_build.manifest import Weight
from clarifai_build.weights import locate
from trees import manifest_of
(found,) = locate(manifest_of(Path(sys.argv[1]), (Weight(*sys.argv[2:]),)))
print(found.file)
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


def test_weights_come_from_the_hub(tmp_path: Path) -> None:
    """With the user's token, at the revision that is named, into the cache."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        weight = weight_of("det.onnx", "hf://owner/name@v1/det.onnx", CONTENT)
        environ = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
            "HF_HOME": str(tmp_path / "hub"),
            "HF_TOKEN": "hf-token",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        arguments = [tmp_path, weight.to, weight.source, weight.sha256]
        done = subprocess.run(
            [sys.executable, "-c", FETCH, *arguments], env=environ, capture_output=True, text=True
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == CONTENT
