"""A file that is being fetched: one process at a time writes it, and renames it when done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from clarifai_build.util.atomic_file import open_partial, remove_abandoned

SUFFIX = ".part"


@contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """Open a file for appending, exclusively; wait for other processes. An empty one is removed."""
    with _wait_for(path) as stream:
        try:
            yield stream
        finally:
            drop_empty(stream, path)


def drop_empty(stream: BinaryIO, path: Path) -> None:
    """Remove a locked file if it is empty."""
    if stream.seek(0, os.SEEK_END) == 0 and _is_at(stream, path):
        path.unlink(missing_ok=True)


def finish(stream: BinaryIO, path: Path, target: Path) -> int:
    """Move a complete file to its place, even if it was renamed or removed meanwhile.

    Returns its size.
    """
    size = stream.seek(0, os.SEEK_END)
    # Else a crash could leave the final name on a file without its content.
    os.fsync(stream.fileno())
    if not _is_at(stream, path):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent)
        path, descriptor = open_partial(target)
        stream.seek(0)
        with os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(stream, copy)
    path.replace(target)
    with suppress(FileNotFoundError):
        # Read-only, since its name is the digest of its content.
        target.chmod(0o444)
    return size


def remove_unused(path: Path) -> bool:
    """Remove a file unless some process is writing to it; say whether it is gone."""
    try:
        with path.open("rb") as stream:
            if not _lock(stream, wait=False):
                return False
            if _is_at(stream, path):
                path.unlink(missing_ok=True)
    except FileNotFoundError:
        return True
    return True


def _wait_for(path: Path) -> BinaryIO:
    """Open and lock a file; start again where another process has moved or removed it meanwhile."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab+")
        try:
            _lock(stream)
            if _is_at(stream, path):
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _is_at(stream: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(stream: BinaryIO, *, wait: bool = True) -> bool:
    """Lock a file, and say whether that is so; Windows has no such lock, and needs none here."""
    if os.name == "posix":
        import fcntl

        try:
            fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
