"""Artifact to a file: read once, hashed beside the writing, all or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from clarifai_build.archive import Artifact
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.outputs import Outputs
from clarifai_build.pour import WORTH_THREADS, Block, Sink, pour
from clarifai_build.progress import Listener, silent

_CANT_RESERVE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


Records = Callable[[Artifact, str], Mapping[str, "bytes | None"]]
"""From an artifact and its zip's SHA-256: what lies beside the zip, by suffix; None for nothing."""


def no_records(_artifact: Artifact, _sha256: str) -> Mapping[str, bytes | None]:
    """Leave whatever lies beside the zip."""
    return {}


class WrittenZip(NamedTuple):
    """A zip on disk: the digest of what it holds, and the SHA-256 of the file itself."""

    path: Path
    digest: str
    sha256: str
    size: int


def write_zip(
    artifact: Artifact,
    target: Path,
    listen: Listener = silent,
    cache: DigestCache = NO_CACHE,
    records: Records = no_records,
) -> WrittenZip:
    """Write the zip to `target`, and its records; it is hashed unless its SHA-256 is known.

    All or nothing; raises ArtifactError where that can't be, SourceError as `pour` does.
    """
    known = cache.zip_sha256(artifact.digest)
    sha256 = hashlib.sha256()
    with Outputs(target) as outputs:
        sinks = [writer(outputs.open(), artifact.size)]
        if known is None:
            sinks.append(lambda block: sha256.update(block.data))
        pour(artifact, sinks, listen)
        return finish(outputs, artifact, known or sha256.hexdigest(), cache, records)


def finish(
    outputs: Outputs, artifact: Artifact, sha256: str, cache: DigestCache, records: Records
) -> WrittenZip:
    """Write the records of a zip that was poured, and keep its SHA-256."""
    for suffix, data in records(artifact, sha256).items():
        outputs.put(suffix, data)
    cache.keep_zip_sha256(artifact.digest, sha256)
    return WrittenZip(outputs.named, artifact.digest, sha256, artifact.size)


def writer(descriptor: int, size: int) -> Sink:
    """Return what writes block after block to a file that will have `size` bytes.

    Not by copy_file_range or sendfile: content does not lie in a zip as it lies in the pages of its
    source, and then the kernel copies page by page, which takes half as long again.
    """
    _preallocate(descriptor, size)

    def write(block: Block) -> None:
        done = 0
        while done < len(block.data):
            done += os.write(descriptor, block.data[done:])
        _start_writing_back(descriptor, block.offset, done)

    return write


def _preallocate(descriptor: int, size: int) -> None:
    """Reserve the space of a large file: a full disk is found out before an hour's copying."""
    if not hasattr(os, "posix_fallocate") or size < WORTH_THREADS:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as exc:
        if exc.errno not in _CANT_RESERVE:
            raise


def _start_writing_back(descriptor: int, offset: int, count: int) -> None:
    """Let the disk begin while the copy goes on, so that the fsync at the end has little to do."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, count, os.POSIX_FADV_DONTNEED)
