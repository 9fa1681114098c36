"""A web server on loopback that answers as a test says, well or badly."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any, TypeVar


class Asked(BaseHTTPRequestHandler):
    """One request, and the ways to answer it; each connection serves one."""

    server: Web

    @property
    def start(self) -> int:
        """The offset that is asked for."""
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        return int(asked[1]) if asked else 0

    def send(
        self, content: bytes, headers: Mapping[str, str] | None = None, cut: int | None = None
    ) -> None:
        """Send `content` from the offset on, or only `cut` bytes of that."""
        body = content[self.start :]
        self.head(206 if self.start else 200, {"Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
            self.wfile.flush()

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a status and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        self.close_connection = True
        with self.server.counting:
            self.server.requests += 1
        self.server.script(self, self.server.requests)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


Server = TypeVar("Server", bound=HTTPServer)
Script = Callable[[Asked, int], None]
"""Answers a request; the number says how many there were so far, it included."""


class Web(ThreadingHTTPServer):
    """The server; `requests` counts what it was asked."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.script = script
        self.counting = threading.Lock()
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def web(script: Script) -> AbstractContextManager[Web]:
    """Run a server that answers by a script."""
    return serving(Web(script))


def closed_port() -> str:
    """Return the address of a port where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"
