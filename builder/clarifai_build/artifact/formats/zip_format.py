"""The records of a zip file (APPNOTE 6.3.9), as far as artifacts need them; zip64 only where due.

docs/reference/artifact.md says what each field holds and why.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

STORED = 0
DEFLATED = 8

LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")
END64 = struct.Struct("<IQHHIIQQQQ")
LOCATOR64 = struct.Struct("<IIQI")
# All ones send a reader to the zip64 field, so that a value of exactly this needs it, too.
LIMIT32 = 0xFFFFFFFF
_LIMIT16 = 0xFFFF
_MIDNIGHT, _DAY = 0, 1 << 5 | 1  # 1980-01-01, the first day that a zip can hold
# Versions needed to extract, as APPNOTE 4.4.3 has them: 2.0, and 4.5 for zip64.
_PLAIN, _ZIP64 = 20, 45
# The host system, by which readers take the external attributes for a Unix mode.
_UNIX = 3 << 8
_REGULAR_FILE = 0o100000
_UTF8 = 1 << 11


class Member(NamedTuple):
    """What a zip says of a file. `packed` is its size as it lies in the zip."""

    path: str
    mode: int
    method: int
    crc32: int
    packed: int
    size: int


def local_header(member: Member) -> bytes:
    """Return the record that stands before a file's content."""
    path, _, method, crc32, packed, size = member
    name, version, extra = path.encode(), _PLAIN, b""
    # APPNOTE 4.5.3: in a local header, the zip64 field holds both sizes or is absent.
    if packed >= LIMIT32 or size >= LIMIT32:
        version, extra = _ZIP64, struct.pack("<HHQQ", 1, 16, size, packed)
        packed = size = LIMIT32
    fields = LOCAL.pack(
        0x04034B50,
        version,
        _flags(path),
        method,
        _MIDNIGHT,
        _DAY,
        crc32,
        packed,
        size,
        len(name),
        len(extra),
    )
    return fields + name + extra


def central_header(member: Member, offset: int) -> bytes:
    """Return a file's record in the directory at the end; its local header is at `offset`."""
    path, mode, method, crc32, packed, size = member
    name, version, extra = path.encode(), _PLAIN, b""
    if packed >= LIMIT32 or size >= LIMIT32 or offset >= LIMIT32:
        wide = [n for n in (size, packed, offset) if n >= LIMIT32]
        version, extra = _ZIP64, struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide)
        packed, size, offset = min(packed, LIMIT32), min(size, LIMIT32), min(offset, LIMIT32)
    fields = CENTRAL.pack(
        0x02014B50,
        _UNIX | version,
        version,
        _flags(path),
        method,
        _MIDNIGHT,
        _DAY,
        crc32,
        packed,
        size,
        len(name),
        len(extra),
        0,  # comment
        0,  # disk
        0,  # internal attributes
        (_REGULAR_FILE | mode) << 16,
        offset,
    )
    return fields + name + extra


def end(count: int, size: int, offset: int) -> bytes:
    """Return what closes the zip: `count` central headers of `size` bytes start at `offset`."""
    few = min(count, _LIMIT16)
    fields = END.pack(0x06054B50, 0, 0, few, few, min(size, LIMIT32), min(offset, LIMIT32), 0)
    if count < _LIMIT16 and max(size, offset) < LIMIT32:
        return fields
    version = _UNIX | _ZIP64
    # 44: the size of the record without its first 12 bytes.
    wide = END64.pack(0x06064B50, 44, version, _ZIP64, 0, 0, count, count, size, offset)
    return wide + LOCATOR64.pack(0x07064B50, 0, offset + size, 1) + fields


def size_of(files: Iterable[tuple[str, int, int]]) -> int:
    """Return the size of a zip from the path of each file, its size in it, and its own.

    Faster than to make the headers, for which CRC-32s would have to be known.
    """
    offset = directory = count = 0
    for path, packed, size in files:
        name = len(path.encode())
        directory += CENTRAL.size + name
        if packed >= LIMIT32 or size >= LIMIT32 or offset >= LIMIT32:
            directory += 4 + 8 * sum(n >= LIMIT32 for n in (packed, size, offset))
        offset += LOCAL.size + name + packed
        offset += 20 if packed >= LIMIT32 or size >= LIMIT32 else 0
        count += 1
    return offset + directory + len(end(count, directory, offset))


def _flags(path: str) -> int:
    return 0 if path.isascii() else _UTF8
