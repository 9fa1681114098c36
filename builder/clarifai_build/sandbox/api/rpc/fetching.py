"""Fetches what the inputs of a request name by URL, so that slow servers hold up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.builds.download import Allowance, fetch_small
from clarifai_build.sandbox.api.errors import ApiError, Code

# Requests that fetch at a time: of the server's 64 threads, most stay free for those that don't.
MOST_REQUESTS = 16
# For all the inputs of a request together.
SECONDS = 30.0
# As much as a request may bring along, by Clarifai's documentation.
MOST_BYTES = 128 << 20
_AT_ONCE = 16

Fetched = Mapping[str, bytes | ApiError]
"""By URL: what lies there, or why it can't be had."""


class Fetching:
    """Fetches inputs, for a few requests at a time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._turns = threading.BoundedSemaphore(MOST_REQUESTS)

    def fetch(self, inputs: Iterable[Any], fields: Collection[str]) -> Fetched:
        """Return what lies at the URLs in these fields of the inputs."""
        urls = list(dict.fromkeys(url for given in inputs for url in _urls(given.data, fields)))
        if not urls:
            return {}
        # Not in turn: a request that waits for one would hold up those that need none.
        if not self._turns.acquire(blocking=False):
            raise ApiError(
                Code.CONN_THROTTLED,
                f"{MOST_REQUESTS} requests are waiting for their URLs; ask again in a while",
            )
        try:
            allowance = Allowance(self._seconds, MOST_BYTES)
            with ThreadPoolExecutor(min(_AT_ONCE, len(urls)), "fetch") as pool:
                return dict(zip(urls, pool.map(partial(_fetch, allowance), urls), strict=True))
        finally:
            self._turns.release()


def _urls(data: Any, fields: Collection[str]) -> Iterable[str]:
    if "image" in fields and data.image.url and not data.image.base64:
        yield data.image.url
    if "text" in fields and data.text.url and not data.text.raw:
        yield data.text.url


def _fetch(allowance: Allowance, url: str) -> bytes | ApiError:
    try:
        return fetch_small(url, allowance)
    except SandboxError as error:
        return ApiError(Code.INPUT_DOWNLOAD_FAILED, str(error))
