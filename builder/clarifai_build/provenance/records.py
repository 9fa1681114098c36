"""The records beside a zip: its provenance, and its SBOM where there is a lock.

In a bucket they are written once, by the first apply that publishes the zip; their digests stand
in the metadata of every version that uses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import ConditionalWritesUnsupportedError, StorageError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance.lock import Lock
from clarifai_build.provenance.statement import statement_of, statement_parts
from clarifai_build.provenance.statement_document import (
    artifact_digest_of,
    subject_of,
    tree_of,
    with_sha256,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.source.build_records import PROVENANCE, SBOM
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.keys import provenance_key, sbom_key


@dataclass(frozen=True, slots=True)
class Records:
    """The SHA-256s of a zip, its provenance and its SBOM: goes into a version's metadata.

    The zip's is empty where nobody knows it yet.
    """

    sha256: str
    provenance: str
    sbom: str = ""

    def add_to(self, metadata: VersionMetadata) -> VersionMetadata:
        """Return the metadata of a version with these."""
        return replace(
            metadata, sha256=self.sha256 or None, provenance=self.provenance, sbom=self.sbom
        )


def publish(
    store: ObjectStore, key: str, manifest: Manifest, artifact: Artifact, sha256: str
) -> Records:
    """Write the records of the zip at `key`, unless they are there, and return their digests.

    `sha256` is the zip's; where it is empty, what lies there of the same artifact is taken.
    """
    lock = locks.read(locks.path_of(manifest))
    sbom = _sbom(manifest, lock)
    # Before the provenance, which names its digest.
    if sbom is not None:
        sbom = _put(store, sbom_key(key), sbom, None)
    at = provenance_key(key)
    found = store.get(at)
    if found is not None and _is_about(found.body, artifact, sha256):
        return Records(sha256, _sha256(found.body), _sha256(sbom) if sbom else "")
    if found is not None and tree_of(found.body) == artifact.digest:
        statement = with_sha256(found.body, sha256)
    else:
        statement = statement_of(manifest, artifact, sha256, lock, sbom)
    statement = _put(store, at, statement, found.etag if found else None)
    return Records(sha256, _sha256(statement), _sha256(sbom) if sbom else "")


def fill_in(store: ObjectStore, key: str, sha256: str) -> bool:
    """Write the SHA-256 of the zip at `key` into its provenance, if that names the tree in its
    place; say whether it was written."""
    at = provenance_key(key)
    found = store.get(at)
    if found is None or not tree_of(found.body):
        return False
    filled = with_sha256(found.body, sha256)
    return _put(store, at, filled, found.etag) == filled


def _is_about(body: bytes, artifact: Artifact, sha256: str) -> bool:
    if sha256:
        return subject_of(body) == sha256
    return artifact_digest_of(body) == artifact.digest


def beside(
    manifest: Manifest,
    artifact: Artifact,
    sha256: str,
    progress: ProgressCallback = no_progress,
) -> dict[str, bytes | Iterable[bytes] | None]:
    """Return what lies beside a zip on disk, by suffix; None where nothing does."""
    lock = locks.read(locks.path_of(manifest))
    sbom = _sbom(manifest, lock)
    statement = statement_parts(manifest, artifact, sha256, lock, sbom, progress)
    return {PROVENANCE: statement, SBOM: sbom}


def _sbom(manifest: Manifest, lock: Lock | None) -> bytes | None:
    if lock is None or lock.requirements is None:
        return None
    from clarifai_build.provenance.sbom import sbom_of

    return sbom_of(manifest, lock)


def _put(store: ObjectStore, key: str, body: bytes, replaces: str | None) -> bytes:
    """Store `body` where `replaces` lies, or nothing; return what lies there afterwards."""
    try:
        if store.put_if(key, body, replaces) is not None:
            return body
    except ConditionalWritesUnsupportedError:
        store.write(key, body)
        return body
    found = store.get(key)
    if found is None:
        raise StorageError.of(
            "records-unstable",
            f"{key} vanished while it was written",
            hint="apply again; if it goes on, see what else removes objects of this bucket",
        )
    return found.body


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
