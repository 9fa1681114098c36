"""An HTTP proxy on loopback before a real S3 server, which loses requests or answers."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Loss = Literal["request", "answer"]


@dataclass
class FaultyStore:
    """`losses` are (method, part of the key, what gets lost), each used once."""

    endpoint: str = ""
    losses: list[tuple[str, str, Loss]] = field(default_factory=list)

    def take(self, method: str, path: str) -> Loss | None:
        """Return what gets lost of this request."""
        for loss in self.losses:
            if loss[0] == method and loss[1] in path:
                self.losses.remove(loss)
                return loss[2]
        return None


@contextmanager
def faulty_store(endpoint: str) -> Iterator[FaultyStore]:
    """Run a proxy before the server at an address."""
    proxy = FaultyStore()
    address = endpoint.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            lost = proxy.take(self.command, self.path)
            if lost != "request":
                self.answer(body, silently=lost == "answer")
            self.close_connection = self.close_connection or lost is not None

        def answer(self, body: bytes, *, silently: bool) -> None:
            server = http.client.HTTPConnection(address)
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "expect":
                    server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            content = answer.read()
            server.close()
            if silently:
                return
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
            if answer.status != 204:
                self.send_header("Content-Length", str(length or 0))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
