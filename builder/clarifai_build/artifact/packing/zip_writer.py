"""Artifact to a file: read once, hashed beside the writing, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.block_stream import stream_blocks
from clarifai_build.artifact.packing.disk_writer import writers
from clarifai_build.artifact.packing.output_files import Outputs
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.progress import ProgressCallback, no_progress

Records = Callable[[Artifact, str], Mapping[str, "bytes | Iterable[bytes] | None"]]
"""From an artifact and its zip's SHA-256: what lies beside the zip, as `Outputs.put` takes it."""


def no_records(_artifact: Artifact, _sha256: str) -> Mapping[str, bytes | None]:
    """Leave whatever lies beside the zip."""
    return {}


class WrittenZip(NamedTuple):
    """A zip on disk: the digest of what it holds, and the SHA-256 of the file itself."""

    path: Path
    artifact_digest: str
    sha256: str
    size: int


def write_zip(
    artifact: Artifact,
    target: Path,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    records: Records = no_records,
    *,
    cancel: CancelToken = NEVER,
) -> WrittenZip:
    """Write the zip to `target`, and its records; it is hashed unless its SHA-256 is known.

    All or nothing; raises ArtifactError where that can't be, SourceError as `stream_blocks` does.
    """
    known = cache.zip_sha256(artifact.digest)
    sha256 = hashlib.sha256()
    with Outputs(target) as outputs:
        consumers = writers(outputs.open(), artifact.size)
        if known is None:
            consumers.append(lambda block: sha256.update(block.data))
        stream_blocks(artifact, consumers, progress, cancel=cancel)
        return finish(outputs, artifact, known or sha256.hexdigest(), cache, records)


def finish(
    outputs: Outputs, artifact: Artifact, sha256: str, cache: DigestCache, records: Records
) -> WrittenZip:
    """Write the records of a zip that was written, and keep its SHA-256."""
    for suffix, data in records(artifact, sha256).items():
        outputs.put(suffix, data)
    cache.keep_zip_sha256(artifact.digest, sha256)
    return WrittenZip(outputs.named, artifact.digest, sha256, artifact.size)
