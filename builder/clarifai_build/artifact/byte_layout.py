"""Where each byte of an artifact comes from: runs that lie end to end, in a zip or in a tar."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from clarifai_build.artifact.segments import Piece, Segment, checksums, fill_from, read_span
from clarifai_build.digests import crc32 as crc


class Cut(NamedTuple):
    """The part of a segment that lies in a range, from `start` to `stop` of it."""

    segment: Segment
    start: int
    stop: int


class ByteLayout(Protocol):
    """The bytes of an artifact by offset. Ranges lie within it."""

    def cut(self, offset: int, end: int) -> Iterator[Cut]:
        """Yield, in order, what a range is made of."""

    def read_into(self, buffer: memoryview, offset: int) -> list[Piece]:
        """Fill `buffer` with the bytes from `offset`; say what lies where in it."""

    def blocks(self, offset: int, end: int) -> Iterator[bytearray]:
        """Yield the bytes of a range in blocks of bounded size."""

    def crc32(self, offset: int, end: int) -> int:
        """Return the CRC-32 of a range, with as little reading as it can be had."""


class EndToEnd:
    """Segments that follow each other without a gap."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments

    def cut(self, offset: int, end: int) -> Iterator[Cut]:
        """Yield, in order, what a range is made of."""
        # A large tree has thousands of segments, and every block looks its own up.
        index = bisect_right(self.segments, offset, key=lambda segment: segment.offset) - 1
        while offset < end:
            segment = self.segments[index]
            stop = min(end - segment.offset, segment.length)
            yield Cut(segment, offset - segment.offset, stop)
            offset = segment.offset + stop
            index += 1

    def read_into(self, buffer: memoryview, offset: int) -> list[Piece]:
        """Fill `buffer` with the bytes from `offset`; say what lies where in it."""
        pieces, done = [], 0
        for segment, start, stop in self.cut(offset, offset + len(buffer)):
            data = buffer[done : done + stop - start]
            fill_from(segment.span(start, stop), data)
            pieces.append(Piece(segment.offset, data))
            done += len(data)
        return pieces

    def blocks(self, offset: int, end: int) -> Iterator[bytearray]:
        """Yield the bytes of a range in blocks of bounded size."""
        for segment, start, stop in self.cut(offset, end):
            yield from read_span(segment.span(start, stop))

    def crc32(self, offset: int, end: int) -> int:
        """Return the CRC-32 of a range; of chunks that it cuts, the lesser side is read."""
        return crc.combine_all(
            piece
            for segment, start, stop in self.cut(offset, end)
            for piece in checksums(segment, start, stop)
        )
