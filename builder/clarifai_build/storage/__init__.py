"""Where artifacts are kept: the `ObjectStore` protocol, and its S3 implementation in `s3`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clarifai_build.progress import Listener, silent

if TYPE_CHECKING:
    from clarifai_build.archive import Artifact


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object: size in bytes, ETag, and its user metadata."""

    key: str
    size: int
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """A bucket under a prefix. Keys are full keys, prefix included; errors are `StorageError`."""

    def stat(self, key: str) -> StoredObject | None:
        """Return what lies at `key`, or None."""

    def put_artifact(
        self, key: str, artifact: Artifact, metadata: dict[str, str], listen: Listener = silent
    ) -> StoredObject:
        """Store the artifact at `key`, all or nothing; an object that is there already stays."""

    def url(self, key: str) -> str:
        """Return the URL under which a stranger downloads `key`."""
