"""Artifact to a file: copied by the kernel, hashed beside, all or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from clarifai_build.archive import Artifact, Span, read_span, unreadable
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.digests import refuse_changed
from clarifai_build.problem import ArtifactError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.walk import Stamp

_STEP = 8 << 20
_KERNEL_COPY = 256 << 10
_CANT_COPY = frozenset({errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM})


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
    with whole_or_nothing(target) as descriptor:
        if known is not None:
            _copy(artifact, descriptor, listen)
            sha256 = known
        else:
            sha256 = _copy_and_hash(artifact, descriptor, listen)
    if known is None:
        cache.keep_zip_sha256(digest, sha256)
    return WrittenZip(target, digest, sha256, artifact.size)


def _copy_and_hash(artifact: Artifact, descriptor: int, listen: Listener) -> str:
    """Copy on a second thread while this one hashes; both read what the other has made warm."""
    from concurrent.futures import ThreadPoolExecutor

    sha256 = hashlib.sha256()
    if artifact.size < _STEP:
        for block in artifact.blocks(0, artifact.size):
            sha256.update(block)
            write_all(descriptor, block)
        return sha256.hexdigest()
    with ThreadPoolExecutor(1) as pool:
        copied = pool.submit(_copy, artifact, descriptor, listen)
        for block in artifact.blocks(0, artifact.size):
            sha256.update(block)
            if copied.done() and copied.exception():
                break
        copied.result()
    return sha256.hexdigest()


def _copy(artifact: Artifact, descriptor: int, listen: Listener) -> None:
    if hasattr(os, "posix_fallocate") and artifact.size >= _STEP:
        os.posix_fallocate(descriptor, 0, artifact.size)
    done = 0
    small = bytearray()
    for span in artifact.spans(0, artifact.size):
        if isinstance(span.source, bytes) or span.length < _KERNEL_COPY:
            small += b"".join(read_span(span))
            if len(small) >= _KERNEL_COPY:
                done += _flush(descriptor, small)
            continue
        done += _flush(descriptor, small)
        for count in _copy_file(span, descriptor):
            start_writing_back(descriptor, done, count)
            done += count
            listen(Event("zip", "running", done=done, total=artifact.size))
    done += _flush(descriptor, small)
    listen(Event("zip", "running", done=done, total=artifact.size))


def _copy_file(span: Span, descriptor: int) -> Iterator[int]:
    """Copy a span of a file, yielding how many bytes each step moved."""
    file = str(span.source)
    try:
        with Path(file).open("rb", buffering=0) as stream:
            source = stream.fileno()
            start, end = span.start, span.start + span.length
            move = _kernel_copy
            while start < end:
                try:
                    count = move(source, descriptor, start, min(_STEP, end - start))
                except OSError as exc:
                    if move is _user_copy or exc.errno not in _CANT_COPY:
                        raise
                    move = _user_copy
                    continue
                if not count:
                    break
                yield count
                start += count
            refuse_changed(file, span.stamp, Stamp.of(os.fstat(source)))
    except FileNotFoundError as exc:
        raise unreadable(file, exc) from exc


def _kernel_copy(source: int, target: int, start: int, count: int) -> int:
    if not hasattr(os, "copy_file_range"):
        raise OSError(errno.ENOSYS, "no copy_file_range here")
    return os.copy_file_range(source, target, count, start)


def _user_copy(source: int, target: int, start: int, count: int) -> int:
    os.lseek(source, start, os.SEEK_SET)
    return write_all(target, os.read(source, min(count, 1 << 20)))


def _flush(descriptor: int, small: bytearray) -> int:
    count = write_all(descriptor, small)
    small.clear()
    return count


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
