"""The digests of a tree's files as one value of the cache, and back."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

from clarifai_build.digests import Digest
from clarifai_build.walk import Stamp

_STAMP = struct.Struct("<qqqQ")
_LENGTHS = struct.Struct("<5Q")


class Kept(NamedTuple):
    """The digests of files, and the stamps that they had, by path."""

    stamps: Mapping[str, tuple[int, ...]]
    digests: Mapping[str, Digest]


NOTHING = Kept({}, {})


def unpack(value: bytes) -> Kept:
    """Read what `pack` made."""
    paths, stamps, sha256s, firsts, chunks = _columns(value)
    names = os.fsdecode(paths).split("\0")
    digits, borders, sums = sha256s.hex(), _integers(firsts), _integers(chunks)
    digests = map(
        Digest,
        [digits[at : at + 64] for at in range(0, len(digits), 64)],
        [sums[first:end] for first, end in pairwise(borders)],
    )
    # Of no files, there is one name, and it is empty.
    return Kept(
        dict(zip(names, _STAMP.iter_unpack(stamps), strict=False)),
        dict(zip(names, digests, strict=False)),
    )


def pack(stamps: Mapping[str, Stamp], known: Mapping[str, Digest]) -> bytes:
    """Put the digests of files into one value, with the stamps that they had, by path."""
    found = [known[file] for file in stamps]
    chunks = [chunk for digest in found for chunk in digest.chunks]
    firsts = [0, *accumulate(len(digest.chunks) for digest in found)]
    columns = (
        os.fsencode("\0".join(stamps)),
        b"".join(_STAMP.pack(*stamp) for stamp in stamps.values()),
        bytes.fromhex("".join(digest.sha256 for digest in found)),
        struct.pack(f"<{len(firsts)}I", *firsts),
        struct.pack(f"<{len(chunks)}I", *chunks),
    )
    return _LENGTHS.pack(*map(len, columns)) + b"".join(columns)


def _columns(value: bytes) -> Iterator[bytes]:
    start = _LENGTHS.size
    for length in _LENGTHS.unpack_from(value):
        yield value[start : start + length]
        start += length


def _integers(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}I", packed)
