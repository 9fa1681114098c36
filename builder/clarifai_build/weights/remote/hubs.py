"""Weights from hubs and clouds that fsspec knows, the one of Hugging Face first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from clarifai_build.errors import SourceError
from clarifai_build.net.errors import answer, cause, is_transient
from clarifai_build.util.urls import insecure_hint, is_insecure, redact_url
from clarifai_build.weights.remote.stream import BLOCK, Remote, refused

# Bytes that fsspec asks for at a time, and keeps in memory.
_RANGE = 8 << 20


def open_other(url: str, offset: int, environ: Mapping[str, str] = os.environ) -> Remote:
    """Open an address at an offset by the file system that is installed for its scheme."""
    # The hub's token goes along, and fsspec would chain what follows `::` as another address.
    hub = environ.get("HF_ENDPOINT", "")
    if is_insecure(hub, environ):
        raise refused(url, f"a token would go in clear to {redact_url(hub)}", insecure_hint(hub))
    if "::" in url:
        raise refused(url, "the address can't be read")
    with _translated(url):
        from fsspec.core import url_to_fs

        files, path = url_to_fs(url)
        size = files.info(path)["size"]
    return Remote(size, _read(url, files, path, offset))


def _read(url: str, files: Any, path: str, offset: int) -> Iterator[bytes]:
    with _translated(url):
        stream = files.open(path, "rb", block_size=_RANGE)
        stream.seek(offset)
    with stream:
        while block := _next(url, stream):
            yield block


def _next(url: str, stream: Any) -> bytes:
    with _translated(url):
        block: bytes = stream.read(BLOCK)
    return block


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as exc:  # each file system has exceptions of its own
        raise _meaning(url, exc) from exc


def _meaning(url: str, exc: Exception) -> SourceError | ConnectionError:
    if isinstance(exc, ImportError):
        return _needs_extra(url)
    if isinstance(exc, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return refused(url, "no such file, or none that you may read")
    status = getattr(getattr(exc, "response", None), "status_code", None)
    if isinstance(status, int):
        if is_transient(status):
            return ConnectionError(f"the server answers {answer(status)}")
        return refused(url, answer(status))
    # A ValueError, too, but a proxy's page in place of an answer may pass.
    if isinstance(exc, JSONDecodeError):
        return ConnectionError("the answer can't be understood")
    if isinstance(exc, (ValueError, NotImplementedError)):
        return refused(url, "the address can't be read")
    return ConnectionError(cause(exc))


def _needs_extra(url: str) -> SourceError:
    return SourceError.of(
        "weight-source",
        f"fetching {redact_url(url)} needs packages that are not installed",
        file=redact_url(url),
        hint="pip install 'clarifai-build[hf]'",
    )
