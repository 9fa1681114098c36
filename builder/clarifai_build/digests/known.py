"""What is known of a content without reading it: from the lock, or a record in the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from clarifai_build.digests.files import CHUNK

_CRC32 = re.compile(r"[0-9a-f]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class KnownContent(NamedTuple):
    """A content by its SHA-256 (hex): its size in bytes, and the CRC-32 of each `CHUNK` bytes.

    `chunks` are empty where they are not known, as they are of an empty content.
    """

    sha256: str
    size: int
    chunks: tuple[int, ...] = ()

    @property
    def has_sums(self) -> bool:
        """Whether the CRC-32s are known."""
        return len(self.chunks) == chunk_count(self.size)


KnownContents: TypeAlias = Callable[[str], KnownContent | None]
"""Asked for a content by its SHA-256; nothing is read or connected to before it is."""


def chunk_count(size: int) -> int:
    """Return how many CRC-32s there are of a content of `size` bytes."""
    return -(-size // CHUNK)


def format_chunks(chunks: Iterable[int]) -> list[str]:
    """Return CRC-32s as they stand in JSON: eight hex digits each."""
    return [f"{chunk:08x}" for chunk in chunks]


def parse_content(sha256: object, size: object, chunks: object) -> KnownContent:
    """Return a content from values that JSON had; raises ValueError where they are of no content.

    Every CRC-32 has to be there.
    """
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError("a SHA-256 is not 64 hex digits")
    # True is an int to Python, and no size.
    if type(size) is not int or not 0 <= size < 1 << 63:
        raise ValueError("a size is not a number of bytes")
    if not isinstance(chunks, list) or len(chunks) != chunk_count(size):
        raise ValueError("there is not one CRC-32 for each 64 MiB")
    return KnownContent(sha256, size, tuple(map(_crc32, chunks)))


def _crc32(text: object) -> int:
    if not isinstance(text, str) or not _CRC32.fullmatch(text):
        raise ValueError("a CRC-32 is not eight hex digits")
    return int(text, 16)
