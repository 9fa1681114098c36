"""Blocks to a file, past the page cache or not: the same bytes on every system, or an error."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.block_stream import (
    BLOCK,
    WORTH_THREADS,
    Block,
    BlockConsumer,
    stream_blocks,
)
from clarifai_build.artifact.packing.disk_writer import buffered_writer, writers
from support.trees import artifact_of

PLACES = [Path(tempfile.gettempdir()), Path("/dev/shm")]


def buffered(descriptor: int, _size: int) -> list[BlockConsumer]:
    return [buffered_writer(descriptor)]


@contextmanager
def opened(folder: Path) -> Iterator[tuple[int, Path]]:
    """Give a new file below a folder."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        file = Path(made, "file")
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
        try:
            yield descriptor, file
        finally:
            os.close(descriptor)


@pytest.mark.parametrize("place", [place for place in PLACES if place.is_dir()])
@pytest.mark.parametrize("ways", [buffered, writers])
@pytest.mark.parametrize("size", [2 * BLOCK, 2 * BLOCK + 4096, 3 * BLOCK + 1234, 5 * BLOCK - 1])
def test_the_file_is_the_zip(
    place: Path, ways: Callable[[int, int], list[BlockConsumer]], size: int
) -> None:
    """Whatever its size, and whether or not the file system knows direct writes."""
    artifact = artifact_of({"a": b"a", "w.bin": random.Random(size).randbytes(size)})
    with opened(place) as (descriptor, file):
        stream_blocks(artifact, ways(descriptor, artifact.size))
        assert file.read_bytes() == artifact.read(0, artifact.size)


def test_a_block_that_can_not_go_directly_goes_through_the_page_cache(tmp_path: Path) -> None:
    """Off a page in memory, say, as a file system may ask for more than we know of."""
    content = random.Random(1).randbytes(3 * BLOCK + 1)
    with opened(tmp_path) as (descriptor, file):
        sinks = writers(descriptor, 3 * BLOCK)
        for offset in range(0, 3 * BLOCK, BLOCK):
            data = memoryview(content)[offset + 1 : offset + BLOCK + 1]
            for sink in sinks:
                sink(Block(offset, data, ()))
        assert file.read_bytes() == content[1:]


def test_a_file_system_that_can_not_reserve_is_not_made_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the C library writes a byte a block, 2 million for 8 GiB, unless a file is appended to.

    No such file system is at hand without rights: this stands for what glibc does there.
    """
    asked: list[int] = []

    def reserve(descriptor: int, _offset: int, _size: int) -> None:
        asked.append(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(os, "posix_fallocate", reserve)
    artifact = artifact_of({"w.bin": random.Random(2).randbytes(3 * BLOCK)})
    with opened(tmp_path) as (descriptor, file):
        sinks = writers(descriptor, artifact.size)
        assert len(sinks) == 1, "some mounts take blocks in their order only"
        stream_blocks(artifact, sinks)
        assert file.read_bytes() == artifact.read(0, artifact.size)
    assert asked == [os.O_APPEND]


def test_blocks_may_lie_on_large_pages() -> None:
    """Direct writes take hold of every page; of small ones there are five hundred times as many."""
    mappings: list[str] = []
    artifact = artifact_of({"w.bin": bytes(2 * BLOCK)})
    stream_blocks(artifact, [lambda block: mappings.append(mapping_of(block.data)), lambda _: None])
    assert len(mappings) == 3
    for mapping in mappings:
        assert re.match(r"\S+ rw-p ", mapping), "memory that could be shared gets none"
        assert re.search(r"^VmFlags: .*\bhg\b", mapping, re.MULTILINE)


def mapping_of(data: memoryview) -> str:
    """Return what the kernel tells of the memory where `data` lies."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(data))
    for mapping in re.split(r"\n(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text()):
        begin, end = mapping.split(" ", 1)[0].split("-")
        if int(begin, 16) <= address < int(end, 16):
            return mapping
    raise AssertionError(hex(address))


LARGE = artifact_of({"w.bin": random.Random(3).randbytes(3 * BLOCK + 77)})
SMALL = artifact_of({"a": b"a"})


def written(folder: Path, sinks: int, zipped: Artifact = LARGE) -> None:
    """Write a zip by as many sinks, and compare."""
    descriptor = os.open(folder / "file", os.O_RDWR | os.O_CREAT)
    try:
        made = writers(descriptor, zipped.size)
        assert len(made) == sinks
        stream_blocks(zipped, made)
    finally:
        os.close(descriptor)
    assert (folder / "file").read_bytes() == zipped.read(0, zipped.size)


def test_a_small_zip_takes_one_writer(tmp_path: Path) -> None:
    """Whatever the disk can do."""
    assert SMALL.size < WORTH_THREADS < LARGE.size
    written(tmp_path, 1, SMALL)


@pytest.mark.parametrize("lacking", ["O_DIRECT", "posix_fallocate"])
def test_a_system_that_lacks_something_writes_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """As macOS and Windows do."""
    monkeypatch.delattr(os, lacking)
    written(tmp_path, 1)


def test_a_system_without_advice_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page cache is its own affair then."""
    monkeypatch.delattr(os, "posix_fadvise")
    monkeypatch.delattr(os, "O_DIRECT")
    written(tmp_path, 1)


def test_what_was_written_leaves_the_page_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 64 MiB before the block, or the beginning, to its end."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        os, "posix_fadvise", lambda _fd, begin, length, _advice: asked.append((begin, length))
    )
    with (tmp_path / "file").open("wb", buffering=0) as file:
        write = buffered_writer(file.fileno())
        for offset in (0, 5, 100 << 20):
            write(Block(offset, memoryview(b"12345"), ()))
    assert asked == [(0, 5), (0, 10), (36 << 20, (64 << 20) + 5)]


def test_the_last_block_turns_direct_writes_off(tmp_path: Path) -> None:
    """It is no whole number of pages; the file ends where the zip does."""
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    sinks = writers(descriptor, 3 * BLOCK + 5)
    try:
        for sink in sinks:
            sink(Block(0, memoryview(b"1" * BLOCK), ()))
            sink(Block(3 * BLOCK, memoryview(b"12345"), ()))
        assert os.fstat(descriptor).st_size == 3 * BLOCK + 5
        assert os.pread(descriptor, 9, 3 * BLOCK) == b"12345"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["direct", "buffered"])
def test_a_write_that_fails_is_raised(tmp_path: Path, kind: str) -> None:
    """To a file that may not be written to."""
    (tmp_path / "file").touch()
    descriptor = os.open(tmp_path / "file", os.O_RDWR)
    made = writers(descriptor, LARGE.size) if kind == "direct" else [buffered_writer(descriptor)]
    os.close(descriptor)
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            stream_blocks(LARGE, made)
        assert caught.value.errno == errno.EBADF
    finally:
        os.close(descriptor)


def test_a_disk_without_room_is_found_out_at_once(tmp_path: Path) -> None:
    """Before an hour's copying."""
    code = (
        "import os, resource, sys\n"
        "from clarifai_build.artifact.packing.disk_writer import writers\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n    writers(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), 16 << 20)\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "File too large\n", done.stderr
