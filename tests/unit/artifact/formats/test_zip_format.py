"""The records of a zip: every byte of them, and what another reader makes of the wide ones."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.formats.zip_format import (
    DEFLATED,
    STORED,
    Member,
    central_header,
    end,
    local_header,
)
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests import files

LARGE = 5 << 30
LIMIT = 0xFFFFFFFF
SMALL = Member("a/é", 0o755, DEFLATED, 0x01020304, 7, 9)
NAME = "a/é".encode()


def test_the_header_of_a_small_file() -> None:
    """Version 2.0, UTF-8 where the name needs it, midnight of 1980-01-01, no extra field."""
    assert local_header(SMALL) == (
        struct.pack("<IHHHHHIII", 0x04034B50, 20, 0x800, 8, 0, 0x21, 0x01020304, 7, 9)
        + struct.pack("<HH", 4, 0)
        + NAME
    )
    assert local_header(SMALL._replace(path="a"))[6:8] == b"\0\0"


def test_the_entry_of_a_small_file() -> None:
    """Made on Unix by version 2.0; the mode is that of a regular file."""
    assert central_header(SMALL, 77) == (
        struct.pack("<IHHHHHHIII", 0x02014B50, 0x314, 20, 0x800, 8, 0, 0x21, 0x01020304, 7, 9)
        + struct.pack("<HHHHHII", 4, 0, 0, 0, 0, 0o100755 << 16, 77)
        + NAME
    )


@pytest.mark.parametrize(("packed", "size"), [(LARGE, LARGE), (7, LARGE), (LIMIT, LIMIT - 1)])
def test_the_header_of_a_large_file(packed: int, size: int) -> None:
    """Version 4.5; both sizes are wide, as the format asks for, or none."""
    assert local_header(Member("a", 0o644, STORED, 1, packed, size)) == (
        struct.pack("<IHHHHHIII", 0x04034B50, 45, 0, 0, 0, 0x21, 1, LIMIT, LIMIT)
        + struct.pack("<HH", 1, 20)
        + b"a"
        + struct.pack("<HHQQ", 1, 16, size, packed)
    )
    below = local_header(Member("a", 0o644, STORED, 1, LIMIT - 1, LIMIT - 1))
    assert (below[4:6], len(below)) == (b"\x14\0", 31)


@pytest.mark.parametrize(
    ("size", "packed", "offset", "wide"),
    [
        (LARGE, LARGE, LARGE, (LARGE, LARGE, LARGE)),
        (LARGE, 7, 77, (LARGE,)),
        (7, 7, LIMIT, (LIMIT,)),
        (LIMIT, 7, LARGE, (LIMIT, LARGE)),
    ],
)
def test_the_entry_of_a_large_file(
    size: int, packed: int, offset: int, wide: tuple[int, ...]
) -> None:
    """Only what 32 bits can't hold is in the wide field, in the order of the format."""
    found = central_header(Member("a", 0o644, STORED, 1, packed, size), offset)
    assert found == (
        struct.pack("<IHHHHHHI", 0x02014B50, 0x32D, 45, 0, 0, 0, 0x21, 1)
        + struct.pack("<II", min(packed, LIMIT), min(size, LIMIT))
        + struct.pack("<HHHHHII", 1, 4 + 8 * len(wide), 0, 0, 0, 0o100644 << 16, min(offset, LIMIT))
        + b"a"
        + struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide)
    )


@pytest.mark.parametrize(
    ("count", "size", "offset"),
    [(65_535, 9, 99), (3, LIMIT, 99), (3, 9, LIMIT), (70_000, LARGE, 2 * LARGE)],
)
def test_the_end_of_a_large_zip(count: int, size: int, offset: int) -> None:
    """The wide record, where that is, and the plain one with as much as it can hold."""
    few = min(count, 0xFFFF)
    plain = (few, few, min(size, LIMIT), min(offset, LIMIT), 0)
    assert end(count, size, offset) == (
        struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x32D, 45, 0, 0, count, count, size, offset)
        + struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1)
        + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, *plain)
    )


def test_the_end_of_a_small_zip() -> None:
    """The largest that is one."""
    plain = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 65_534, 65_534, LIMIT - 1, LIMIT - 1, 0)
    assert end(65_534, LIMIT - 1, LIMIT - 1) == plain


class Opened(io.RawIOBase):
    """A zip of which only the records are there to be read."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact, self.at = artifact, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.artifact.size)[whence]
        return self.at

    def read(self, size: int = -1) -> bytes:
        found = self.artifact.read(self.at, self.artifact.size if size < 0 else size)
        self.at += len(found)
        return found


def test_another_reader_finds_what_lies_behind_4_gib() -> None:
    """Python's own lists it, with its sizes and its place, and reads a small file there."""
    large = Entry("a", 0o644, LARGE, "0" * 64, (0,) * 80, "nowhere")
    digest = files.of_bytes(b"behind")
    small = Entry("b", 0o755, 6, digest.sha256, digest.chunks, b"behind")
    with zipfile.ZipFile(Opened(Artifact(FileTree.of((large, small))))) as read:
        assert [(i.filename, i.file_size, i.compress_size) for i in read.infolist()] == [
            ("a", LARGE, LARGE),
            ("b", 6, 6),
        ]
        assert read.infolist()[1].header_offset > LARGE
        assert read.read("b") == b"behind"
