"""Anonymous downloads: no credentials, no proxies for the loopback, limited size."""

from __future__ import annotations

import http.client
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from clarifai_build.errors import SandboxError

PAUSES_SECONDS = (0.5, 1.0)
TIMEOUT_SECONDS = 60
PIECE = 1 << 20
# For inputs of predictions, which are read into memory.
SMALL_LIMIT = 64 << 20


def fetch(url: str, target: Path) -> None:
    """Write what lies at `url` to `target`; errors are `SandboxError` with the reason."""
    for pause in (*PAUSES_SECONDS, None):
        reason = _download(url, target)
        if reason is None:
            return
        if pause is None:
            raise _failed(url, reason)
        time.sleep(pause)


def fetch_small(url: str) -> bytes:
    """Return what lies at `url`, for an input of a prediction."""
    try:
        with _open(url) as response:
            content: bytes = response.read(SMALL_LIMIT + 1)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(url, str(error)) from error
    if len(content) > SMALL_LIMIT:
        raise _failed(url, f"it is larger than {SMALL_LIMIT >> 20} MiB")
    return content


def _download(url: str, target: Path) -> str | None:
    """Try once. Returns why it failed where another try may help."""
    try:
        with _open(url) as response, target.open("wb") as file:
            _check_room(response.length, target)
            shutil.copyfileobj(response, file, PIECE)
            # What http.client still expects: 0 at the end, None where the server named no length.
            return "the download ended early" if response.length else None
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            return f"HTTP {error.code}"
        raise _failed(url, f"HTTP {error.code} without credentials; is it public?") from error
    except (OSError, http.client.HTTPException) as error:
        return str(error)


def _open(url: str) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise _failed(url, "only http and https URLs are fetched")
    request = urllib.request.Request(url, headers={"User-Agent": "clarifai-build-sandbox"})
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    return response


def _check_room(length: int | None, target: Path) -> None:
    free = shutil.disk_usage(target.parent).free
    if length is not None and length > free:
        raise SandboxError.of(
            "disk-full", f"the zip has {length} bytes and the disk {free} free bytes"
        )


def _failed(url: str, reason: str) -> SandboxError:
    return SandboxError.of("fetch-failed", f"can't download {url}: {reason}")
