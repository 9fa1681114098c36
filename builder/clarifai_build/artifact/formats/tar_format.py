"""The records of a tar file (POSIX.1-2001), as far as artifacts need them; pax only where due.

docs/reference/artifact.md says what each field holds and why.
"""

from __future__ import annotations

from collections.abc import Iterable

BLOCK = 512
"""Bytes that every record fills: headers, and contents with zeros after them."""

END = bytes(2 * BLOCK)
"""What closes a tar: two blocks of zeros, with nothing to fill up a tape's record after them."""

REGULAR, PAX = b"0", b"x"

# Bytes that the field of a name has. Longer ones, and those beyond ASCII, stand in a pax record.
_NAME = 100
# Eleven octal digits, and what does not fit in them.
_LIMIT = 8**11
_MIDNIGHT_1980 = 315_532_800  # as in the zip, whose dates begin there
_PAX_NAME = b"././@PaxHeader"


def header(path: str, mode: int, size: int) -> bytes:
    """Return the blocks that stand before a file's content."""
    records = _pax_records(path, size)
    name = path.encode("ascii", "replace")[:_NAME]
    plain = _block(name, mode, size if size < _LIMIT else 0, _MIDNIGHT_1980, REGULAR)
    if not records:
        return plain
    return _block(_PAX_NAME, 0, len(records), 0, PAX) + records + padding(len(records)) + plain


def padding(size: int) -> bytes:
    """Return the zeros that follow a content of `size` bytes."""
    return bytes(-size % BLOCK)


def size_of(files: Iterable[tuple[str, int]]) -> int:
    """Return the size of a tar from the path and the size of each file.

    Faster than to make the headers of all of them.
    """
    return sum(_header_size(path, size) + size + -size % BLOCK for path, size in files) + len(END)


def _header_size(path: str, size: int) -> int:
    if len(path) <= _NAME and size < _LIMIT and path.isascii():
        return BLOCK
    return len(header(path, 0, size))


def _pax_records(path: str, size: int) -> bytes:
    records = b""
    if len(path) > _NAME or not path.isascii():
        records += _pax_record(b"path", path.encode())
    if size >= _LIMIT:
        records += _pax_record(b"size", b"%d" % size)
    return records


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Return a record, which begins with its own length, in digits that count too."""
    rest = len(key) + len(value) + 3  # a space, an equals sign and a line end
    length = rest + len(b"%d" % rest)
    length = rest + len(b"%d" % length)
    return b"%d %b=%b\n" % (length, key, value)


def _block(name: bytes, mode: int, size: int, mtime: int, kind: bytes) -> bytes:
    """Return a header: owners are 0 and have no names, for the machine says nothing of a model."""
    fields = b"".join(
        (
            name.ljust(_NAME, b"\0"),
            b"%07o\0" % mode,
            b"%07o\0" % 0,  # user
            b"%07o\0" % 0,  # group
            b"%011o\0" % size,
            b"%011o\0" % mtime,
            b" " * 8,  # the checksum, which is taken over spaces
            kind,
            bytes(100),  # where a link leads
            b"ustar\x0000",
            bytes(64 + 16 + 167),  # the names of user and group, a device, and more of a name
        )
    )
    checksum = b"%06o\0 " % sum(fields)
    return fields[:148] + checksum + fields[156:]
