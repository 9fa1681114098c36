"""Anonymous downloads: without credentials, and bounded in bytes and in time."""

from __future__ import annotations

import http.client
import shutil
import threading
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.util.http.deadline import Deadline, open_url

PAUSES_SECONDS = (0.5, 1.0)
SILENCE_SECONDS = 60.0
# Bytes a second on average, after the first minute: two slow servers would stop all builds.
LEAST_RATE = 64 << 10
MOST_SECONDS = 4 * 3600.0
PIECE = 1 << 20
MOST_BYTES = 64 << 30
# For a server that does not say how much it will send.
MOST_BYTES_UNTOLD = 1 << 30
# What else lives on the disk, Triton and S3 among it, needs some of it, too.
RESERVE_BYTES = 1 << 30
# For inputs of predictions, which are read into memory.
SMALL_LIMIT = 64 << 20


class Allowance:
    """What the inputs of one request may take to fetch: so many seconds, and bytes in all."""

    def __init__(self, seconds: float, size: int) -> None:
        self.deadline = Deadline(seconds, silence=seconds)
        self._size = self._left = size
        self._counting = threading.Lock()

    def spend(self, url: str, count: int) -> None:
        with self._counting:
            self._left -= count
            left = self._left
        if left < 0:
            raise _failed(url, f"the inputs of the request have over {self._size >> 20} MiB")


def fetch(url: str, target: Path, cancel: CancelToken = NEVER) -> None:
    """Write what lies at `url` to `target`; errors are `SandboxError` with the reason."""
    for pause in (*PAUSES_SECONDS, None):
        reason = _download(url, target, cancel)
        if reason is None:
            return
        if pause is None:
            raise _failed(url, reason)
        cancel.sleep(pause)


def fetch_small(url: str, allowance: Allowance) -> bytes:
    """Return what lies at `url`, for an input of a prediction."""
    content = bytearray()
    _check_scheme(url)
    try:
        with open_url(url, allowance.deadline) as response:
            for piece in _pieces(response):
                allowance.spend(url, len(piece))
                content += piece
                if len(content) > SMALL_LIMIT:
                    raise _failed(url, f"it is larger than {SMALL_LIMIT >> 20} MiB")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failed(url, str(error)) from error
    return bytes(content)


def _download(url: str, target: Path, cancel: CancelToken) -> str | None:
    """Try once. Returns why it failed where another try may help."""
    _check_scheme(url)
    deadline = Deadline(
        SILENCE_SECONDS,
        silence=SILENCE_SECONDS,
        least_rate=LEAST_RATE,
        at_most=MOST_SECONDS,
        cancel=cancel,
    )
    try:
        with open_url(url, deadline) as response, target.open("wb") as file:
            length = response.length
            most = _most(length, target)
            for piece in _pieces(response):
                if file.tell() + len(piece) > most:
                    raise _failed(url, f"it has more than {most} bytes, and does not say how many")
                file.write(piece)
            return "the download ended early" if length and file.tell() < length else None
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            return f"HTTP {error.code}"
        raise _failed(url, f"HTTP {error.code} without credentials; is it public?") from error
    except ValueError as error:
        raise _failed(url, str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        return str(error)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield what comes, as it comes: a read of a fixed size would wait for slow servers."""
    left = response.length
    while left is None or left > 0:
        piece = response.read1(PIECE if left is None else min(PIECE, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def _most(length: int | None, target: Path) -> int:
    """Return how many bytes a zip may have; one that says that it has more is refused."""
    room = max(0, shutil.disk_usage(target.parent).free - RESERVE_BYTES)
    if length is None:
        return min(MOST_BYTES_UNTOLD, room)
    if length > MOST_BYTES:
        raise SandboxError.of(
            "zip-refused", f"the zip has {length} bytes; the sandbox takes {MOST_BYTES}"
        )
    if length > room:
        raise SandboxError.of(
            "disk-full", f"the zip has {length} bytes and the disk has room for {room}"
        )
    return length


def _check_scheme(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise _failed(url, "only http and https URLs are fetched")


def _failed(url: str, reason: str) -> SandboxError:
    return SandboxError.of("fetch-failed", f"can't download {url}: {reason}")
