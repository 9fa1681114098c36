"""A proxy that stands for the way to other machines: what passes it in clear is kept."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from support.scripted_web import serving


class NotingProxy(ThreadingHTTPServer):
    """Forbids all requests; tunnels lead to `behind`, wherever they were meant to lead."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.behind = behind
        self.passed = bytearray()

    @property
    def environ(self) -> dict[str, str]:
        """What sends all that is not for this machine by the proxy."""
        here = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
        return {"http_proxy": f"http://127.0.0.1:{self.server_port}", **here}


class _Asked(BaseHTTPRequestHandler):
    server: NotingProxy
    rbufsize = 0  # what follows the head belongs to the tunnel

    def forbid(self) -> None:
        self.close_connection = True
        self.server.passed += f"{self.requestline}\r\n{self.headers}".encode()
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_CONNECT(self) -> None:
        self.close_connection = True
        address = urlsplit(self.server.behind)
        self.server.passed += f"{self.requestline}\r\n".encode()
        with socket.create_connection((address.hostname or "", address.port or 0)) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(there, self.connection), daemon=True)
            back.start()
            _pass_on(self.connection, there, self.server.passed)
            back.join(5)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forbid  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _pass_on(source: socket.socket, target: socket.socket, kept: bytearray | None = None) -> None:
    try:
        while data := source.recv(1 << 16):
            if kept is not None:
                kept += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def noting_proxy(behind: str) -> Iterator[NotingProxy]:
    """Run one."""
    with serving(NotingProxy(behind)) as running:
        yield running
