"""Reading the user's files: each is unchanged since it was found, or an error that names it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import Problem, SourceError, cannot_read

if TYPE_CHECKING:
    from io import FileIO

# Opening a pipe waits for a writer without it. Windows has neither.
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_READ = os.O_RDONLY | _NONBLOCK | getattr(os, "O_BINARY", 0)
_FINISH = "let what writes it finish, then run again"


def open_source(file: str) -> FileIO:
    """Open a file to be read; one that has become a pipe meanwhile does not block."""
    return open(file, "rb", buffering=0, opener=_open)


def _open(file: str, flags: int) -> int:
    return os.open(file, flags | _NONBLOCK)


def read_whole(found: SourceFile) -> bytes:
    """Return the content of a file that is to be held in memory. Hot path.

    Raises SourceError where it is not the file that was found, OSError where it can't be read.
    """
    # No stream of Python's: to make one takes longer than to read a small file.
    descriptor = os.open(found.file, _READ)
    try:
        # One byte more: what a file has beyond its size shows.
        size = found.stamp.size
        content = os.read(descriptor, size + 1)
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    # Looked at afterwards alone: by then it shows, too, whether another file was opened.
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    if found.stamp != now or len(content) != size:
        raise SourceError(changed(found.file))
    return content


def fill(stream: FileIO, buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends, and return how much that was.

    The kernel reads 2 GiB at the most at a time, and may read less for reasons of its own.
    """
    done = 0
    while done < len(buffer) and (length := stream.readinto(buffer[done:])):
        done += length
    return done


def unreadable(file: str, exc: OSError) -> Problem:
    """Return the problem of a file that can't be read."""
    if isinstance(exc, FileNotFoundError):
        return Problem("vanished", f"{file} vanished while it was read", file=file, hint=_FINISH)
    return cannot_read(file, exc)


def changed(file: str) -> Problem:
    """Return the problem of a file that changed after it was found."""
    return Problem("changed", f"{file} changed while it was read", file=file, hint=_FINISH)


def refuse_changed(file: str, before: FileStat | None, after: FileStat) -> None:
    """Raise SourceError when a file changed after it was found."""
    if before != after:
        raise SourceError(changed(file))


class FileStat(NamedTuple):
    """By what a file is known to be unchanged: stat fields, as in Git's index."""

    size: int
    mtime_ns: int
    # Tools set mtime back (rsync, tar, touch); no program can set ctime.
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileStat:
        """Take the stamp from what `stat` says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class SourceFile(NamedTuple):
    """A regular file: its path below the folder, where it lies, its stamp, its executable bit."""

    path: str
    file: str
    stamp: FileStat
    executable: bool

    @property
    def mode(self) -> int:
        """The mode it has in an artifact: other bits follow the umask."""
        return 0o755 if self.executable else 0o644
