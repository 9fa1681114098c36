"""Proof that what was published is public: the platform has no credentials."""

from __future__ import annotations

import re
import time
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.segments import read_span
from clarifai_build.errors import NotPublicError, StorageError
from clarifai_build.net.errors import BAD_REDIRECT, answer, cause, is_bad_redirect, is_transient
from clarifai_build.net.web import web_opener
from clarifai_build.util.urls import is_plain, redact_url

# Bytes at either end: the last ones hold the zip's directory, so that a cut zip shows.
_SAMPLE = 64 << 10
_TIMEOUT = 30.0
_BLOCK = 1 << 20
# Seconds before the second and the third attempt.
_PAUSES = (0.25, 1.0)
# 404 included: to clients without rights, some stores say that there is nothing.
_ACCESS = frozenset({401, 403, 404})
# Where a server ignores ranges, the zip's end is read by downloading all before it.
_MOST_SKIPPED = 256 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_BEYOND = re.compile(r"bytes \*/(\d+)")
_HINT = (
    "Clarifai downloads the zip without credentials. Allow everyone to read objects under the "
    "prefix (a bucket policy), put a CDN before the bucket and name it in `public_base_url`, or "
    "set `access: presigned`. A CDN may have kept an answer from before "
    "the zip was there: purge it."
)


class _TransientError(Exception):
    """A failure that may pass by the next attempt; its text holds no secrets."""


def prove_downloadable(url: str, artifact: Artifact) -> None:
    """Fetch the first and the last bytes anonymously, and compare them with the artifact's.

    Content that is not on this machine can't be compared: the zip's directory has its CRC-32.
    """
    length = min(_SAMPLE, artifact.size)
    for offset in (0, artifact.size - length):
        body, size = fetch_range(url, offset, length)
        if size != artifact.size:
            raise _differs(url, f"it has {size} bytes, the artifact has {artifact.size}")
        if not _is_of(artifact, offset, body):
            raise _differs(url, f"its bytes from {offset} are not the artifact's")


def _is_of(artifact: Artifact, offset: int, body: bytes) -> bool:
    """Return whether bytes are the artifact's from `offset`, as far as it has them."""
    if len(body) != min(_SAMPLE, artifact.size):
        return False
    at = 0
    for span in artifact.spans(offset, len(body)):
        found, at = body[at : at + span.length], at + span.length
        if isinstance(span.source, (bytes, str)) and found != b"".join(read_span(span)):
            return False
    return True


def fetch_range(url: str, offset: int, length: int) -> tuple[bytes, int]:
    """Return a range of what lies at `url`, and the size of the whole."""
    if not is_plain(url) or urlsplit(url).scheme not in ("http", "https"):
        why = "is not a public address: it can't be read, or holds a user"
        raise NotPublicError.of("not-public", f"{redact_url(url)} {why}.", hint=_HINT)
    pauses = list(_PAUSES)
    while True:
        try:
            return _fetch(url, offset, length)
        except _TransientError as exc:
            if not pauses:
                raise _failed(url, str(exc)) from exc
        time.sleep(pauses.pop(0))


def _fetch(url: str, offset: int, length: int) -> tuple[bytes, int]:
    request = Request(url, headers={"Range": f"bytes={offset}-{offset + length - 1}"})
    try:
        with web_opener().open(request, timeout=_TIMEOUT) as response:
            body, size = _read(response, offset, length, url)
    except HTTPError as exc:
        exc.close()
        # Asked beyond the end: an empty object has no first byte.
        if exc.code == 416 and (whole := _BEYOND.fullmatch(exc.headers["Content-Range"] or "")):
            return b"", int(whole[1])
        raise _answered(url, exc.code) from exc
    except (OSError, HTTPException, ValueError) as exc:
        if is_bad_redirect(exc):
            raise _failed(url, BAD_REDIRECT) from exc
        raise _TransientError(cause(exc)) from exc
    if len(body) < min(length, size - offset):
        raise _TransientError("the response was truncated")
    return body, size


def _answered(url: str, status: int) -> StorageError | _TransientError:
    if status in _ACCESS:
        return NotPublicError.of(
            "not-public", f"{redact_url(url)} answers {answer(status)}.", hint=_HINT
        )
    why = f"the server answers {answer(status)}"
    return _TransientError(why) if is_transient(status) else _failed(url, why)


def _failed(url: str, why: str) -> StorageError:
    return StorageError.of(
        "download-failed",
        f"{redact_url(url)} can't be downloaded: {why}.",
        hint="Apply again in a while. If it goes on, look at the server, or the CDN before it.",
    )


def _read(response: HTTPResponse, offset: int, length: int, url: str) -> tuple[bytes, int]:
    if response.status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != offset:
            raise _failed(url, f"asked from byte {offset}, the server sends another range")
        return response.read(length), int(found[2])
    size = response.headers.get("Content-Length", "")
    if not size.isdecimal():
        raise _failed(url, "the server does not say how long it is")
    _skip(response, offset, url)
    return response.read(length), int(size)


def _skip(response: HTTPResponse, count: int, url: str) -> None:
    """Read what comes before the range, where the server sends the whole: a little, not GiBs."""
    if count > _MOST_SKIPPED:
        raise StorageError.of(
            "ranges-ignored",
            f"{redact_url(url)} can't be read by ranges: asked from byte {count}, all was sent.",
            hint="Let the server, or the CDN before the bucket, answer requests with a Range.",
        )
    while count > 0 and (block := response.read(min(count, _BLOCK))):
        count -= len(block)


def _differs(url: str, how: str) -> Exception:
    return StorageError.of(
        "published-differs",
        f"What lies at {redact_url(url)} is not what was published: {how}.",
        hint="Something replaced it, or a proxy changes it on the way. Remove it and apply again.",
    )
