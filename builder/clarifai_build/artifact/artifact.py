"""The artifact as a pure function of the tree: every offset is known before the first byte."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from clarifai_build.artifact.absent import Absent, AbsentContentError
from clarifai_build.artifact.byte_layout import ByteLayout, EndToEnd
from clarifai_build.artifact.formats import tar_format, zip_format
from clarifai_build.artifact.formats.framed_tar import FramedTar, tar_segments
from clarifai_build.artifact.formats.zip_format import Member
from clarifai_build.artifact.segments import Content, Piece, Segment, Span
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests import files
from clarifai_build.util import gzip_stored


class Artifact:
    """The zip of a tree, or its tar.gz, which need not exist anywhere.

    `contents` says how the files lie in a zip; None is stored, as they are. `encoder` names what
    compressed them, because the bytes depend on it; `gzip_stored.ENCODER` is the tar.gz, in which
    nothing is compressed. `scratch` is what has to live as long as this does.
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
        self._whole_crc32: int | None = None

    @classmethod
    def tar_gz(cls, tree: FileTree) -> Artifact:
        """Return the tar.gz of a tree."""
        return cls(tree, encoder=gzip_stored.ENCODER)

    @property
    def is_tar_gz(self) -> bool:
        return self.encoder == gzip_stored.ENCODER

    @property
    def media_type(self) -> str:
        return "application/gzip" if self.is_tar_gz else "application/zip"

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The zip from its first byte to its last, or the tar that lies in the tar.gz.

        Raises SourceError where absent content would have to be read for it: to be compressed, or
        for CRC-32s that are not known.
        """
        if self.is_tar_gz:
            return tuple(tar_segments(self.tree.entries))
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
        """The identity: the digest of the tree, and of the encoder if there is one."""
        if self.encoder is None:
            return self.tree.digest
        identity = f"{self.encoder}\n{self.tree.digest}\n"
        return files.of_bytes(identity.encode()).sha256

    @cached_property
    def size(self) -> int:
        """The size in bytes, which follows from the sizes of its files alone.

        Raises SourceError where it depends on content that is missing: that is to be compressed.
        """
        entries, contents = self.tree.entries, self.contents
        if self.is_tar_gz:
            return gzip_stored.size_of(tar_format.size_of((e.path, e.size) for e in entries))
        if contents is None and self.encoder is not None and self.missing:
            raise self.absence()
        packed = [e.size for e in entries] if contents is None else [c.length for c in contents]
        return zip_format.size_of((e.path, n, e.size) for e, n in zip(entries, packed, strict=True))

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`, straight from the sources."""
        return b"".join(self.blocks(offset, length))

    def blocks(self, offset: int, length: int) -> Iterator[bytearray]:
        """Yield the bytes from `offset` in blocks of bounded size."""
        return self._layout.blocks(offset, self._end(offset, length))

    def read_into(self, buffer: memoryview, offset: int) -> list[Piece]:
        """Fill `buffer` with the bytes from `offset`; say what lies where in it."""
        return self._layout.read_into(buffer[: max(0, self.size - offset)], offset)

    def spans(self, offset: int, length: int) -> Iterator[Span]:
        """Yield where the bytes from `offset` lie."""
        for segment, start, stop in self._layout.cut(offset, self._end(offset, length)):
            yield segment.span(start, stop)

    def crc32(self, offset: int, length: int) -> int:
        """Return the CRC-32 of a range; of chunks that it cuts, the lesser side is read.

        Of a tar.gz all is read, once for the whole: gzip's bytes cut every chunk.
        """
        end = self._end(offset, length)
        if (offset, end) != (0, self.size):
            return self._layout.crc32(offset, end)
        if self._whole_crc32 is None:
            self._whole_crc32 = self._layout.crc32(0, end)
        return self._whole_crc32

    @cached_property
    def _layout(self) -> ByteLayout:
        return FramedTar(self.segments) if self.is_tar_gz else EndToEnd(self.segments)

    def _end(self, offset: int, length: int) -> int:
        return min(offset + length, self.size)


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
