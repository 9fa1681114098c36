"""What an anonymous client sees of a bucket: addresses, and what lies there."""

from __future__ import annotations

import base64
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

from clarifai_build.errors import NotPublicError
from clarifai_build.net.web import web_opener
from clarifai_build.storage import StoredObject
from clarifai_build.storage.public_download import fetch_range

# Seconds. A slow answer costs little: the store itself is asked then.
_TIMEOUT = 15.0
_META = "x-amz-meta-"


def url_before(base: str, key: str) -> str:
    """Return the URL of an object behind a CDN or web server."""
    return f"{base.rstrip('/')}/{quote(key)}"


def look_at(url: str, key: str) -> StoredObject | None:
    """Return what an anonymous client sees at `url`; None for nothing, or where that is unknown."""
    try:
        # S3 leaves checksums out of its answers unless they are asked for.
        request = Request(url, method="HEAD", headers={"x-amz-checksum-mode": "ENABLED"})
        with web_opener().open(request, timeout=_TIMEOUT) as answer:
            headers = answer.headers
            return StoredObject(
                key,
                int(headers["Content-Length"]),
                headers.get("ETag", "").strip('"'),
                {
                    name.lower().removeprefix(_META): value
                    for name, value in headers.items()
                    if name.lower().startswith(_META)
                },
                crc_hex(headers.get("x-amz-checksum-crc32", "")),
            )
    except (HTTPError, OSError, HTTPException, ValueError, TypeError):
        return None


def read_start(url: str, length: int) -> bytes | None:
    """Return the first bytes that an anonymous client is sent, `length` at the most.

    None for nothing, for an answer that breaks off, or where that is unknown.
    """
    try:
        with web_opener().open(Request(url), timeout=_TIMEOUT) as answer:
            expected = min(length, int(answer.headers["Content-Length"]))
            body: bytes = answer.read(expected)
            return body if len(body) == expected else None
    except (HTTPError, OSError, HTTPException, ValueError, TypeError):
        return None


def crc_hex(encoded: str) -> str:
    """Return a CRC-32 as eight hex digits from the way S3 writes it, and "" from anything else.

    The checksum of a multipart upload's part checksums, which ends in "-N", says nothing of the
    content.
    """
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        return ""
    return decoded.hex() if len(decoded) == 4 else ""


def download(url: str) -> bytes | None:
    """Return all that an anonymous client downloads, or None where it finds nothing."""
    try:
        size = fetch_range(url, 0, 1)[1]
        return fetch_range(url, 0, size)[0]
    except NotPublicError:
        return None
