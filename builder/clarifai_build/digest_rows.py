"""The digests of a tree's files as one value of the cache, and back."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from clarifai_build.digests import Digest
from clarifai_build.walk import Stamp

_STAMP = struct.Struct("<qqqQ")
_LENGTHS = struct.Struct("<5Q")


class Row(NamedTuple):
    """The digests of files, as columns; `firsts` says where a file's `chunks` begin."""

    places: Mapping[str, int]
    stamps: Sequence[tuple[int, ...]]
    sha256s: str
    firsts: Sequence[int]
    chunks: tuple[int, ...]

    @classmethod
    def of(cls, value: bytes) -> Row:
        """Read what `pack` made."""
        paths, stamps, sha256s, firsts, chunks = _columns(value)
        names = os.fsdecode(paths).split("\0")
        return cls(
            {name: place for place, name in enumerate(names)},
            list(_STAMP.iter_unpack(stamps)),
            sha256s.hex(),
            _integers(firsts),
            _integers(chunks),
        )

    def digest(self, place: int) -> Digest:
        return Digest(
            self.sha256s[64 * place : 64 * place + 64],
            self.chunks[self.firsts[place] : self.firsts[place + 1]],
        )


EMPTY = Row({}, (), "", (), ())


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
