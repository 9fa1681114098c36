"""The zip as a pure function of the tree: every offset is known before the first byte."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from clarifai_build.artifact import zip_format
from clarifai_build.artifact.absent import Absent, AbsentContentError
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.artifact.zip_format import Member
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests import files
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


class Artifact:
    """The zip of a tree, which need not exist anywhere.

    `contents` says how the files lie in it; None is stored, as they are. `encoder` names what
    compressed them, because the bytes of the zip depend on it. `scratch` is what has to live as
    long as this does.
    """

    def __init__(
        self,
        tree: FileTree,
        contents: tuple[Content, ...] | None = None,
        encoder: str | None = None,
        scratch: object = None,
    ) -> None:
        self.tree, self.contents, self.encoder = tree, contents, encoder
        self._scratch = scratch

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The zip from its first byte to its last.

        Raises SourceError where absent content would have to be read for it: to be compressed, or
        for CRC-32s that are not known.
        """
        contents = self.contents
        if contents is None:
            if self.encoder is not None and self.missing:
                raise self.absence()
            contents = tuple(map(stored, self.tree.entries))
        return tuple(_lay_out(zip(self.tree.entries, contents, strict=True)))

    @property
    def missing(self) -> tuple[Entry, ...]:
        """The files whose content is not on this machine."""
        return tuple(e for e in self.tree.entries if not isinstance(e.source, (str, bytes)))

    @property
    def has_sums(self) -> bool:
        """Whether the CRC-32s of every file are known: of absent ones, they may not be."""
        return not any(entry.lacks_sums for entry in self.tree.entries)

    def absence(self) -> AbsentContentError:
        """Return what to raise where content is needed that is missing: each one's problem."""
        sources = (entry.source for entry in self.missing)
        return AbsentContentError(*(s.problem for s in sources if isinstance(s, Absent)))

    @cached_property
    def digest(self) -> str:
        """The identity of the zip: the digest of its tree, and of the encoder if there is one."""
        if self.encoder is None:
            return self.tree.digest
        identity = f"{self.encoder}\n{self.tree.digest}\n"
        return files.of_bytes(identity.encode()).sha256

    @cached_property
    def size(self) -> int:
        """The size of the zip in bytes, which follows from the sizes of its files alone.

        Raises SourceError where it depends on content that is missing: that is to be compressed.
        """
        entries, contents = self.tree.entries, self.contents
        if contents is None and self.encoder is not None and self.missing:
            raise self.absence()
        packed = [e.size for e in entries] if contents is None else [c.length for c in contents]
        return zip_format.size_of((e.path, n, e.size) for e, n in zip(entries, packed, strict=True))

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of the zip from `offset`, straight from the sources."""
        return b"".join(self.blocks(offset, length))

    def blocks(self, offset: int, length: int) -> Iterator[bytearray]:
        """Yield the bytes of the zip from `offset` in blocks of bounded size."""
        for span in self.spans(offset, length):
            yield from read_span(span)

    def read_into(self, buffer: memoryview, offset: int) -> list[Piece]:
        """Fill `buffer` with the bytes of the zip from `offset`; say what lies where in it."""
        pieces = []
        done = 0
        for segment, start, stop in self._cut(offset, len(buffer)):
            data = buffer[done : done + stop - start]
            fill_from(segment.span(start, stop), data)
            pieces.append(Piece(segment.offset, data))
            done += len(data)
        return pieces

    def spans(self, offset: int, length: int) -> Iterator[Span]:
        """Yield where the bytes of the zip from `offset` lie."""
        for segment, start, stop in self._cut(offset, length):
            yield segment.span(start, stop)

    def crc32(self, offset: int, length: int) -> int:
        """Return the CRC-32 of a range; of chunks that it cuts, the lesser side is read."""
        return crc.combine_all(
            piece
            for segment, start, stop in self._cut(offset, length)
            for piece in _checksums(segment, start, stop)
        )

    def _cut(self, offset: int, length: int) -> Iterator[tuple[Segment, int, int]]:
        """Yield each segment that a range touches, and the range within it."""
        end = min(offset + length, self.size)
        # A large tree has thousands of segments, and every block looks its own up.
        index = bisect_right(self.segments, offset, key=lambda segment: segment.offset) - 1
        while offset < end:
            segment = self.segments[index]
            stop = min(end - segment.offset, segment.length)
            yield segment, offset - segment.offset, stop
            offset = segment.offset + stop
            index += 1


def blocks_of(entry: Entry) -> Iterator[bytearray]:
    """Yield the content of a file in blocks; raises SourceError as `Artifact.read_into` does."""
    return read_span(Span(entry.source, 0, entry.size, entry.stamp))


def read_span(span: Span) -> Iterator[bytearray]:
    """Yield the bytes of a span in blocks; raises SourceError as `Artifact.read_into` does."""
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


def _checksums(segment: Segment, start: int, stop: int) -> Iterator[tuple[int, int]]:
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


def stored(entry: Entry) -> Content:
    """Return a file as it is."""
    return Content(zip_format.STORED, entry.source, 0, entry.size, entry.chunks, entry.stamp)


def _lay_out(members: Iterator[tuple[Entry, Content]]) -> Iterator[Segment]:
    offset = count = 0
    directory = bytearray()
    for entry, content in members:
        member = Member(
            entry.path, entry.mode, content.method, entry.crc32, content.length, entry.size
        )
        header = zip_format.local_header(member)
        directory += zip_format.central_header(member, offset)
        yield Segment(offset, len(header), header)
        offset += len(header)
        # No empty segments: each is known by its offset.
        if content.length:
            yield Segment(
                offset,
                content.length,
                content.source,
                content.start,
                content.chunks,
                content.stamp,
            )
            offset += content.length
        count += 1
    tail = bytes(directory) + zip_format.end(count, len(directory), offset)
    yield Segment(offset, len(tail), tail)
