"""A gzip file (RFC 1952) of stored deflate blocks (RFC 1951, 3.2.4): nothing is compressed.

Every offset follows from the size of what is in it, so that any range can be read by itself.
"""

from __future__ import annotations

ENCODER = "gzip-stored 1"
"""The name of this encoding in the identity of an artifact; another one gives other bytes."""

HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
"""Deflate, without a name or a time, from no system in particular."""

HEAD, TRAILER = len(HEADER), 8

FULL = 0xFFFF
"""Bytes that a stored block holds; only the last has fewer."""

BLOCK_HEADER = 5
UNIT = BLOCK_HEADER + FULL


def size_of(size: int) -> int:
    """Return the size of a gzip file that holds `size` bytes."""
    return HEAD + size + BLOCK_HEADER * blocks_in(size) + TRAILER


def blocks_in(size: int) -> int:
    """Return how many blocks hold `size` bytes; nothing needs one, too."""
    return max(1, -(-size // FULL))


def block_header(index: int, size: int) -> bytes:
    """Return what stands before the block of this index, of a gzip file that holds `size` bytes."""
    start = index * FULL
    length = min(FULL, size - start)
    last = start + length == size
    return bytes((last,)) + length.to_bytes(2, "little") + (length ^ FULL).to_bytes(2, "little")


def trailer(crc32: int, size: int) -> bytes:
    """Return what closes a gzip file that holds `size` bytes; their number is taken modulo 2^32."""
    return crc32.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


def offset_of(position: int) -> int:
    """Return where the byte at a position of the content lies, before which a block may begin."""
    return HEAD + (position // FULL + 1) * BLOCK_HEADER + position


def position_at(offset: int, size: int) -> int:
    """Return how many of the `size` bytes of content lie before an offset."""
    unit, within = divmod(max(0, offset - HEAD), UNIT)
    return min(size, unit * FULL + max(0, within - BLOCK_HEADER))
