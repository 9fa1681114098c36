"""Advisory file locks that the kernel releases when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clarifai_build.errors import SandboxError, cannot_write

_HINT = "make it writable, or set XDG_CACHE_HOME to a folder that is"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Refuse a place in the user's cache, or a sandbox's folder, that can't be written."""
    try:
        yield
    except OSError as error:
        raise SandboxError(cannot_write(error.filename or path, error, hint=_HINT)) from error


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock at `path`, waiting until its holder releases it.

    A child that is given the descriptor shares the lock: it is free again when both have ended.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def claim(path: Path) -> int | None:
    """Take the lock at `path` for the life of this process, or return None if another has it."""
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # Left open on purpose: the lock lives as long as the descriptor.
    return descriptor


@contextmanager
def released(path: Path) -> Iterator[bool]:
    """Hold the lock at `path` while the block runs if nobody else does; say whether that is so."""
    descriptor = claim(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_claimed(path: Path) -> bool:
    """Return whether a living process holds the lock at `path`."""
    if not path.exists():
        return False
    descriptor = claim(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
