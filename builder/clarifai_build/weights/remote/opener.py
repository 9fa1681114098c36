"""Opens an address by its scheme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clarifai_build.weights.remote.stream import Remote

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Storage


def open_remote(
    url: str, offset: int, storage: Storage | None, environ: Mapping[str, str]
) -> Remote:
    """Open `url` at `offset`.

    Now, and while the blocks are read, a transient failure is a ConnectionError, whose text may be
    shown, and any other a SourceError.
    """
    scheme = url.partition("://")[0].lower()
    if scheme == "s3":
        from clarifai_build.weights.remote.s3 import open_s3

        return open_s3(url, offset, storage, environ)
    if scheme in ("http", "https"):
        from clarifai_build.weights.remote.http import open_web

        return open_web(url, offset)
    from clarifai_build.weights.remote.hubs import open_other

    return open_other(url, offset, environ)
