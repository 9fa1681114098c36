"""The stored zip of files whose digests are not known yet: each is read once, for both.

Sizes are known before, and so is every offset. What a header needs besides is the CRC-32 of its
file, which is held in memory until then: a large one has to be digested before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.formats.zip_format import Member
from clarifai_build.artifact.layout import Layout
from clarifai_build.artifact.segments import Piece, Span, read_span
from clarifai_build.digests.files import Digest, crc32, of_bytes
from clarifai_build.source.content_reader import ContentReader
from clarifai_build.source.source_file import SourceFile


class Draft:
    """A zip that can be read from its first byte to its last, once.

    What is not in `known`, by where it lies, is read by `reader`, and its digest is in `digests`
    afterwards. With a file that can't be read the zip is worth nothing, but it goes on: what is
    wrong with the others is to be told, too.
    """

    def __init__(self, layout: Layout, known: Mapping[str, Digest], reader: ContentReader) -> None:
        self._files: dict[str, bytes | SourceFile] = {**layout.generated, **layout.files}
        self._paths = sorted(self._files)
        sizes = ((path, _size(self._files[path])) for path in self._paths)
        self.size = zip_format.size_of((path, size, size) for path, size in sizes)
        self.digests: dict[str, Digest] = {}
        self._known, self._reader = known, reader
        self._runs = self._content()
        self._rest: bytes | bytearray = b""

    def read_into(self, buffer: memoryview, _offset: int) -> tuple[Piece, ...]:
        """Fill `buffer` with the next bytes of the zip."""
        runs, length = [self._rest], len(self._rest)
        while length < len(buffer):
            runs.append(next(self._runs))
            length += len(runs[-1])
        # Joined, because a small file takes less time than a slice of a buffer.
        data = memoryview(b"".join(runs))
        buffer[:] = data[: len(buffer)]
        self._rest = bytes(data[len(buffer) :])
        return ()

    def _content(self) -> Iterator[bytes | bytearray]:
        directory, offset = bytearray(), 0
        for path in self._paths:
            source = self._files[path]
            size = _size(source)
            checksum, blocks = self._read(source, size)
            mode = 0o644 if isinstance(source, bytes) else source.mode
            member = Member(path, mode, zip_format.STORED, checksum, size, size)
            directory += zip_format.central_header(member, offset)
            header = zip_format.local_header(member)
            offset += len(header) + size
            yield header
            yield from blocks
        end = zip_format.end(len(self._files), len(directory), offset)
        yield directory
        yield end

    def _read(
        self, source: bytes | SourceFile, size: int
    ) -> tuple[int, Iterable[bytes | bytearray]]:
        """Return the CRC-32 of a file, and its content in blocks."""
        if isinstance(source, bytes):
            return crc32(size, of_bytes(source).chunks), (source,)
        if known := self._known.get(source.file):
            return crc32(size, known.chunks), read_span(Span(source.file, 0, size, source.stamp))
        content = self._reader.content(source)
        if content is None:
            return 0, (bytes(size),)
        digest = self.digests[source.file] = of_bytes(content)
        return crc32(size, digest.chunks), (content,)


def _size(source: bytes | SourceFile) -> int:
    return len(source) if isinstance(source, bytes) else source.stamp.size
