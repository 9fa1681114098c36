"""A gzip file (RFC 1952) of stored deflate blocks (RFC 1951, 3.2.4): nothing is compressed.

Every offset follows from the size of what is in it, so that any range can be read by itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

ENCODER = "gzip-stored 1"
"""The name of this encoding in the identity of an artifact; another one gives other bytes."""

MAGIC = b"\x1f\x8b"
HEADER = MAGIC + b"\x08\x00" + bytes(4) + b"\x00\xff"
"""Deflate, without a name or a time, from no system in particular."""

HEAD, TRAILER = len(HEADER), 8

FULL = 0xFFFF
"""Bytes that a stored block holds; only the last has fewer."""

BLOCK_HEADER = 5
UNIT = BLOCK_HEADER + FULL


def size_of(size: int) -> int:
    """Return the size of a gzip file that holds `size` bytes."""
    return HEAD + size + BLOCK_HEADER * max(1, -(-size // FULL)) + TRAILER


def block_header(index: int, size: int) -> bytes:
    """Return what stands before the block of this index, of a gzip file that holds `size` bytes."""
    start = index * FULL
    length = min(FULL, size - start)
    last = start + length == size
    return bytes((last,)) + length.to_bytes(2, "little") + (length ^ FULL).to_bytes(2, "little")


def trailer(crc32: int, size: int) -> bytes:
    """Return what closes a gzip file that holds `size` bytes; their number is taken modulo 2^32."""
    return crc32.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


def position_at(offset: int, size: int) -> int:
    """Return how many of the `size` bytes of content lie before an offset."""
    unit, within = divmod(max(0, offset - HEAD), UNIT)
    return min(size, unit * FULL + max(0, within - BLOCK_HEADER))


class StoredContent:
    """What a gzip file of `size` bytes holds, read by ranges; `read` returns those of the file.

    Raises ValueError, which says what is wrong and where, unless the file is as this module has it.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read, self._file_size = read, size
        blocks = size - HEAD - TRAILER
        self.size = blocks - BLOCK_HEADER * -(-blocks // UNIT)
        if blocks < BLOCK_HEADER or read(0, HEAD) != HEADER:
            raise ValueError("it does not begin as one")
        # Whether it ends here, before anything in it is believed.
        last = (blocks - 1) // UNIT
        self._check_header(0, read(HEAD, BLOCK_HEADER))
        self._check_header(last, read(HEAD + last * UNIT, BLOCK_HEADER))

    def read(self, position: int, length: int) -> bytes:
        """Return the bytes of the content from a position, as many as there are of `length`."""
        end = min(self.size, position + length)
        if position >= end:
            return b""
        first, last = position // FULL, (end - 1) // FULL
        start = HEAD + first * UNIT
        # Up to the last byte that is wanted, headers included.
        stop = HEAD + last * UNIT + BLOCK_HEADER + end - last * FULL
        data = self._read(start, stop - start)
        if len(data) < stop - start:
            raise ValueError(f"it can't be read beyond byte {start + len(data)}")
        view, parts = memoryview(data), []
        for index in range(first, last + 1):
            at = (index - first) * UNIT
            self._check_header(index, data[at : at + BLOCK_HEADER])
            parts.append(view[at + BLOCK_HEADER : at + UNIT])
        parts[0] = parts[0][position - first * FULL :]
        return b"".join(parts)

    def trailer(self) -> bytes:
        """Return what closes the file: the CRC-32 of the content, and its size."""
        return self._read(self._file_size - TRAILER, TRAILER)

    def _check_header(self, index: int, found: bytes) -> None:
        if found == block_header(index, self.size):
            return
        at = HEAD + index * UNIT
        if len(found) == BLOCK_HEADER and found[0] & 0b110:
            raise ValueError(f"its content is compressed from byte {at} on, and not stored")
        length = int.from_bytes(found[1:3], "little")
        is_block = length ^ FULL == int.from_bytes(found[3:5], "little")
        end = at + BLOCK_HEADER + length + TRAILER
        if is_block and found[:1] == b"\x01" and end < self._file_size:
            rest = self._file_size - end
            kind = "another gzip file" if self._read(end, 2) == MAGIC else "what is not gzip's"
            raise ValueError(f"it ends at byte {end}, and {rest} bytes of {kind} follow")
        raise ValueError(f"its block at byte {at} is damaged, or it was cut")


class StoredStream(io.RawIOBase):
    """The content as a stream that can be positioned, for readers that want one."""

    def __init__(self, content: StoredContent) -> None:
        self._content, self._at = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._content.read(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
