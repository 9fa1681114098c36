"""Scripts of servers that answer without an end, or by the byte."""

from __future__ import annotations

import threading
from itertools import count
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2

from support.scripted_web import Asked, Script, Web


class Endless:
    """Sends zeros until it is hung up on, or for good; `sent` counts, `gone` tells the end."""

    def __init__(self, *, size: int = 1 << 16, pause: float = 0, told: int | None = None) -> None:
        self.size, self.pause, self.told = size, pause, told
        self.sent = 0
        self.began, self.gone, self.stop = (threading.Event() for _ in range(3))

    def __call__(self, asked: Asked, _number: int) -> None:
        asked.head(200, {} if self.told is None else {"Content-Length": str(self.told)})
        self.pour(asked)

    def pour(self, asked: Asked) -> None:
        """Send the body."""
        try:
            while not self.stop.is_set():
                asked.wfile.write(bytes(self.size))
                self.sent += self.size
                self.began.set()
                self.stop.wait(self.pause)
        except OSError:
            self.gone.set()


class Redirecting(Endless):
    """Leads to itself, and has much to say about it."""

    def __call__(self, asked: Asked, _number: int) -> None:
        asked.head(302, {"Location": f"/{asked.path.count('x') * 'x'}x"})
        self.pour(asked)


def dripping_headers(stop: threading.Event) -> Script:
    """Return a script whose headers never end."""

    def script(asked: Asked, _number: int) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in count():
            if stop.wait(0.05):
                return
            asked.wfile.write(b"X-A: %d\r\n" % number)

    return script


def continuing(stop: threading.Event) -> Script:
    """Return a script that only ever says 100."""

    def script(asked: Asked, _number: int) -> None:
        while not stop.wait(0.01):
            asked.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    return script


def inputs_at(server: Web, number: int, field: str = "text") -> list[Any]:
    """Return inputs whose content lies at URLs, each another."""
    kind = {"text": resources_pb2.Text, "image": resources_pb2.Image}[field]
    urls = (f"{server.url}/{each}" for each in range(number))
    data = [resources_pb2.Data(**{field: kind(url=url)}) for url in urls]
    return [resources_pb2.Input(data=each) for each in data]
