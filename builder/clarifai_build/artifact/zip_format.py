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
    name = member.path.encode()
    # APPNOTE 4.5.3: in a local header, the zip64 field holds both sizes or is absent.
    wide = max(member.packed, member.size) >= LIMIT32
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.packed) if wide else b""
    fields = LOCAL.pack(
        0x04034B50,
        _ZIP64 if wide else _PLAIN,
        _flags(member),
        member.method,
        _MIDNIGHT,
        _DAY,
        member.crc32,
        LIMIT32 if wide else member.packed,
        LIMIT32 if wide else member.size,
        len(name),
        len(extra),
    )
    return fields + name + extra


def central_header(member: Member, offset: int) -> bytes:
    """Return a file's record in the directory at the end; its local header is at `offset`."""
    name = member.path.encode()
    wide = [n for n in (member.size, member.packed, offset) if n >= LIMIT32]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = _ZIP64 if wide else _PLAIN
    fields = CENTRAL.pack(
        0x02014B50,
        _UNIX | version,
        version,
        _flags(member),
        member.method,
        _MIDNIGHT,
        _DAY,
        member.crc32,
        min(member.packed, LIMIT32),
        min(member.size, LIMIT32),
        len(name),
        len(extra),
        0,  # comment
        0,  # disk
        0,  # internal attributes
        (_REGULAR_FILE | member.mode) << 16,
        min(offset, LIMIT32),
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
        wide = max(packed, size) >= LIMIT32
        fields = (packed >= LIMIT32) + (size >= LIMIT32) + (offset >= LIMIT32)
        directory += CENTRAL.size + name + (4 + 8 * fields if fields else 0)
        offset += LOCAL.size + name + (20 if wide else 0) + packed
        count += 1
    return offset + directory + len(end(count, directory, offset))


def _flags(member: Member) -> int:
    return 0 if member.path.isascii() else _UTF8
