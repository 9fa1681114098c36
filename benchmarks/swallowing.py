"""An S3 that keeps nothing: it answers as a store does, and throws away what it is sent.

Prints its endpoint, then serves until its input ends.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

_SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sizes: dict[str, int]
    lock: threading.Lock

    def do_HEAD(self) -> None:
        path = urlsplit(self.path).path
        if path in self.sizes:
            self.send_response(200)
            self.send_header("Content-Length", str(self.sizes.pop(path)))
            self.send_header("ETag", '"0"')
        else:
            self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        self.answer(f"<ListMultipartUploadsResult {_SPACE}></ListMultipartUploadsResult>")

    def do_POST(self) -> None:
        parsed = urlsplit(self.path)
        self.swallow()
        if "uploads" in parse_qs(parsed.query, keep_blank_values=True):
            self.sizes[parsed.path] = 0
            name = "InitiateMultipartUploadResult"
            self.answer(f"<{name} {_SPACE}><UploadId>1</UploadId></{name}>")
        else:
            name = "CompleteMultipartUploadResult"
            self.answer(f'<{name} {_SPACE}><ETag>"0"</ETag></{name}>')

    def do_PUT(self) -> None:
        path = urlsplit(self.path).path
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        length = self.swallow()
        with self.lock:
            self.sizes[path] = self.sizes.get(path, 0) + length
        self.answer("")

    def swallow(self) -> int:
        left = length = self.length()
        buffer = bytearray(1 << 20)
        view = memoryview(buffer)
        reader = cast("BufferedReader", self.rfile)
        while left > 0:
            count = reader.readinto1(view[: min(left, len(buffer))])
            if not count:
                break
            left -= count
        return length

    def length(self) -> int:
        return int(self.headers.get("Content-Length", 0))

    def answer(self, body: str) -> None:
        self.send_response(200)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    Answer.sizes, Answer.lock = {}, threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
