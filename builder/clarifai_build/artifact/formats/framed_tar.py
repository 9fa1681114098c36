"""The bytes of a tar.gz: those of the tar, which need not exist anywhere, and gzip's between them.

There are 16,000 blocks in a GiB, so none is kept: each is computed where a range touches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from clarifai_build.artifact.byte_layout import Cut, EndToEnd
from clarifai_build.artifact.formats import tar_format
from clarifai_build.artifact.segments import Piece, Segment
from clarifai_build.artifact.tree import Entry
from clarifai_build.digests import crc32 as crc
from clarifai_build.util import gzip_stored
from clarifai_build.util.gzip_stored import BLOCK_HEADER, FULL, HEAD, TRAILER

# The offset of what is gzip's, not the tar's: segments are known by theirs in the tar.
_GZIP = -1
# Bytes that are read at a time: a file is opened anew for each.
_BLOCK = 1 << 20


def tar_segments(entries: Iterable[Entry]) -> Iterator[Segment]:
    """Yield the tar from its first byte to its last; no segment is empty."""
    offset, padding = 0, b""
    for entry in entries:
        header = padding + tar_format.header(entry.path, entry.mode, entry.size)
        yield Segment(offset, len(header), header)
        offset += len(header)
        if entry.size:
            yield Segment(offset, entry.size, entry.source, 0, entry.chunks, entry.stamp)
            offset += entry.size
        padding = tar_format.padding(entry.size)
    end = padding + tar_format.END
    yield Segment(offset, len(end), end)


class FramedTar:
    """A tar of `size` bytes in stored blocks of gzip."""

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._tar = EndToEnd(segments)
        self._size = segments[-1].offset + segments[-1].length
        self._end = gzip_stored.size_of(self._size)

    @cached_property
    def _trailer(self) -> Segment:
        """The end, for which the CRC-32s of all files have to be known."""
        data = gzip_stored.trailer(self._tar.crc32(0, self._size), self._size)
        return Segment(_GZIP, len(data), data)

    def cut(self, offset: int, end: int) -> Iterator[Cut]:
        """Yield, in order, what a range is made of: the tar's, and between them gzip's."""
        if offset < min(HEAD, end):
            yield Cut(Segment(_GZIP, HEAD, gzip_stored.HEADER), offset, min(HEAD, end))
        blocks_end = self._end - TRAILER
        at = max(HEAD, offset)
        while at < min(end, blocks_end):
            index, within = divmod(at - HEAD, gzip_stored.UNIT)
            start = HEAD + index * gzip_stored.UNIT
            if within < BLOCK_HEADER:
                stop = min(BLOCK_HEADER, end - start)
                header = gzip_stored.block_header(index, self._size)
                yield Cut(Segment(_GZIP, BLOCK_HEADER, header), within, stop)
                at = start + stop
            else:
                first = index * FULL + within - BLOCK_HEADER
                last = min(self._size, (index + 1) * FULL, first + end - at)
                yield from self._tar.cut(first, last)
                at += last - first
        if at < end:
            yield Cut(self._trailer, at - blocks_end, end - blocks_end)

    def read_into(self, buffer: memoryview, offset: int) -> list[Piece]:
        """Fill `buffer` with the bytes from `offset`; say what of the tar lies where in it."""
        end = offset + len(buffer)
        first, last = (gzip_stored.position_at(at, self._size) for at in (offset, end))
        # All of the tar's at once, as late as it can lie: a file is opened once, not every block.
        behind = len(buffer) - max(0, end - max(offset, self._end - TRAILER))
        waiting = buffer[behind - (last - first) : behind]
        self._tar.read_into(waiting, first)
        # Each then moves to the front, where gzip's come between: never past what still waits.
        pieces, done, taken = [], 0, 0
        for segment, start, stop in self.cut(offset, end):
            data = buffer[done : done + stop - start]
            if segment.offset == _GZIP and isinstance(segment.source, bytes):
                data[:] = segment.source[start:stop]
            else:
                data[:] = waiting[taken : taken + len(data)]
                taken += len(data)
                pieces.append(Piece(segment.offset, data))
            done += len(data)
        return pieces

    def blocks(self, offset: int, end: int) -> Iterator[bytearray]:
        """Yield the bytes of a range in blocks of bounded size."""
        for at in range(offset, end, _BLOCK):
            block = bytearray(min(_BLOCK, end - at))
            self.read_into(memoryview(block), at)
            yield block

    def crc32(self, offset: int, end: int) -> int:
        """Return the CRC-32 of a range, all of which is read: gzip's bytes cut every chunk."""
        whole, sum_up = 0, crc.fastest()
        for block in self.blocks(offset, end):
            whole = sum_up(block, whole)
        return whole
