"""Blocks to a file, through the page cache and past it: the same bytes, on every file system."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarifai_build.artifact.packing.block_stream import BLOCK, Block, Sink, stream_blocks
from clarifai_build.artifact.packing.disk_writer import buffered_writer, writers
from support.trees import artifact_of

PLACES = [Path(tempfile.gettempdir()), Path("/dev/shm")]


def buffered(descriptor: int, _size: int) -> list[Sink]:
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
    place: Path, ways: Callable[[int, int], list[Sink]], size: int
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
