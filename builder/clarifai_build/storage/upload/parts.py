"""How an artifact is cut into the parts of a multipart upload: by its content alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests.files import CHUNK

# S3's limit: parts of 64 MiB hold 625 GiB, and grow beyond.
_MOST_PARTS = 10_000


class Part(NamedTuple):
    """A range of the zip and its CRC-32."""

    number: int
    offset: int
    length: int
    crc32: int


def cut(artifact: Artifact, *, even: bool = False) -> list[Part]:
    """Cut an artifact into parts; a run that resumes another's upload cuts the same.

    Parts end where chunks with known CRC-32s end, so that nothing is read to know a part's. Where
    a store wants parts of one size, `even`, their edges are read.
    """
    least = max(CHUNK, -(-artifact.size // _MOST_PARTS))
    ends = [*range(least, artifact.size, least), artifact.size] if even else _ends(artifact, least)
    starts = [0, *ends[:-1]]
    return [
        Part(number, start, end - start, artifact.crc32(start, end - start))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def whole_crc32(parts: list[Part]) -> int:
    """Return the CRC-32 of the whole from those of its parts."""
    return crc.combine_all((part.crc32, part.length) for part in parts)


def base64_of(crc32: int) -> str:
    """Return a CRC-32 as S3 writes it."""
    return base64.b64encode(crc32.to_bytes(4, "big")).decode()


def md5_of(body: bytes) -> str:
    """Return the MD5 of a body as HTTP writes it, which every store knows.

    Buckets with Object Lock take no object without a checksum.
    """
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _ends(artifact: Artifact, least: int) -> list[int]:
    ends: list[int] = []
    start = 0
    for end in _chunk_ends(artifact):
        if end - start >= least or end == artifact.size:
            ends.append(end)
            start = end
    return ends


def _chunk_ends(artifact: Artifact) -> Iterator[int]:
    for segment in artifact.segments:
        for start in range(0, segment.length, CHUNK):
            yield segment.offset + min(start + CHUNK, segment.length)
