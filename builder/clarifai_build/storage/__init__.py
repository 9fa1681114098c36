"""Where artifacts are kept: the `ObjectStore` protocol, and its S3 implementation in `s3_store`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import StorageError
from clarifai_build.progress import ProgressCallback, no_progress

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.storage.upload.copy_sources import CopySource


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object: size in bytes, ETag, and its user metadata.

    `crc32` is that of the whole content as eight hex digits, where the store keeps it.
    """

    key: str
    size: int
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    crc32: str = ""

    def is_still(self, size: int, etag: str) -> bool:
        """Return whether it is as it was when it had this size and ETag, quoted or not."""
        return (self.size, self.etag.strip('"')) == (size, etag.strip('"'))


@dataclass(frozen=True, slots=True)
class SmallObject:
    """A few bytes with their ETag, and how many seconds ago they were written.

    The age is by the store's own clock: those of the machines that share the store may differ.
    """

    body: bytes
    etag: str
    age: float


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object in a listing: its size in bytes, and its age in seconds by the store's clock."""

    key: str
    size: int
    age: float


def is_proven(stored: StoredObject, artifact: Artifact) -> bool:
    """Return whether an object is an artifact by the store's own checksum; reads no content.

    False where the store keeps none, or where the CRC-32s of absent content are not known.
    """
    is_laid_out = not artifact.missing or (artifact.has_sums and artifact.encoder is None)
    return is_laid_out and stored.crc32 == f"{artifact.crc32(0, artifact.size):08x}"


SentCallback = Callable[[int], None]
"""Told how many bytes of an artifact the store has by now: 0 as an upload begins."""


def ignore_sent(_sent: int) -> None:
    """Follow no upload."""


class ObjectStore(Protocol):
    """A bucket under a prefix. Keys are full keys, prefix included; errors are `StorageError`."""

    def stat(self, key: str) -> StoredObject | None:
        """Return what lies at `key`, or None."""

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
        """Store the artifact at `key`, all or nothing; the same object there already stays.

        What lies in `sources` may be copied at the store. Raises AbsentContentError where content
        has to be sent that is not on this machine: with it, the next call goes on.
        `sent` may be called by several threads at once, and not in order.
        """

    def url(self, key: str) -> str:
        """Return the URL under which an anonymous client downloads `key`."""

    def get(self, key: str) -> SmallObject | None:
        """Return what lies at `key`, or None."""

    def start_of(self, key: str, length: int) -> bytes | None:
        """Return the first bytes of what lies at `key`, `length` at the most, or None.

        Of what everyone may read, they are those that an anonymous client is sent.
        """

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a range of what lies at `key`; raises StorageError where nothing does."""

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        """Store `body` where the ETag `replaces` lies, or where nothing lies for None.

        Returns the new ETag, or None where something else lies. A store that can't tell either
        ignores the condition or raises ConditionalWritesUnsupportedError.
        """

    def write(self, key: str, body: bytes) -> None:
        """Store `body` at `key`, whatever lies there."""

    def find(self, prefix: str) -> Iterator[FoundObject]:
        """Yield every object whose key begins with `prefix`, by key."""

    def delete(self, key: str, etag: str | None = None) -> bool:
        """Remove `key`, or only this ETag of it; say whether it is gone."""


def stat_existing(store: ObjectStore, key: str) -> StoredObject:
    """Return what lies at a key; raises StorageError where that is nothing."""
    stored = store.stat(key)
    if stored is None:
        raise StorageError.of(
            "object-gone",
            f"{key} is gone from the bucket",
            hint="`clarifai-build apply` at the commit of that version publishes it again",
        )
    return stored
