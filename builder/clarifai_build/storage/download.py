"""Proof that a stranger can download what was published: the platform has no credentials."""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, build_opener

from clarifai_build.archive import Artifact
from clarifai_build.problem import StorageError

_SAMPLE = 64 << 10
_TIMEOUT = 30.0
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
    request = Request(url, headers={"Range": f"bytes={offset}-{offset + length - 1}"})
    try:
        with build_opener().open(request, timeout=_TIMEOUT) as response:
            if response.status == 206:
                size = int(response.headers["Content-Range"].rpartition("/")[2])
                return response.read(length), size
            response.read(offset)
            return response.read(length), int(response.headers["Content-Length"])
    except HTTPError as exc:
        raise StorageError.of(
            "not-public", f"{_bare(url)} answers {exc.code} {exc.reason}.", hint=_HINT
        ) from exc
    except (OSError, HTTPException, ValueError, TypeError) as exc:
        raise StorageError.of(
            "not-public", f"{_bare(url)} can't be downloaded: {exc}.", hint=_HINT
        ) from exc


def _differs(url: str, how: str) -> Exception:
    return StorageError.of(
        "published-differs",
        f"What lies at {_bare(url)} is not what was published: {how}.",
        hint="Something replaced it, or a proxy changes it on the way. Remove it and apply again.",
    )


def _bare(url: str) -> str:
    """Return the URL without its query, which may be a signature."""
    return url.partition("?")[0]
