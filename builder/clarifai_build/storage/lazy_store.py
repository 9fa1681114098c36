"""A store that stays anonymous for as long as it can.

Looking at an object that everyone may read needs neither credentials nor boto3, which takes longer
to load than everything else that an apply with nothing to do needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.net.s3_endpoints import endpoint_of, plain_url, region_of
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.storage import (
    FoundObject,
    ObjectStore,
    SentCallback,
    SmallObject,
    StoredObject,
    ignore_sent,
)
from clarifai_build.storage.anonymous import look_at, read_start, url_before

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.manifest.types import Storage
    from clarifai_build.storage.s3_store import S3Store
    from clarifai_build.storage.upload.copy_sources import CopySource


class LazyStore:
    """A bucket whose objects are public: S3 itself is opened when more is needed."""

    def __init__(self, storage: Storage, environ: Mapping[str, str]) -> None:
        self._storage = storage
        self._environ = environ
        self._opened: S3Store | None = None

    def stat(self, key: str) -> StoredObject | None:
        """Return what lies at `key`. Only what is seen anonymously is taken from that view:
        a cache on the way may be stale, and a bucket may hide that an object is absent."""
        seen = None if self._opened else look_at(self._own_url(key), key)
        return seen or self._s3.stat(key)

    def put_artifact(
        self,
        key: str,
        artifact: Artifact,
        metadata: dict[str, str],
        progress: ProgressCallback = no_progress,
        *,
        sent: SentCallback = ignore_sent,
        cancel: CancelToken = NEVER,
        sources: Sequence[CopySource] = (),
    ) -> StoredObject:
        """Store the artifact at `key`, all or nothing; the same object there already stays."""
        return self._s3.put_artifact(
            key, artifact, metadata, progress, sent=sent, cancel=cancel, sources=sources
        )

    def url(self, key: str) -> str:
        """Return the URL under which an anonymous client downloads `key`."""
        base = self._storage.public_base_url
        return url_before(base, key) if base else self._own_url(key)

    def _own_url(self, key: str) -> str:
        """Return the store's own URL: a CDN before it would keep that something is not there."""
        storage, environ = self._storage, self._environ
        if self._opened is None and (url := plain_url(storage, environ, key)):
            return url
        if self._opened is None and (storage.endpoint_url or region_of(storage, environ)):
            from clarifai_build.storage.s3_store import unsigned_url

            return unsigned_url(storage, environ, key)
        # Once it was asked, the store may have told another region.
        return self._s3.own_url(key)

    def get(self, key: str) -> SmallObject | None:
        """Return what lies at `key`, or None."""
        return self._s3.get(key)

    def start_of(self, key: str, length: int) -> bytes | None:
        """Return the first bytes of what lies at `key`, as an anonymous client sees them if it can.

        What it does not see may be there all the same, as with `stat`.
        """
        seen = None if self._opened else read_start(self._own_url(key), length)
        return self._s3.start_of(key, length) if seen is None else seen

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a range of what lies at `key`; raises StorageError where nothing does."""
        return self._s3.read(key, offset, length)

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        """Store `body` where the ETag `replaces` lies, or where nothing lies for None."""
        return self._s3.put_if(key, body, replaces)

    def write(self, key: str, body: bytes) -> None:
        """Store `body` at `key`, whatever lies there."""
        self._s3.write(key, body)

    def find(self, prefix: str) -> Iterator[FoundObject]:
        """Yield every object whose key begins with `prefix`, by key."""
        return self._s3.find(prefix)

    def delete(self, key: str, etag: str | None = None) -> bool:
        """Remove `key`, or only this ETag of it; say whether it is gone."""
        return self._s3.delete(key, etag)

    @property
    def _s3(self) -> S3Store:
        if self._opened is None:
            from clarifai_build.storage.s3_store import open_store

            self._opened = open_store(self._storage, self._environ)
        return self._opened


def connect(storage: Storage, environ: Mapping[str, str]) -> ObjectStore:
    """Return the store that the manifest and the environment name; nothing is sent yet."""
    storage = replace(storage, endpoint_url=endpoint_of(storage, environ))
    if storage.access == "presigned":
        from clarifai_build.storage.s3_store import open_store

        return open_store(storage, environ)
    return LazyStore(storage, environ)
