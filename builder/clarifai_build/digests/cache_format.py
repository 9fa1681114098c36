"""The digests of a tree's files as one value of the cache, and back."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, pairwise, starmap
from typing import NamedTuple

from clarifai_build.digests.files import Digest, FileFacts
from clarifai_build.source.content_checks import ContentRules
from clarifai_build.source.source_file import FileStat

FORMAT = 4
"""Raised with the format of the file of digests: older tools keep a file of their own."""

# Signed, since times may lie before 1970; inodes take all 64 bits.
_STAMP = struct.Struct("<qqqQ")
_LENGTHS = struct.Struct("<7Q")


class DigestColumns(NamedTuple):
    """The digests of files as columns, in the order of `paths`.

    `firsts` says where a file's `chunks` begin, and has one more: where the last one's end.
    `findings` are those of a scan by `rules`, as path after path and what was found there: most
    trees have none.
    """

    paths: bytes
    stamps: bytes
    sha256s: bytes
    firsts: bytes
    chunks: bytes
    rules: bytes
    findings: bytes

    @classmethod
    def of(
        cls, stamps: Mapping[str, FileStat], facts: FileFacts, rules: ContentRules
    ) -> DigestColumns:
        """Take what is known of files, and the stamps that they had, by path."""
        found = [facts.digests[file] for file in stamps]
        findings = [pair for pair in facts.findings.items() if pair[0] in stamps]
        chunks = [chunk for digest in found for chunk in digest.chunks]
        firsts = [0, *accumulate(len(digest.chunks) for digest in found)]
        return cls(
            _packed_paths(stamps),
            _packed_stamps(stamps),
            bytes.fromhex("".join(digest.sha256 for digest in found)),
            struct.pack(f"<{len(firsts)}I", *firsts),
            struct.pack(f"<{len(chunks)}I", *chunks),
            rules.digest,
            os.fsencode("\0".join(chain.from_iterable(findings))),
        )

    @classmethod
    def unpack(cls, value: bytes) -> DigestColumns:
        """Read what `pack` made."""
        ends = [*accumulate(_LENGTHS.unpack_from(value), initial=_LENGTHS.size)]
        return cls(*(value[start:end] for start, end in pairwise(ends)))

    def pack(self) -> bytes:
        """Put all into one value."""
        return b"".join((_LENGTHS.pack(*map(len, self)), *self))

    def still_known(self, stamps: Mapping[str, FileStat], rules: ContentRules) -> FileFacts:
        """Return what holds of the files, by path, that have the stamps that they had.

        Those that were looked into by other rules count as unknown; large ones were not.
        """
        known = self._with_stamps(stamps)
        if self.rules != rules.digest:
            return FileFacts({f: d for f, d in known.items() if stamps[f].size > rules.largest}, {})
        return FileFacts(known, {f: what for f, what in self._findings() if f in known})

    def _with_stamps(self, stamps: Mapping[str, FileStat]) -> dict[str, Digest]:
        if self._are_of(stamps):
            return dict(zip(stamps, self._digests(), strict=True))
        paths = os.fsdecode(self.paths).split("\0")
        # Not strict: no paths at all read back as a single empty one.
        rows = zip(paths, _STAMP.iter_unpack(self.stamps), self._digests(), strict=False)
        return {path: digest for path, stamp, digest in rows if stamps.get(path) == stamp}

    def _are_of(self, stamps: Mapping[str, FileStat]) -> bool:
        """Compare in one go: to make objects of thousands of rows takes longer than all else."""
        try:
            return (self.paths, self.stamps) == (_packed_paths(stamps), _packed_stamps(stamps))
        except struct.error:  # a stamp that can't be kept
            return False

    def _digests(self) -> Iterator[Digest]:
        digits = self.sha256s.hex()
        sha256s = [digits[at : at + 64] for at in range(0, len(digits), 64)]
        firsts, chunks = _integers(self.firsts), _integers(self.chunks)
        return map(Digest, sha256s, [chunks[first:end] for first, end in pairwise(firsts)])

    def _findings(self) -> Iterator[tuple[str, str]]:
        texts = iter(os.fsdecode(self.findings).split("\0") if self.findings else ())
        return zip(texts, texts, strict=True)


def _packed_paths(stamps: Mapping[str, FileStat]) -> bytes:
    return os.fsencode("\0".join(stamps))


def _packed_stamps(stamps: Mapping[str, FileStat]) -> bytes:
    return b"".join(starmap(_STAMP.pack, stamps.values()))


def _integers(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}I", packed)
