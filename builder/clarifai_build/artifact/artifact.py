"""The zip as a pure function of the tree: every offset is known before the first byte."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from clarifai_build.artifact import zip_format
from clarifai_build.artifact.absent import Absent, AbsentContentError
from clarifai_build.artifact.segments import (
    Content,
    Piece,
    Segment,
    Span,
    checksums,
    fill_from,
    read_span,
)
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.artifact.zip_format import Member
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests import files


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
            for piece in checksums(segment, start, stop)
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
