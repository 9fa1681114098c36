"""Bytes with one bit turned over."""

from __future__ import annotations


def flipped(data: bytes, bit: int) -> bytes:
    """Return the bytes with one bit turned over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def damaged_at(data: bytes, text: bytes) -> bytes:
    """Return a zip with a bit flipped in the middle of a text."""
    return flipped(data, (data.index(text) + len(text) // 2) * 8)
