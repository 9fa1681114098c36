"""A published zip, read by ranges: its list of files, and single files, without the rest.

Takes the zips that this tool writes: nothing before the first entry or after the directory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from clarifai_build.artifact.formats.zip_format import (
    CENTRAL,
    DEFLATED,
    END,
    END64,
    LIMIT32,
    LOCAL,
    LOCATOR64,
    STORED,
)
from clarifai_build.errors import ArtifactError
from clarifai_build.util.text import printable

ReadRange = Callable[[int, int], bytes]
"""Returns the bytes of the zip from an offset, as many as are asked for."""

# With the zip64 records, which may be there: one request instead of two.
_TAIL = END64.size + LOCATOR64.size + END.size
# Bytes. Each is a request: smaller ones would spend the time waiting for the store.
_BLOCK = 4 << 20
# It is read into memory, and its length may be made up. A million files have 50 to 250 MB.
_LARGEST_DIRECTORY = 256 << 20


class PublishedEntry(NamedTuple):
    """A file of the zip, which takes up `packed` bytes of it; `offset` is its local header's."""

    path: str
    mode: int
    size: int
    crc32: int
    offset: int
    packed: int
    method: int


class Record(NamedTuple):
    """A file of the zip, its name as it stands there, and its whole record in the directory."""

    entry: PublishedEntry
    name: bytes
    record: bytes


class Directory(NamedTuple):
    """The central directory, which starts at an offset of the zip and goes to its end."""

    records: tuple[Record, ...]
    start: int
    length: int


def read_listing(read: ReadRange, size: int) -> tuple[PublishedEntry, ...]:
    """Return the files of a zip of `size` bytes from its central directory: two reads.

    Raises ArtifactError where there is none: the zip was cut, or is not one of this tool.
    """
    return tuple(record.entry for record in read_directory(read, size).records)


def read_directory(read: ReadRange, size: int) -> Directory:
    """Return the central directory of a zip, as `read_listing` does."""
    tail_at = max(0, size - _TAIL)
    tail = read(tail_at, size - tail_at)
    if len(tail) < size - tail_at or len(tail) < END.size:
        raise _broken(f"it has {size} bytes, of which the last can't be read")
    signature, _, _, _, count, length, start, comment = END.unpack_from(tail, len(tail) - 22)
    if signature != 0x06054B50 or comment:
        raise _broken("its central directory is not at its end")
    if len(tail) == _TAIL and tail.startswith(b"PK\x06\x06"):
        *_, count, length, start = END64.unpack_from(tail)
    if start + length > size:
        raise _broken("its central directory does not lie within it")
    if length > _LARGEST_DIRECTORY:
        raise _broken(f"its central directory has {length} bytes")
    records = tuple(_records(read(start, length), count))
    for entry, _, _ in records:
        if entry.offset + LOCAL.size + entry.packed > start:
            raise _broken(f"{entry.path} does not lie within it")
    return Directory(records, start, length)


def read_header(read: ReadRange, entry: PublishedEntry) -> bytes:
    """Return all that stands before the content of a file."""
    length = _header_length(read, entry)
    return read(entry.offset, length)


def read_entry(read: ReadRange, entry: PublishedEntry) -> Iterator[bytes]:
    """Return the content of one file in blocks of bounded size."""
    packed = _packed(read, entry.offset + _header_length(read, entry), entry)
    return _whole(packed if entry.method == STORED else _inflated(packed, entry.path), entry)


def _header_length(read: ReadRange, entry: PublishedEntry) -> int:
    header = read(entry.offset, LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise _broken(f"the header of {entry.path} is not where the directory says")
    name_length, extra_length = LOCAL.unpack(header)[-2:]
    return int(LOCAL.size + name_length + extra_length)


def _packed(read: ReadRange, start: int, entry: PublishedEntry) -> Iterator[bytes]:
    for at in range(0, entry.packed, _BLOCK):
        length = min(_BLOCK, entry.packed - at)
        block = read(start + at, length)
        if len(block) < length:
            raise _broken(f"the content of {entry.path} is cut")
        yield block


def _inflated(packed: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Inflate in blocks of bounded size: a few bytes can stand for GiBs."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in packed:
            while block:
                yield stream.decompress(block, _BLOCK)
                block = stream.unconsumed_tail
        yield stream.flush()
    except zlib.error as error:
        raise _broken(f"the content of {path} is damaged") from error
    if not stream.eof or stream.unused_data:
        raise _broken(f"the content of {path} does not end where the directory says")


def _whole(blocks: Iterator[bytes], entry: PublishedEntry) -> Iterator[bytes]:
    """Pass the blocks on, as long as they are those of a file of the size that is listed."""
    left = entry.size
    for block in blocks:
        left -= len(block)
        if left < 0:
            break
        yield block
    if left:
        raise _broken(f"the content of {entry.path} is not of the size that the directory says")


def _records(directory: bytes, count: int) -> Iterator[Record]:
    at = 0
    seen: set[bytes] = set()
    for _ in range(count):
        if len(directory) < at + CENTRAL.size or directory[at : at + 4] != b"PK\x01\x02":
            raise _broken("its central directory is damaged")
        fields = CENTRAL.unpack_from(directory, at)
        method, crc32, packed, size = fields[4], *fields[7:10]
        name_length, extra_length, comment_length = fields[10:13]
        attributes, offset = fields[15:17]
        begin = at
        at += CENTRAL.size
        name = directory[at : at + name_length]
        extra = directory[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        size, packed, offset = _widened(extra, size, packed, offset)
        if method not in (STORED, DEFLATED):
            raise _broken(f"{name!r} is compressed in a way that clarifai-build does not use")
        # Readers differ in which of the two they take.
        if name in seen:
            raise _broken(f"{name!r} is in it twice")
        seen.add(name)
        # The bucket may be written to by others: names go to a terminal.
        path, mode = printable(name.decode("utf-8", "replace")), attributes >> 16 & 0o777
        entry = PublishedEntry(path, mode, size, crc32, offset, packed, method)
        yield Record(entry, name, directory[begin:at])


def _widened(extra: bytes, *values: int) -> tuple[int, ...]:
    """Return the values with those that 32 bits can't hold taken from the zip64 field."""
    at = 4 if extra.startswith(b"\x01\x00") else len(extra)
    result = []
    for value in values:
        if value == LIMIT32 and at + 8 <= len(extra):
            value = struct.unpack_from("<Q", extra, at)[0]
            at += 8
        result.append(value)
    return tuple(result)


def _broken(how: str) -> ArtifactError:
    return ArtifactError.of(
        "not-a-zip",
        f"the published object is not a zip of clarifai-build: {how}",
        hint="it was cut or replaced; compare its size with that of `clarifai-build versions`, "
        "remove it from the bucket and apply again",
    )
