"""CRC-32s that combine."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.digests import crc32


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_two_combine_to_that_of_both(first: bytes, second: bytes) -> None:
    """The CRC-32 of two strings end to end follows from theirs and the second's length."""
    assert crc32.combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(
        first + second
    )


@given(st.integers(0, 3 << 20), st.integers(0, 255))
def test_long_strings_combine_too(length: int, byte: int) -> None:
    """Beyond the lengths that are done by feeding zeros, polynomials give the same."""
    second = bytes([byte]) * length
    assert crc32.combine(zlib.crc32(b"head"), zlib.crc32(second), length) == zlib.crc32(
        b"head" + second
    )


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_either_part_follows_from_the_whole_and_the_other(first: bytes, second: bytes) -> None:
    """What is left of a whole, at either end, needs no look at its bytes."""
    whole, length = zlib.crc32(first + second), len(second)
    assert crc32.without_start(whole, zlib.crc32(first), length) == zlib.crc32(second)
    assert crc32.without_end(whole, zlib.crc32(second), length) == zlib.crc32(first)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 1 << 45))
def test_parts_of_any_length_are_taken_off_as_they_were_put_on(
    first: int, second: int, length: int
) -> None:
    """Beyond what fits into memory, too: each is the inverse of combining."""
    whole = crc32.combine(first, second, length)
    assert crc32.without_start(whole, first, length) == second
    assert crc32.without_end(whole, second, length) == first


def test_the_whole_follows_from_any_number_of_parts() -> None:
    """Parts, empty ones among them, combine from left to right."""
    parts = [b"", b"a", b"", b"bc" * 40_000, b"d"]
    sums = [(zlib.crc32(part), len(part)) for part in parts]
    assert crc32.combine_all(sums) == zlib.crc32(b"".join(parts))


def test_the_fastest_gives_the_same_sums() -> None:
    """python-isal, where it is installed, and zlib agree."""
    assert crc32.fastest()(b"123456789", 0) == 0xCBF43926
