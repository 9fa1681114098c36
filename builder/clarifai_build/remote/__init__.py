"""Where weights come from: s3://, http(s):// and, through fsspec, hf://, each from any offset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.addresses import shown
from clarifai_build.problem import SourceError

if TYPE_CHECKING:
    from clarifai_build.manifest import Storage

BLOCK = 1 << 20


class Remote(NamedTuple):
    """The bytes of a file from an offset on, and the size of the whole where it is known."""

    size: int | None
    blocks: Iterator[bytes]


def open_remote(
    url: str, offset: int, storage: Storage | None, environ: Mapping[str, str]
) -> Remote:
    """Open `url` at `offset`.

    Now, and while the blocks are read, what may pass is a ConnectionError, whose text may be shown,
    and all else a SourceError.
    """
    scheme = url.partition("://")[0].lower()
    if scheme == "s3":
        from clarifai_build.remote.s3 import open_s3

        return open_s3(url, offset, storage, environ)
    if scheme in ("http", "https"):
        from clarifai_build.remote.web import open_web

        return open_web(url, offset)
    from clarifai_build.remote.others import open_other

    return open_other(url, offset)


def refused(
    url: str, why: str, hint: str = "check the address, and that your credentials may read it"
) -> SourceError:
    """Return what to say of a weight that no other attempt would fetch either."""
    message = f"the weight {shown(url)} can't be fetched: {why}"
    return SourceError.of("weight-refused", message, file=shown(url), hint=hint)
