"""The one way to read a file that is small by nature, whatever lies there in its place.

A pipe, a device or a sparse file of gigabytes is refused by its kind and size, which are looked at
once it is open: what a path leads to may change between a look and the opening. Nothing waits for
a writer, and no more is read than the caller's limit and one byte.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import Any, BinaryIO

MIB = 1024 * 1024

# Opening a pipe waits for a writer without the first. Windows has only the last, and needs it.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_AT_ONCE = 64 * 1024


class NotRegularError(OSError):
    """What a path leads to is a pipe, a device or a socket."""

    def __init__(self, file: object) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(file))


class TooLargeError(OSError):
    """A file is larger than its reader allows."""

    def __init__(self, file: object, limit: int) -> None:
        size = f"{limit // MIB} MiB" if limit % MIB == 0 else f"{limit} bytes"
        super().__init__(errno.EFBIG, f"it is larger than {size}", str(file))


def read_small(file: str | os.PathLike[str], limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; raises OSError otherwise."""
    descriptor = _open(file)
    try:
        return _content(descriptor, file, limit)
    finally:
        os.close(descriptor)


def read_small_text(
    file: str | os.PathLike[str], limit: int, encoding: str = "utf-8", errors: str = "strict"
) -> str:
    """Return the text of a small file with `\\n` for every line end, as text files are read.

    Raises OSError, or UnicodeDecodeError where `errors` is strict.
    """
    text = read_small(file, limit).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_small_json(file: str | os.PathLike[str], limit: int) -> Any:
    """Return the JSON in a small file; raises OSError, or ValueError for what is not JSON."""
    return parse_json(read_small(file, limit))


def parse_json(content: str | bytes) -> Any:
    """Return what JSON text says; raises ValueError for what is not JSON, however deep."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def open_regular(file: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file of any size, to be read in parts; raises OSError."""
    descriptor = _open(file)
    try:
        _size(descriptor, file)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_start(file: str | os.PathLike[str], length: int) -> bytes:
    """Return the first `length` bytes of a regular file of any size; raises OSError."""
    descriptor = _open(file)
    try:
        _size(descriptor, file)
        return os.read(descriptor, length)
    finally:
        os.close(descriptor)


def read_end(file: str | os.PathLike[str], length: int) -> str:
    """Return the last `length` bytes of a regular file of any size as text; raises OSError."""
    descriptor = _open(file)
    try:
        os.lseek(descriptor, max(0, _size(descriptor, file) - length), os.SEEK_SET)
        return os.read(descriptor, length).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _open(file: str | os.PathLike[str]) -> int:
    try:
        return os.open(file, _FLAGS)
    except OSError as error:
        # What a socket is opened with.
        if error.errno == errno.ENXIO:
            raise NotRegularError(file) from error
        raise
    # A null character, or half a character of UTF-16: no system call gets that far.
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file can have such a name", repr(file)) from error


def _size(descriptor: int, file: object) -> int:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(file)
    return status.st_size


def _content(descriptor: int, file: object, limit: int) -> bytes:
    if (size := _size(descriptor, file)) > limit:
        raise TooLargeError(file, limit)
    # A file may grow meanwhile, and one of /proc says that it is empty.
    found = os.read(descriptor, min(limit, max(size, _AT_ONCE)) + 1)
    while len(found) <= limit and (more := os.read(descriptor, _AT_ONCE)):
        found += more
    if len(found) > limit:
        raise TooLargeError(file, limit)
    return found
