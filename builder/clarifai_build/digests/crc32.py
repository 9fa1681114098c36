"""CRC-32s that combine: the sum of a whole follows from those of its parts, without reading."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache

# That of zip, in reflected bit order.
_POLYNOMIAL = 0xEDB88320
# Summing so many zeros takes 10 µs; a power of x that is not known yet, 50.
_SHORT = memoryview(bytes(16 << 10))
# The polynomial is primitive: x to this power is 1, so that a shift can be undone by another.
_ORDER = (1 << 32) - 1


@lru_cache(maxsize=1)
def fastest() -> Callable[[bytes | bytearray | memoryview, int], int]:
    """Return the fastest `crc32` there is: python-isal's where it is installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.crc32
    crc32: Callable[[bytes | bytearray | memoryview, int], int] = isal_zlib.crc32
    return crc32


def combine_all(parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of byte strings laid end to end, from the CRC-32 and length of each."""
    whole = 0
    for crc, length in parts:
        whole = combine(whole, crc, length)
    return whole


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of A followed by B from those of A and B and the length of B."""
    if length <= len(_SHORT):
        zeros = _SHORT[:length]
        # Zeros move the sum of A to its place; what their own start adds is taken out again.
        return zlib.crc32(zeros, first) ^ zlib.crc32(zeros) ^ second
    return _multiply(_shift(length), first) ^ second


def without_start(whole: int, first: int, length: int) -> int:
    """Return the CRC-32 of B from those of A followed by B and of A, and the length of B."""
    return combine(first, whole, length)


def without_end(whole: int, second: int, length: int) -> int:
    """Return the CRC-32 of A from those of A followed by B and of B, and the length of B."""
    return _multiply(_shift(-length % _ORDER), whole ^ second)


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
    # Reflected: bit 31 is 1, and bit 23 below is x to the power of 8.
    power = 1 << 31
    for bit in range(length.bit_length()):
        if length >> bit & 1:
            power = _multiply(_power_of_two(bit), power)
    return power


@lru_cache(maxsize=64)
def _power_of_two(bit: int) -> int:
    """Return x to the power of 8·2^bit modulo the CRC's polynomial."""
    if bit == 0:
        return 1 << 23
    half = _power_of_two(bit - 1)
    return _multiply(half, half)
