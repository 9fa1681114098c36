"""SHA-256 and CRC-32 of files and bytes, in one read; CRC-32s that combine."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

CHUNK = 64 << 20
"""A CRC-32 is kept of every so many bytes; those of ranges follow by combining."""

_BLOCK = 1 << 20
_POLYNOMIAL = 0xEDB88320
_SHORT = bytes(16 << 10)


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies some bytes: their SHA-256 and the CRC-32 of each chunk of `CHUNK` bytes."""

    size: int
    sha256: str
    chunks: tuple[int, ...]

    @property
    def crc32(self) -> int:
        """The CRC-32 of the whole."""
        return combine_all(
            (crc, min(CHUNK, self.size - index * CHUNK)) for index, crc in enumerate(self.chunks)
        )


def of_bytes(data: bytes) -> Digest:
    """Digest `data`."""
    chunks = tuple(zlib.crc32(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK))
    return Digest(len(data), hashlib.sha256(data).hexdigest(), chunks)


def of_stream(stream: BinaryIO) -> Digest:
    """Digest what is left of `stream`."""
    sha256 = hashlib.sha256()
    chunks = []
    size = crc = 0
    while block := stream.read(_BLOCK):
        sha256.update(block)
        crc = zlib.crc32(block, crc)
        size += len(block)
        if size % CHUNK == 0:
            chunks.append(crc)
            crc = 0
    if size % CHUNK:
        chunks.append(crc)
    return Digest(size, sha256.hexdigest(), tuple(chunks))


def combine_all(parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of byte strings laid end to end, from the CRC-32 and length of each."""
    whole = 0
    for crc, length in parts:
        whole = combine(whole, crc, length)
    return whole


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of A followed by B from those of A and B and the length of B."""
    if length <= len(_SHORT):
        zeros = memoryview(_SHORT)[:length]
        return zlib.crc32(zeros, first) ^ zlib.crc32(zeros) ^ second
    return _multiply(_shift(length), first) ^ second


def _multiply(a: int, b: int) -> int:
    """Multiply two polynomials modulo the CRC's, coefficients in reflected bit order."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return product


@lru_cache(maxsize=4096)
def _shift(length: int) -> int:
    """Return x to the power of 8·length modulo the CRC's polynomial."""
    power = 1 << 31
    bit = 0
    while length:
        if length & 1:
            power = _multiply(_power_of_two(bit), power)
        length >>= 1
        bit += 1
    return power


@lru_cache(maxsize=64)
def _power_of_two(bit: int) -> int:
    """Return x to the power of 8·2^bit modulo the CRC's polynomial."""
    if bit == 0:
        return 1 << 23
    half = _power_of_two(bit - 1)
    return _multiply(half, half)
