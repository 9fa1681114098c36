"""Weights from S3-compatible stores: that of the manifest, else AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as Unreachable
from urllib3.exceptions import HTTPError

from clarifai_build.errors import BuilderError, SourceError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.errors import answer, cause, is_transient
from clarifai_build.net.s3_access import head_object
from clarifai_build.net.s3_client import access_to
from clarifai_build.net.s3_endpoints import normal_endpoint
from clarifai_build.net.s3_failures import described, is_about_credentials, is_librarys
from clarifai_build.util.redaction import masked
from clarifai_build.weights.remote.stream import Remote, refused
from clarifai_build.weights.source_object import SourceObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody

# Bytes that are lost at most when the connection breaks.
_BLOCK = 256 << 10
_RETRIES = 2  # botocore's own, in each attempt of the fetcher
# Not by status alone: RequestTimeout comes with 400.
_PASSING_CODES = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable"})
_PASSING = (Unreachable, HTTPClientError, IncompleteReadError, HTTPError)
_FAILURES = (BotoCoreError, HTTPError, OSError)


def open_s3(url: str, offset: int, storage: Storage | None, environ: Mapping[str, str]) -> Remote:
    """Open an object at an offset."""
    bucket, _, key = url.partition("://")[2].partition("/")
    here = replace(storage, bucket=bucket) if storage else Storage(bucket)
    try:
        access = access_to(here, environ, _RETRIES)
        place = (normal_endpoint(here, environ), bucket, key)
        head = head_object(access, bucket, key)
        size = head["ContentLength"]
        # A range that begins at the end is an error, 416.
        if offset >= size:
            return Remote(size, iter(()), _source(place, head))
        answer = access.client.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-")
    except ClientError as exc:
        raise _answered(url, exc) from exc
    except Exception as exc:
        if isinstance(exc, BuilderError) or not _is_foreign(exc):
            raise
        raise _failed(url, exc) from exc
    # Of the body itself: the object may have been replaced since HEAD was answered.
    return Remote(size, _read(url, answer["Body"]), _source(place, answer))


def _source(place: tuple[str, str, str], told: Mapping[str, Any]) -> SourceObject | None:
    """Return the object that an answer is about; a weak ETag stands for more than one content."""
    etag = str(told.get("ETag") or "")
    version = str(told.get("VersionId") or "")
    if not etag.strip('"') or etag.startswith("W/"):
        return None
    return SourceObject(*place, etag.strip('"'), "" if version == "null" else version)


def _read(url: str, body: StreamingBody) -> Iterator[bytes]:
    with closing(body):
        try:
            while block := body.read(_BLOCK):
                yield block
        except _FAILURES as exc:
            raise _failed(url, exc) from exc


def _answered(url: str, exc: ClientError) -> SourceError | ConnectionError:
    status = exc.response["ResponseMetadata"]["HTTPStatusCode"]
    code = masked(exc.response["Error"].get("Code", "")) or str(status)
    why = answer(int(code)) if code.isdecimal() else code
    if code in _PASSING_CODES or is_transient(status):
        return ConnectionError(f"the store answers {why}")
    return refused(url, why)


def _is_foreign(exc: Exception) -> bool:
    return isinstance(exc, _FAILURES) or is_librarys(exc)


def _failed(url: str, exc: Exception) -> SourceError | ConnectionError:
    what, hint = described(exc)
    if is_about_credentials(exc):
        return refused(url, f"there are no credentials for it: {what}", hint)
    if not isinstance(exc, BotoCoreError):
        what = cause(exc)
        return ConnectionError(what) if isinstance(exc, _PASSING) else refused(url, what)
    return ConnectionError(what) if isinstance(exc, _PASSING) else refused(url, what, hint)
