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
from clarifai_build.problem import ArtifactError
from clarifai_build.progress import Event, Listener, silent

_SMALL = 256 << 10
_WORTH_A_THREAD = 8 << 20
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
    blocks = _gathered(artifact) if known else _hashed(_gathered(artifact), artifact.size, sha256)
    with whole_or_nothing(target) as descriptor:
        _copy(blocks, artifact.size, descriptor, listen)
    if known is None:
        known = sha256.hexdigest()
        cache.keep_zip_sha256(digest, known)
    return WrittenZip(target, digest, known, artifact.size)


def _gathered(artifact: Artifact) -> Iterator[bytes]:
    """Yield the zip in blocks of which none is small: headers and small files come together."""
    small = bytearray()
    for block in artifact.blocks(0, artifact.size):
        if len(block) < _SMALL:
            small += block
        if small and (len(block) >= _SMALL or len(small) >= _SMALL):
            yield bytes(small)
            small.clear()
        if len(block) >= _SMALL:
            yield block
    yield bytes(small)


def _hashed(blocks: Iterator[bytes], size: int, sha256: hashlib._Hash) -> Iterator[bytes]:
    """Pass blocks on; where it pays, a second thread hashes each while it is written."""
    if size < _WORTH_A_THREAD:
        for block in blocks:
            sha256.update(block)
            yield block
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        for block in blocks:
            hashed = pool.submit(sha256.update, block)
            yield block
            hashed.result()


def _copy(blocks: Iterator[bytes], size: int, descriptor: int, listen: Listener) -> None:
    # By read and write: content begins anywhere in a zip, and where it does not lie as in its
    # source, copy_file_range goes page by page, and takes half as long again.
    preallocate(descriptor, size)
    done = 0
    for block in blocks:
        count = write_all(descriptor, block)
        start_writing_back(descriptor, done, count)
        done += count
        listen(Event("zip", "running", done=done, total=size))


def preallocate(descriptor: int, size: int) -> None:
    """Reserve the space of a large file: a full disk is found out before an hour's copying."""
    if not hasattr(os, "posix_fallocate") or size < _WORTH_A_THREAD:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as exc:
        if exc.errno not in _CANT_RESERVE:
            raise


def write_all(descriptor: int, data: bytes | bytearray) -> int:
    """Write all of `data`, and return how much that is."""
    with memoryview(data) as view:
        done = 0
        while done < len(view):
            done += os.write(descriptor, view[done:])
    return done


def start_writing_back(descriptor: int, offset: int, count: int) -> None:
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
