"""Proof that a stranger can download what was published: the platform has no credentials."""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request

from clarifai_build.addresses import is_plain, shown
from clarifai_build.archive import Artifact
from clarifai_build.problem import StorageError
from clarifai_build.storage.public import web_opener

_SAMPLE = 64 << 10
_TIMEOUT = 30.0
_BLOCK = 1 << 20
_MOST_SKIPPED = 256 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_HINT = (
    "Clarifai downloads the zip without credentials. Allow everyone to read objects under the "
    "prefix (a bucket policy), put a CDN before the bucket and name it in `public_base_url`, or "
    "set `access: presigned`."
)


def prove_downloadable(url: str, artifact: Artifact) -> None:
    """Fetch the first and the last bytes as a stranger, and compare them with the artifact's."""
    length = min(_SAMPLE, artifact.size)
    for offset in (0, artifact.size - length):
        body, size = fetch_range(url, offset, length)
        if size != artifact.size:
            raise _differs(url, f"it has {size} bytes, the artifact has {artifact.size}")
        if body != artifact.read(offset, length):
            raise _differs(url, f"its bytes from {offset} are not the artifact's")


def fetch_range(url: str, offset: int, length: int) -> tuple[bytes, int]:
    """Return a range of what lies at `url`, and the size of the whole."""
    if not is_plain(url):
        raise StorageError.of(
            "not-public",
            f"{shown(url)} is no address for strangers: it can't be read, or holds a user.",
            hint=_HINT,
        )
    try:
        request = Request(url, headers={"Range": f"bytes={offset}-{offset + length - 1}"})
        with web_opener().open(request, timeout=_TIMEOUT) as response:
            if response.status == 206:
                size = _size_of_whole(response.headers.get("Content-Range", ""), offset)
            else:
                size = int(response.headers["Content-Length"])
                _skip(response, offset, url)
            return response.read(length), size
    except HTTPError as exc:
        raise StorageError.of(
            "not-public", f"{shown(url)} answers {exc.code} {exc.reason}.", hint=_HINT
        ) from exc
    except (OSError, HTTPException, ValueError, TypeError) as exc:
        raise StorageError.of(
            "not-public", f"{shown(url)} can't be downloaded: {exc}.", hint=_HINT
        ) from exc


def _size_of_whole(content_range: str, offset: int) -> int:
    """Return the size that a Content-Range names; raises ValueError for another range."""
    found = _CONTENT_RANGE.fullmatch(content_range)
    if found is None or int(found[1]) != offset:
        raise ValueError(f"asked from byte {offset}, it sends the range {content_range!r}")
    return int(found[2])


def _skip(response: HTTPResponse, count: int, url: str) -> None:
    """Read what comes before the range, where the server sends the whole: a little, not GiBs."""
    if count > _MOST_SKIPPED:
        raise StorageError.of(
            "ranges-ignored",
            f"{shown(url)} can't be read by ranges: asked from byte {count}, the server sends all.",
            hint="Let the server, or the CDN before the bucket, answer requests with a Range.",
        )
    while count > 0 and (block := response.read(min(count, _BLOCK))):
        count -= len(block)


def _differs(url: str, how: str) -> Exception:
    return StorageError.of(
        "published-differs",
        f"What lies at {shown(url)} is not what was published: {how}.",
        hint="Something replaced it, or a proxy changes it on the way. Remove it and apply again.",
    )
