"""Anonymous HTTP with an end: a server that sends a byte a minute is given up like a silent one.

The timeout of a socket bounds one read, and a reply can be made of any number of them. Here the
call is bounded, redirects and headers included, and a `CancelToken` ends it at once.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.util.http.redirects import PlainRedirects

# Seconds between looks at the token while a server is silent.
_BEAT = 0.5
_TOO_SLOW = "the server is too slow"
_HEADERS = {"User-Agent": "clarifai-build-sandbox"}


class Deadline:
    """How long servers may take: in all, and to say nothing. Threads may share one without a rate.

    With `least_rate`, in bytes a second, what is received buys time, up to `at_most` seconds.
    """

    def __init__(
        self,
        seconds: float,
        *,
        silence: float,
        least_rate: int = 0,
        at_most: float = 0,
        cancel: CancelToken = NEVER,
    ) -> None:
        now = time.monotonic()
        self._end, self._last = now + seconds, now + max(seconds, at_most)
        self._silence, self._least_rate, self._cancel = silence, least_rate, cancel

    def left(self) -> float:
        """Return the seconds until the end; raises TimeoutError once it has come."""
        self._cancel.check()
        left = min(self._end, self._last) - time.monotonic()
        if left <= 0:
            raise TimeoutError(_TOO_SLOW)
        return min(left, self._silence)

    def receive(self, connection: socket.socket, buffer: Any) -> int:
        """Receive into a buffer; raises TimeoutError at the end, KeyboardInterrupt if cancelled."""
        silent_until = time.monotonic() + self._silence
        while True:
            connection.settimeout(min(self.left(), _BEAT))
            try:
                count = connection.recv_into(buffer)
            except TimeoutError as error:
                if time.monotonic() > silent_until:
                    raise TimeoutError(_TOO_SLOW) from error
                continue
            if self._least_rate:
                self._end += count / self._least_rate
            return count


@contextmanager
def open_url(url: str, deadline: Deadline) -> Iterator[http.client.HTTPResponse]:
    """Open an http or https URL without credentials, through proxies as the environment says.

    Raises OSError, HTTPException or ValueError, as urllib does.
    """
    request = urllib.request.Request(url, headers=_HEADERS)
    with _opener(deadline).open(request, timeout=deadline.left()) as response:
        yield response


def _opener(deadline: Deadline) -> urllib.request.OpenerDirector:
    # urllib's default opener reads file:, ftp: and data: addresses, too, where redirects lead.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        _Connections(deadline),
        urllib.request.HTTPDefaultErrorHandler(),
        PlainRedirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class _Connections(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections whose replies are read by the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPConnection, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPSConnection, req)

    def _open(
        self, kind: type[http.client.HTTPConnection], request: urllib.request.Request
    ) -> http.client.HTTPResponse:
        deadline = self._deadline

        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
                super().__init__(sock, *args, **more)
                self.fp = io.BufferedReader(_Reader(sock, self.fp, deadline))

        def connect(host: str, **more: Any) -> http.client.HTTPConnection:
            made = kind(host, **more)
            made.response_class = Response
            return made

        # For the connection itself; each redirect has one of its own.
        request.timeout = deadline.left()
        return self.do_open(connect, request)


class _Reader(io.RawIOBase):
    """What a socket receives by a deadline; `file` is what keeps the socket open."""

    def __init__(self, connection: socket.socket, file: Any, deadline: Deadline) -> None:
        super().__init__()
        self._connection, self._file, self._deadline = connection, file, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._deadline.receive(self._connection, buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
