"""Weights from web servers."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request

from clarifai_build.errors import SourceError
from clarifai_build.net.errors import BAD_REDIRECT, answer, cause, is_bad_redirect, is_transient
from clarifai_build.net.web import web_opener
from clarifai_build.util.urls import is_plain
from clarifai_build.weights.remote.stream import BLOCK, Remote, refused

# Seconds without a byte: not a limit for the whole, which may take hours.
_TIMEOUT = 60.0


def open_web(url: str, offset: int) -> Remote:
    """Open an address at an offset, whether or not its server knows ranges."""
    if not is_plain(url):
        raise refused(url, "the address can't be read, or holds a user")
    request = Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
    try:
        response = web_opener().open(request, timeout=_TIMEOUT)
    except HTTPError as exc:
        exc.close()
        # Asked from its end on: all of it is there already.
        if exc.code == 416 and offset:
            return Remote(None, iter(()))
        raise _answered(url, exc.code) from exc
    except (OSError, HTTPException, ValueError) as exc:
        if is_bad_redirect(exc):
            raise refused(url, BAD_REDIRECT) from exc
        raise ConnectionError(cause(exc)) from exc
    length = _length(response)
    if response.status == 206:
        return Remote(None if length is None else length + offset, _read(response))
    return Remote(length, _read(response, skip=offset))


def _answered(url: str, status: int) -> SourceError | ConnectionError:
    if is_transient(status):
        return ConnectionError(f"the server answers {answer(status)}")
    if status // 100 == 3:
        return refused(url, f"{answer(status)}, to an address that is not followed")
    return refused(url, answer(status))


def _length(response: HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length")
    try:
        return None if length is None else int(length)
    except ValueError as exc:
        raise ConnectionError("the answer names a length that is not a number") from exc


def _read(response: HTTPResponse, skip: int = 0) -> Iterator[bytes]:
    """Yield what arrives as it arrives, but for the beginning that is there already."""
    with response:
        try:
            while skip and (block := response.read1(min(skip, BLOCK))):
                skip -= len(block)
            # `read` would wait for a whole block, and lose what it has when the connection breaks.
            while block := response.read1(BLOCK):
                yield block
        except (OSError, HTTPException) as exc:
            raise ConnectionError(cause(exc)) from exc
