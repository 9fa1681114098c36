"""The zip as a pure function of the tree: every offset is known before the first byte is written.

Files are stored, not deflated. docs/reference/artifact.md says what each field holds and why.
"""

from __future__ import annotations

import hashlib
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from clarifai_build.digests import refuse_changed
from clarifai_build.problem import ArtifactError, SourceError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.tree import Entry, FileTree
from clarifai_build.walk import Stamp

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_END64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<IIQI")
_LIMIT32 = 0xFFFFFFFF
_LIMIT16 = 0xFFFF
_TIME, _DATE = 0, 1 << 5 | 1  # midnight, 1980-01-01
_UNIX = 3 << 8
_REGULAR = 0o100000
_UTF8 = 1 << 11
_BLOCK = 1 << 20


class Segment(NamedTuple):
    """A run of bytes of the zip: a header, or the content of an entry."""

    offset: int
    length: int
    source: bytes | Entry


@dataclass(frozen=True, slots=True)
class Artifact:
    """The zip of a tree, which need not exist anywhere."""

    tree: FileTree
    segments: tuple[Segment, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(_lay_out(self.tree)))

    @property
    def digest(self) -> str:
        """The digest of the tree."""
        return self.tree.digest

    @property
    def size(self) -> int:
        """The size of the zip in bytes."""
        last = self.segments[-1]
        return last.offset + last.length

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of the zip from `offset`, straight from the sources."""
        return b"".join(self.blocks(offset, length))

    def blocks(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes of the zip from `offset` in blocks of bounded size."""
        end = min(offset + length, self.size)
        index = bisect_right(self.segments, offset, key=lambda segment: segment.offset) - 1
        while offset < end:
            segment = self.segments[index]
            index += 1
            start = offset - segment.offset
            stop = min(end - segment.offset, segment.length)
            yield from _blocks_of(segment.source, start, stop)
            offset = segment.offset + stop


@dataclass(frozen=True, slots=True)
class WrittenZip:
    """A zip on disk: its tree's digest, and the SHA-256 of the file itself."""

    path: Path
    digest: str
    sha256: str
    size: int


def write_zip(artifact: Artifact, target: Path, listen: Listener = silent) -> WrittenZip:
    """Write the zip to `target`, all or nothing."""
    import tempfile

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as stream:
            sha256 = hashlib.sha256()
            done = 0
            for block in artifact.blocks(0, artifact.size):
                sha256.update(block)
                done += stream.write(block)
                listen(Event("zip", "running", done=done, total=artifact.size))
            os.fsync(stream.fileno())
        partial.chmod(0o644)
        partial.replace(target)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    finally:
        partial.unlink(missing_ok=True)
    return WrittenZip(target, artifact.digest, sha256.hexdigest(), artifact.size)


def _unwritable(target: Path, exc: OSError) -> Exception:
    return ArtifactError.of("unwritable", f"{target} can't be written: {exc.strerror}")


def _blocks_of(source: bytes | Entry, start: int, stop: int) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source[start:stop]
    elif isinstance(source.source, bytes):
        yield source.source[start:stop]
    else:
        yield from _blocks_of_file(source, source.source, start, stop)


def _blocks_of_file(entry: Entry, file: str, start: int, stop: int) -> Iterator[bytes]:
    try:
        with Path(file).open("rb", buffering=0) as stream:
            stream.seek(start)
            while start < stop and (block := stream.read(min(_BLOCK, stop - start))):
                yield block
                start += len(block)
            stamp = Stamp.of(os.fstat(stream.fileno()))
    except OSError as exc:
        raise SourceError.of(
            "unreadable", f"{file} can't be read: {exc.strerror}", file=file
        ) from exc
    refuse_changed(file, entry.stamp, stamp)


def _lay_out(tree: FileTree) -> Iterator[Segment]:
    offset = 0
    central = bytearray()
    for entry in tree.entries:
        name = entry.path.encode()
        header = _local_header(entry, name)
        central += _central_header(entry, name, offset)
        yield Segment(offset, len(header), header)
        offset += len(header)
        if entry.size:
            yield Segment(offset, entry.size, entry)
            offset += entry.size
    directory = bytes(central) + _end(len(tree.entries), len(central), offset)
    yield Segment(offset, len(directory), directory)


def _local_header(entry: Entry, name: bytes) -> bytes:
    large = entry.size >= _LIMIT32
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if large else b""
    size = _LIMIT32 if large else entry.size
    return (
        _LOCAL.pack(
            0x04034B50,
            45 if large else 20,
            _flags(entry),
            0,
            _TIME,
            _DATE,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def _central_header(entry: Entry, name: bytes, offset: int) -> bytes:
    wide = [entry.size, entry.size] if entry.size >= _LIMIT32 else []
    wide += [offset] if offset >= _LIMIT32 else []
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size = min(entry.size, _LIMIT32)
    version = 45 if wide else 20
    return (
        _CENTRAL.pack(
            0x02014B50,
            _UNIX | version,
            version,
            _flags(entry),
            0,
            _TIME,
            _DATE,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            (_REGULAR | entry.mode) << 16,
            min(offset, _LIMIT32),
        )
        + name
        + extra
    )


def _flags(entry: Entry) -> int:
    return 0 if entry.path.isascii() else _UTF8


def _end(count: int, size: int, offset: int) -> bytes:
    wide = b""
    if count >= _LIMIT16 or size >= _LIMIT32 or offset >= _LIMIT32:
        wide = _END64.pack(
            0x06064B50, 44, _UNIX | 45, 45, 0, 0, count, count, size, offset
        ) + _LOCATOR64.pack(0x07064B50, 0, offset + size, 1)
    few = min(count, _LIMIT16)
    return wide + _END.pack(
        0x06054B50, 0, 0, few, few, min(size, _LIMIT32), min(offset, _LIMIT32), 0
    )
