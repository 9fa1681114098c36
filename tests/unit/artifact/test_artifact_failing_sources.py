"""A source that fails while it is packed is an error that names it, and never zeros."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact, stored
from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.artifact.formats import zip_format
from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.packing.block_stream import WORTH_THREADS, stream_blocks
from clarifai_build.artifact.packing.one_pass import hash_and_write
from clarifai_build.artifact.packing.zip_checksum import ZipSum
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.segments import Content, blocks_of
from clarifai_build.artifact.tree import Entry, FileTree, make_tree
from clarifai_build.errors import SourceError
from clarifai_build.progress import Event
from clarifai_build.source.source_file import FileStat
from support.trees import artifact_of, entry_of, manifest_of, write_files

MIB = 1 << 20
# The kernel answers a read of this process's memory at address 0 with EIO.
BAD_DISK = "/proc/self/mem"

Pack = Callable[[Artifact, Path], object]
WAYS: dict[str, Pack] = {
    "read": lambda artifact, _: artifact.read(0, artifact.size),
    "read_into": lambda artifact, _: artifact.read_into(memoryview(bytearray(artifact.size)), 0),
    "blocks": lambda artifact, _: list(artifact.blocks(0, artifact.size)),
    "crc32": lambda artifact, _: artifact.crc32(0, artifact.size - 30),
    "pour": lambda artifact, _: stream_blocks(artifact, [lambda block: None]),
    "threads": lambda artifact, _: stream_blocks(artifact, [lambda block: None] * 2),
    "zip": lambda artifact, out: write_zip(artifact, out / "a.zip"),
    "folder": lambda artifact, out: write_folder(artifact.tree, out / "folder"),
    "sum": lambda artifact, _: ZipSum(artifact).sha256(),
}


def of_file(file: Path | str, size: int) -> Artifact:
    """Return the zip of one file, of which no checksum is known."""
    entry = Entry("w", 0o644, size, "0" * 64, (), str(file), FileStat.of(Path(file).stat()))
    return Artifact(FileTree((entry,)))


@pytest.fixture(params=[5, WORTH_THREADS], ids=["small", "large"])
def artifact(tmp_path: Path, request: pytest.FixtureRequest) -> Artifact:
    """The zip of a file of ones, which is read by one thread or while others write."""
    (tmp_path / "w").write_bytes(b"\1" * request.param)
    return of_file(tmp_path / "w", request.param)


@pytest.fixture
def bad_disk() -> Iterator[Artifact]:
    """The zip of a file that can be opened and not read."""
    with Path(BAD_DISK).open("rb", buffering=0):  # held, so that its inode stays the same
        yield of_file(BAD_DISK, 5)


def refusal(way: str, artifact: Artifact, folder: Path) -> list[tuple[str, str | None]]:
    """Pack an artifact that can't be; return code and file of each problem. Nothing may be left."""
    out = folder / "out"
    out.mkdir()
    with pytest.raises(SourceError) as caught:
        WAYS[way](artifact, out)
    assert list(out.iterdir()) == []
    return [(problem.code, problem.file) for problem in caught.value.problems]


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_vanishes_is_named(way: str, artifact: Artifact, tmp_path: Path) -> None:
    """Whoever reads the zip, and wherever it goes."""
    (tmp_path / "w").unlink()
    assert refusal(way, artifact, tmp_path) == [("vanished", str(tmp_path / "w"))]


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_shrinks_is_named(way: str, artifact: Artifact, tmp_path: Path) -> None:
    """The rest of a block would be zeros."""
    os.truncate(tmp_path / "w", 3)
    assert refusal(way, artifact, tmp_path) == [("changed", str(tmp_path / "w"))]


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_fails_is_named(way: str, bad_disk: Artifact, tmp_path: Path) -> None:
    """With what the system says of it."""
    assert refusal(way, bad_disk, tmp_path) == [("unreadable", BAD_DISK)]
    with pytest.raises(SourceError, match="/proc/self/mem can't be read: Input/output error"):
        bad_disk.read(0, bad_disk.size)


def test_a_file_that_shrinks_between_two_blocks_is_named(tmp_path: Path) -> None:
    """The first block was the file's."""
    (tmp_path / "w").write_bytes(b"\1" * 3 * MIB)
    blocks = blocks_of(of_file(tmp_path / "w", 3 * MIB).tree.entries[0])
    assert next(blocks) == b"\1" * MIB
    os.truncate(tmp_path / "w", 2 * MIB)
    with pytest.raises(SourceError, match="w changed while it was read"):
        list(blocks)


@pytest.mark.parametrize("size", [3 * MIB, 40 * MIB])
def test_a_file_that_shrinks_while_its_zip_is_written_leaves_none(
    size: int, tmp_path: Path
) -> None:
    """With one thread and with several."""
    (tmp_path / "w").write_bytes(b"\1" * size)
    (tmp_path / "out").mkdir()

    def shrink(event: Event) -> None:
        os.truncate(tmp_path / "w", MIB)

    with pytest.raises(SourceError, match="w changed while it was read"):
        write_zip(of_file(tmp_path / "w", size), tmp_path / "out" / "a.zip", shrink)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("stage", "code"), [("hash", "changed"), ("zip", "vanished")])
def test_a_file_that_goes_during_a_cold_build_leaves_no_zip(
    stage: str, code: str, tmp_path: Path
) -> None:
    """It is read twice: for its CRC-32 before the zip, and into it."""
    folder = write_files(tmp_path / "code", {"w": b"\1" * (65 * MIB)})
    (tmp_path / "out").mkdir()

    def remove(event: Event) -> None:
        if event.stage == stage and (stage == "zip" or event.done == event.total):
            (folder / "w").unlink(missing_ok=True)

    with pytest.raises(SourceError) as caught:
        hash_and_write(gather({}, manifest_of(folder)), tmp_path / "out" / "a.zip", remove)
    assert [(p.code, p.file) for p in caught.value.problems] == [(code, str(folder / "w"))]
    assert list((tmp_path / "out").iterdir()) == []


class Spoiling:
    """A buffer that lets something happen when it is sliced for the last time: to be read into."""

    def __init__(self, buffer: memoryview, happen: Callable[[], object], slices: int) -> None:
        self.buffer, self.happen, self.slices = buffer, happen, slices

    def __len__(self) -> int:
        return len(self.buffer)

    def __getitem__(self, part: slice) -> Spoiling | memoryview:
        if self.slices:
            return Spoiling(self.buffer[part], self.happen, self.slices - 1)
        self.happen()
        return self.buffer[part]


def test_a_file_that_shrinks_while_a_block_is_read_is_named(tmp_path: Path) -> None:
    """It was still the one that was found when it was opened."""
    (tmp_path / "w").write_bytes(b"\1" * 5)
    artifact = of_file(tmp_path / "w", 5)
    content = artifact.segments[1]
    buffer = Spoiling(memoryview(bytearray(5)), lambda: os.truncate(tmp_path / "w", 3), slices=1)
    with pytest.raises(SourceError, match="w changed while it was read"):
        artifact.read_into(buffer, content.offset)  # type: ignore[arg-type]


def test_a_range_says_which_segment_each_run_is_of(tmp_path: Path) -> None:
    """From the middle of one to the middle of another; nothing but the range is filled."""
    artifact = artifact_of({"a": b"0123456789", "b": b"abc"})
    whole = artifact.read(0, artifact.size)
    first, content, second = artifact.segments[:3]
    buffer = bytearray(content.length + 7)
    pieces = artifact.read_into(memoryview(buffer), content.offset - 3)
    assert buffer == whole[content.offset - 3 : content.offset + content.length + 4]
    assert [(piece.segment, len(piece.data)) for piece in pieces] == [
        (first.offset, 3),
        (content.offset, 10),
        (second.offset, 4),
    ]


def test_a_range_beyond_the_end_ends_with_the_zip() -> None:
    """As one of a file does."""
    artifact = artifact_of({"a": b"a"})
    whole = artifact.read(0, artifact.size)
    assert artifact.read(artifact.size - 4, 100) == whole[-4:]
    assert artifact.read(artifact.size, 100) == b""
    assert artifact.crc32(artifact.size - 4, 100) == zlib.crc32(whole[-4:])


def test_blocks_are_of_bounded_size(tmp_path: Path) -> None:
    """A file of any size passes through little memory."""
    files = write_files(tmp_path, {"w": b"\1" * (2 * MIB + 5)})
    artifact = Artifact(make_tree({}, manifest_of(files)))
    sizes = [len(block) for block in artifact.blocks(0, artifact.size)]
    assert sizes[1:-1] == [MIB, MIB, 5]


def test_the_encoder_is_part_of_the_identity() -> None:
    """The bytes of a compressed zip depend on it; without one the tree says all."""
    tree = FileTree((entry_of("a", b"a"),))
    assert Artifact(tree).digest == tree.digest
    expected = hashlib.sha256(f"one\n{tree.digest}\n".encode()).hexdigest()
    assert Artifact(tree, (stored(tree.entries[0]),), "one").digest == expected


def test_content_may_lie_in_the_middle_of_a_file(tmp_path: Path) -> None:
    """Where a compressed file is kept beside others, say."""
    (tmp_path / "kept").write_bytes(b"..abc..")
    entry, stamp = entry_of("a", b"abc"), FileStat.of((tmp_path / "kept").stat())
    content = Content(zip_format.STORED, str(tmp_path / "kept"), 2, 3, entry.chunks, stamp)
    artifact = Artifact(FileTree((entry,)), (content,))
    assert artifact.read(0, artifact.size) == artifact_of({"a": b"abc"}).read(0, artifact.size)


def test_as_many_contents_as_files() -> None:
    """A zip with one too few would be another's."""
    with pytest.raises(ValueError, match="shorter"):
        _ = Artifact(FileTree((entry_of("a", b"a"),)), ()).segments
