"""Where weights come from: s3://, http(s):// and, through fsspec, hf://, each from any offset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from clarifai_build.addresses import is_plain, shown
from clarifai_build.problem import SourceError
from clarifai_build.tokens import masked

if TYPE_CHECKING:
    from clarifai_build.manifest import Storage

_BLOCK = 1 << 20
_TIMEOUT = 60.0
_MISSING = frozenset({401, 403, 404, 410})


class Remote(NamedTuple):
    """The bytes of a file from an offset on, and the size of the whole where it is known."""

    size: int | None
    blocks: Iterator[bytes]


def open_remote(
    url: str, offset: int, storage: Storage | None, environ: Mapping[str, str]
) -> Remote:
    """Open `url` at `offset`; what is worth another attempt is an OSError, else a SourceError."""
    scheme = url.partition("://")[0].lower()
    if scheme == "s3":
        return _open_s3(url, offset, storage, environ)
    if scheme in ("http", "https"):
        return _open_http(url, offset)
    return _open_fsspec(url, offset)


def _open_s3(url: str, offset: int, storage: Storage | None, environ: Mapping[str, str]) -> Remote:
    from botocore.exceptions import BotoCoreError, ClientError

    from clarifai_build.manifest import Storage
    from clarifai_build.storage.client import connect

    bucket, _, key = url.removeprefix("s3://").partition("/")
    here = replace(storage, bucket=bucket) if storage else Storage(bucket)
    try:
        client = connect(here, environ)
        size = client.head_object(Bucket=bucket, Key=key)["ContentLength"]
        if offset >= size:
            return Remote(size, iter(()))
        body = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-")["Body"]
    except ClientError as exc:
        raise _refused(url, exc.response["Error"]["Code"]) from exc
    except BotoCoreError as exc:
        raise ConnectionError(masked(str(exc))) from exc
    return Remote(size, _read(body))


def _open_http(url: str, offset: int) -> Remote:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if not is_plain(url):
        raise _refused(url, "the address can't be read, or holds a user")
    try:
        response = urlopen(
            Request(url, headers={"Range": f"bytes={offset}-"} if offset else {}), timeout=_TIMEOUT
        )
    except HTTPError as exc:
        if exc.code == 416:
            return Remote(None, iter(()))
        if exc.code in _MISSING:
            raise _refused(url, f"{exc.code} {exc.reason}") from exc
        raise
    length = response.headers.get("Content-Length")
    size = int(length) if length else None
    if response.status == 206:
        return Remote(None if size is None else size + offset, _read(response))
    _skip(response, offset)
    return Remote(size, _read(response))


def _open_fsspec(url: str, offset: int) -> Remote:
    try:
        from fsspec.core import url_to_fs
    except ImportError as exc:
        raise _needs_extra(url) from exc
    try:
        files, path = url_to_fs(url)
        size = files.info(path)["size"]
        return Remote(size, _read_from(files, path, offset))
    except ImportError as exc:
        raise _needs_extra(url) from exc
    except FileNotFoundError as exc:
        raise _refused(url, "no such file") from exc


def _read_from(files: Any, path: str, offset: int) -> Iterator[bytes]:
    with files.open(path, "rb", block_size=8 << 20) as stream:
        stream.seek(offset)
        yield from _read(stream)


def _read(stream: Any) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _skip(stream: Any, count: int) -> None:
    """Read over what is there already, of a server that does not know ranges."""
    while count and (block := stream.read(min(count, _BLOCK))):
        count -= len(block)


def _refused(url: str, why: str) -> SourceError:
    return SourceError.of(
        "weight-refused",
        f"the weight {shown(url)} can't be fetched: {why}",
        file=shown(url),
        hint="check the address, and that your credentials may read it",
    )


def _needs_extra(url: str) -> SourceError:
    return SourceError.of(
        "weight-source",
        f"fetching {shown(url)} needs packages that are not installed",
        file=shown(url),
        hint="pip install 'clarifai-build[hf]'",
    )
