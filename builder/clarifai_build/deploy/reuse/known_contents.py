"""What is known of contents that are not here: by the lock, by records of zips, and of weights.

What the lock or a record says is never more than a guess at a size and CRC-32s for the SHA-256 that
a manifest pins: a wrong size gives another digest, and so a needless upload at worst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from clarifai_build.progress import ProgressCallback, no_progress

# Imported where something is missing, too: nearly always, nothing is.
if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.artifact.contents_record import ContentsRecord
    from clarifai_build.digests.known import KnownContent
    from clarifai_build.manifest.types import Manifest
    from clarifai_build.registry import ModelRegistry, RemoteVersion
    from clarifai_build.storage import ObjectStore, StoredObject
    from clarifai_build.storage.upload.copy_sources import CopySource
    from clarifai_build.storage.weight_records import WeightRecords

_MOST_RECORDS = 3
"""Records that are read, of the newest artifacts: an older one rarely holds what they do not."""


class KnownByRecords:
    """Asked for a content by its SHA-256; connects to nothing before it is.

    `store` opens the manifest's bucket, `weights` the records of weights in it.
    """

    def __init__(
        self,
        manifest: Manifest,
        store: Callable[[], ObjectStore],
        weights: Callable[[], WeightRecords],
        registry: ModelRegistry,
        progress: ProgressCallback = no_progress,
    ) -> None:
        self._manifest, self._registry, self._progress = manifest, registry, progress
        self._open, self._open_weights = store, weights
        self._known: dict[str, KnownContent] = {}
        self._read: dict[str, ContentsRecord | None] = {}
        self._unread = islice(self._records(), _MOST_RECORDS)

    def __call__(self, sha256: str) -> KnownContent | None:
        """Return what is known of a content, or None."""
        if sha256 in self._locked:
            return self._locked[sha256]
        while sha256 not in self._known:
            try:
                record = next(self._unread)
            except StopIteration:
                return self.weights.known(sha256)
            if record is not None:
                self._take(record)
        return self._known[sha256]

    def weight_sources(self, artifact: Artifact) -> list[CopySource]:
        """Return the objects of the store that each hold a weight of an artifact."""
        weights = self._manifest.weights
        found = self.weights.find_all(weights, artifact) if weights else []
        return [stored.source for stored in found]

    def settle_weights(self, artifact: Artifact) -> None:
        """Put on record what this machine has read of the weights: for who publishes them."""
        if self._manifest.weights:
            self.weights.settle(self._manifest.weights, artifact, self._progress)

    def is_registered(self, artifact_digest: str) -> bool:
        """Return whether a version of the model has this artifact."""
        return any(version.artifact_digest == artifact_digest for version in self._versions)

    def lacks_record(self, zip_key: str, stored: StoredObject | None) -> bool:
        """Return whether a record was looked for, and is not that of what lies at the key now."""
        if stored is None or zip_key not in self._read:
            return False
        record = self._read[zip_key]
        return record is None or record.etag != stored.etag

    @cached_property
    def _locked(self) -> Mapping[str, KnownContent]:
        from clarifai_build.provenance import lock

        found = lock.read(lock.path_of(self._manifest))
        return found.contents if found else {}

    @cached_property
    def weights(self) -> WeightRecords:
        """The records of weights, which are kept as they were when first asked."""
        return self._open_weights()

    @cached_property
    def _versions(self) -> tuple[RemoteVersion, ...]:
        from clarifai_build.deploy.versions import built

        return built(self._registry.versions(self._manifest.model.id))

    def _records(self) -> Iterator[ContentsRecord | None]:
        """Read the record of each artifact that was published, the newest first."""
        from clarifai_build.deploy.versions import zips_of
        from clarifai_build.provenance import published_contents

        store = self._open()
        for digest, key in zips_of(self._versions, self._manifest).items():
            record = published_contents.read(store, key, digest, self._progress)
            self._read[key] = record
            yield record

    def _take(self, record: ContentsRecord) -> None:
        from clarifai_build.digests.known import KnownContent

        for entry in record.tree.entries:
            known = KnownContent(entry.sha256, entry.size, entry.chunks)
            self._known.setdefault(entry.sha256, known)
