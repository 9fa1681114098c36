"""Blocks to a file, through the page cache and past it: the same bytes, on every file system."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarifai_build.pour import BLOCK, Block, Sink, pour
from clarifai_build.writing import direct_writers, writer
from trees import artifact_of

PLACES = [Path(tempfile.gettempdir()), Path("/dev/shm")]


def buffered(descriptor: int, size: int) -> list[Sink]:
    return [writer(descriptor, size)]


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
@pytest.mark.parametrize("ways", [buffered, direct_writers])
@pytest.mark.parametrize("size", [2 * BLOCK, 2 * BLOCK + 4096, 3 * BLOCK + 1234, 5 * BLOCK - 1])
def test_the_file_is_the_zip(
    place: Path, ways: Callable[[int, int], list[Sink]], size: int
) -> None:
    """Whatever its size, and whether or not the file system knows direct writes."""
    artifact = artifact_of({"a": b"a", "w.bin": random.Random(size).randbytes(size)})
    with opened(place) as (descriptor, file):
        pour(artifact, ways(descriptor, artifact.size))
        assert file.read_bytes() == artifact.read(0, artifact.size)


def test_a_block_that_can_not_go_directly_goes_through_the_page_cache(tmp_path: Path) -> None:
    """Off a page in memory, say, as a file system may ask for more than we know of."""
    content = random.Random(1).randbytes(3 * BLOCK + 1)
    with opened(tmp_path) as (descriptor, file):
        sinks = direct_writers(descriptor, 3 * BLOCK)
        for offset in range(0, 3 * BLOCK, BLOCK):
            data = memoryview(content)[offset + 1 : offset + BLOCK + 1]
            for sink in sinks:
                sink(Block(offset, data, ()))
        assert file.read_bytes() == content[1:]
