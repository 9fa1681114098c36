"""Artifact to a file: read once, hashed beside the writing, all or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from clarifai_build.archive import Artifact
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.pour import WORTH_THREADS, Block, Sink, pour
from clarifai_build.problem import ArtifactError
from clarifai_build.progress import Listener, silent

_CANT_RESERVE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


class WrittenZip(NamedTuple):
    """A zip on disk: the digest of what it holds, and the SHA-256 of the file itself."""

    path: Path
    digest: str
    sha256: str
    size: int


def write_zip(
    artifact: Artifact, target: Path, listen: Listener = silent, cache: DigestCache = NO_CACHE
) -> WrittenZip:
    """Write the zip to `target`, all or nothing; it is hashed unless its SHA-256 is known."""
    digest = artifact.digest
    known = cache.zip_sha256(digest)
    sha256 = hashlib.sha256()
    with whole_or_nothing(target) as descriptor:
        sinks = [writer(descriptor, artifact.size)]
        if known is None:
            sinks.append(lambda block: sha256.update(block.data))
        pour(artifact, sinks, listen)
    if known is None:
        known = sha256.hexdigest()
        cache.keep_zip_sha256(digest, known)
    return WrittenZip(target, digest, known, artifact.size)


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


@contextmanager
def whole_or_nothing(target: Path) -> Iterator[int]:
    """Give a file beside `target` to write to, which takes its place when all went well."""
    # tempfile's import alone takes as long as packing a hundred files.
    partial = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.chmod(0o644)
        partial.replace(target)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    finally:
        partial.unlink(missing_ok=True)


def _unwritable(target: Path, exc: OSError) -> ArtifactError:
    return ArtifactError.of(
        "unwritable", f"{target} can't be written: {exc.strerror}", file=str(target)
    )
