"""A link of so many bits a second to a server on this machine; says what went over it.

It forwards TCP, and reads no more of HTTP than where a request begins: what went to and fro from
there to the next one on the same connection belongs to it.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from typing_extensions import Self

# Bytes: 2.6 ms at 200 Mbit/s, so that small answers do not wait behind much of a large one.
_BLOCK = 64 << 10
_REQUEST = re.compile(rb"([A-Z]{3,7}) (\S+) HTTP/1\.1\r\n")


@dataclass
class Exchange:
    """A request and its answer, in bytes with their headers, as the client sees it."""

    method: str
    path: str
    sent: int = 0
    received: int = 0


class Direction:
    """A token bucket that holds nothing: what has to wait goes when its turn has come."""

    def __init__(self, bits_per_second: float) -> None:
        self._seconds_a_byte = 8 / bits_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def pass_through(self, length: int) -> None:
        """Wait until so many bytes have gone over the link, after all that came before them."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + length * self._seconds_a_byte
            wait = self._free_at - now
        time.sleep(wait)


class SlowLink:
    """Leads from a port of its own, while it is entered, to one on this machine."""

    def __init__(self, port: int, bits_per_second: float) -> None:
        self._target = ("127.0.0.1", port)
        self._up, self._down = Direction(bits_per_second), Direction(bits_per_second)
        self._exchanges: list[Exchange] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def take(self) -> list[Exchange]:
        """Return what went over the link since this was called last."""
        taken, self._exchanges = self._exchanges, []
        return taken

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                Connection(client, server, self._up, self._down, self._note).start()

    def _note(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)


class Connection:
    """A client and the server it talks to, each way in a thread of its own."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        up: Direction,
        down: Direction,
        note: Callable[[Exchange], None],
    ) -> None:
        self._client, self._server = client, server
        self._up, self._down, self._note = up, down, note
        self._exchange = Exchange("", "")
        self._answered = True

    def start(self) -> None:
        """Forward both ways until both have ended."""
        ways = (
            (self._client, self._server, self._ask, self._up),
            (self._server, self._client, self._answer, self._down),
        )
        for way in ways:
            threading.Thread(target=self._forward, args=way, daemon=True).start()

    def _forward(
        self,
        source: socket.socket,
        target: socket.socket,
        count: Callable[[bytes], None],
        direction: Direction,
    ) -> None:
        with suppress(OSError):  # the other way, or a client that was killed, has ended it
            while block := source.recv(_BLOCK):
                count(block)
                direction.pass_through(len(block))
                target.sendall(block)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD if end is source else socket.SHUT_WR)

    def _ask(self, block: bytes) -> None:
        # A client that waits for `100 Continue` goes on with the same request after an answer.
        if self._answered and (request := _REQUEST.match(block)):
            self._exchange = Exchange(request[1].decode(), request[2].decode())
            self._note(self._exchange)
        self._answered = False
        self._exchange.sent += len(block)

    def _answer(self, block: bytes) -> None:
        self._answered = True
        self._exchange.received += len(block)
