"""What the bytes of a zip are made of: runs of bytes, where they lie, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.tree import Entry
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests.files import CHUNK
from clarifai_build.errors import SourceError
from clarifai_build.source import source_file
from clarifai_build.source.source_file import FileStat, fill, open_source, refuse_changed

# Bytes. The file is opened anew for each: smaller ones would spend the time in system calls.
_BLOCK = 1 << 20


class Segment(NamedTuple):
    """A run of bytes of the zip: a header, or the content of a file.

    Content lies in the file `source` from `start`, or is absent; `chunks` are the CRC-32s of each
    `CHUNK` bytes.
    """

    offset: int
    length: int
    source: bytes | str | Absent
    start: int = 0
    chunks: tuple[int, ...] = ()
    stamp: FileStat | None = None

    def span(self, start: int, stop: int) -> Span:
        """Return where the bytes of the segment from `start` to `stop` lie."""
        return Span(self.source, self.start + start, stop - start, self.stamp)


class Span(NamedTuple):
    """A part of a segment's source."""

    source: bytes | str | Absent
    start: int
    length: int
    stamp: FileStat | None


class Piece(NamedTuple):
    """Bytes of the segment that begins at `segment` in the zip."""

    segment: int
    data: memoryview


class Content(NamedTuple):
    """How a file lies in the zip: compressed into `length` bytes of `source`, from `start`."""

    method: int
    source: bytes | str | Absent
    start: int
    length: int
    chunks: tuple[int, ...]
    stamp: FileStat | None


def blocks_of(entry: Entry) -> Iterator[bytearray]:
    """Yield the content of a file in blocks; raises SourceError as `fill_from` does."""
    return read_span(Span(entry.source, 0, entry.size, entry.stamp))


def read_span(span: Span) -> Iterator[bytearray]:
    """Yield the bytes of a span in blocks; raises SourceError as `fill_from` does."""
    for at in range(0, span.length, _BLOCK):
        length = min(_BLOCK, span.length - at)
        block = bytearray(length)
        fill_from(span._replace(start=span.start + at, length=length), memoryview(block))
        yield block


def fill_from(span: Span, buffer: memoryview) -> None:
    """Fill `buffer`; a file that is not what its stamp says is a SourceError."""
    if isinstance(span.source, bytes):
        buffer[:] = span.source[span.start : span.start + span.length]
        return
    if not isinstance(span.source, str):
        buffer[:] = span.source.read(span.start, span.length)
        return
    try:
        with open_source(span.source) as stream:
            # Before and after: a file may be replaced, or be written to while it is read.
            refuse_changed(span.source, span.stamp, FileStat.of(os.fstat(stream.fileno())))
            stream.seek(span.start)
            fill(stream, buffer)
            refuse_changed(span.source, span.stamp, FileStat.of(os.fstat(stream.fileno())))
    except OSError as exc:
        raise unreadable(span.source, exc) from exc


def unreadable(file: str, exc: OSError) -> SourceError:
    """Return the error for a source that can't be read."""
    return SourceError(source_file.unreadable(file, exc))


def checksums(segment: Segment, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield CRC-32 and length of pieces that make up a range of a segment."""
    while start < stop:
        until = min(stop, start - start % CHUNK + CHUNK)
        yield _checksum(segment, start, until), until - start
        start = until


def _checksum(segment: Segment, start: int, stop: int) -> int:
    """Return the CRC-32 of a range within a chunk, from what is read of it or of what is around."""
    index, before = divmod(start, CHUNK)
    # The last chunk of a file is shorter, and its CRC-32 is known, too.
    end = min(segment.length, (index + 1) * CHUNK)
    around = ((start - before, start), (stop, end))
    if not segment.chunks or not _is_easier(segment, around, (start, stop)):
        return _read_checksum(segment, start, stop)
    whole = segment.chunks[index]
    if before:
        first = _read_checksum(segment, *around[0])
        whole = crc.without_start(whole, first, end - start)
    if stop < end:
        whole = crc.without_end(whole, _read_checksum(segment, *around[1]), end - stop)
    return whole


def _is_easier(
    segment: Segment, around: tuple[tuple[int, int], ...], within: tuple[int, int]
) -> bool:
    """Return whether what is around a range is less to read, or all that can be read."""
    if isinstance(segment.source, Absent):
        return all(segment.source.holds(start, stop - start) for start, stop in around)
    return sum(stop - start for start, stop in around) <= within[1] - within[0]


def _read_checksum(segment: Segment, start: int, stop: int) -> int:
    blocks = read_span(segment.span(start, stop))
    return crc.combine_all((crc.fastest()(block, 0), len(block)) for block in blocks)
