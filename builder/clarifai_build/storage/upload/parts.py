"""How an artifact is cut into the parts of a multipart upload: by its content alone."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests.files import CHUNK
from clarifai_build.storage.upload.copy_sources import LEAST_PART, CopySource, Run, plan_runs

# S3's limit: parts of 64 MiB hold 625 GiB, and grow beyond.
_MOST_PARTS = 10_000


class Part(NamedTuple):
    """A range of the zip and its CRC-32; with a `source`, its bytes lie there from `start`."""

    number: int
    offset: int
    length: int
    crc32: int
    source: CopySource | None = None
    start: int = 0


def parts_of(artifact: Artifact, runs: Sequence[Run]) -> list[Part]:
    """Return the parts with these ranges."""
    return [
        Part(number, run.offset, run.length, artifact.crc32(run.offset, run.length), *run[2:])
        for number, run in enumerate(runs, 1)
    ]


def cut_runs(
    artifact: Artifact, sources: Sequence[CopySource] = (), *, even: bool = False
) -> list[Run]:
    """Return the ranges of the parts; a run that resumes another's upload cuts the same.

    Nothing is read. Parts end where chunks with known CRC-32s end, so that nothing is read to know
    a part's, either: but a little where what is copied from `sources` begins and ends. Where a
    store wants parts of one size, `even`, their edges are read, and nothing is copied.
    """
    if even:
        least = max(CHUNK, -(-artifact.size // _MOST_PARTS))
        return [Run(at, min(least, artifact.size - at)) for at in range(0, artifact.size, least)]
    return list(_cut(artifact, plan_runs(artifact, sources)))


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


def _cut(artifact: Artifact, runs: Sequence[Run]) -> Iterator[Run]:
    """Cut runs where chunks end. Copies are no longer than sent parts: any of them may fail, or be
    sent after all."""
    # Each run may end with a part that is shorter than the others.
    least = max(CHUNK, -(-artifact.size // (_MOST_PARTS - len(runs) + 1)))
    ends = deque(_chunk_ends(artifact))
    for run in runs:
        start, last = run.offset, run.offset + run.length
        while ends and ends[0] < last:
            end = ends.popleft()
            # What remains has to be a part, too, which may be short only at the zip's end.
            if end - start >= least and (last - end >= LEAST_PART or last == artifact.size):
                yield _between(run, start, end)
                start = end
        yield _between(run, start, last)


def _between(run: Run, start: int, end: int) -> Run:
    within = start - run.offset
    return Run(start, end - start, run.source, run.start + within if run.source else 0)


def _chunk_ends(artifact: Artifact) -> Iterator[int]:
    for segment in artifact.segments:
        for start in range(0, segment.length, CHUNK):
            yield segment.offset + min(start + CHUNK, segment.length)
