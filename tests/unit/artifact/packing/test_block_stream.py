"""Blocks to several consumers: each gets every byte, in order, while the buffers are still its."""

from __future__ import annotations

import ctypes
import hashlib
import random
import threading

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.block_stream import BLOCK, WORTH_THREADS, Block, stream_blocks
from clarifai_build.progress import Event
from support.trees import artifact_of

SMALL = artifact_of({"a": b"a" * (3 << 20)})
LARGE = artifact_of({"a": b"a", "w": random.Random(7).randbytes(9 * BLOCK + 1)})
_BUFFERS = 6


@pytest.mark.parametrize("zipped", [SMALL, LARGE])
@pytest.mark.parametrize("count", [1, 3])
def test_each_consumer_gets_the_whole_zip(zipped: Artifact, count: int) -> None:
    """In order, with the offset and the segment of every run."""
    got: list[list[tuple[int, bytes]]] = [[] for _ in range(count)]
    runs: list[tuple[int, int]] = []
    heard: list[Event] = []

    def first(block: Block) -> None:
        got[0].append((block.offset, bytes(block.data)))
        runs.extend((piece.segment, len(piece.data)) for piece in block.pieces)

    others = [
        lambda block, mine=mine: mine.append((block.offset, bytes(block.data))) for mine in got[1:]
    ]
    stream_blocks(zipped, [first, *others], heard.append)
    whole = zipped.read(0, zipped.size)
    for mine in got:
        assert b"".join(data for _, data in mine) == whole
        ends = [offset + len(data) for offset, data in mine]
        assert [offset for offset, _ in mine] == [0, *ends[:-1]]
        assert [event.done for event in heard] == ends
    assert {event.total for event in heard} == {zipped.size}
    sizes = {segment.offset: 0 for segment in zipped.segments}
    for segment, length in runs:
        sizes[segment] += length
    assert sizes == {segment.offset: segment.length for segment in zipped.segments}


def test_a_slow_consumer_still_has_its_block() -> None:
    """The others run ahead of it by as many blocks as there are buffers, and no further."""
    seen, moved = 0, threading.Condition()
    sha256 = hashlib.sha256()
    ahead: list[int] = []

    def fast(_block: Block) -> None:
        nonlocal seen
        with moved:
            seen += 1
            moved.notify()

    def slow(block: Block) -> None:
        if not ahead:
            with moved:
                moved.wait_for(lambda: seen >= _BUFFERS, 10)
                moved.wait_for(lambda: seen > _BUFFERS, 0.1)
                ahead.append(seen)
        sha256.update(block.data)

    stream_blocks(LARGE, [slow, fast])
    assert ahead == [_BUFFERS]
    assert sha256.digest() == hashlib.sha256(LARGE.read(0, LARGE.size)).digest()


@pytest.mark.parametrize("zipped", [SMALL, LARGE])
@pytest.mark.parametrize("last", [True, False])
def test_what_a_consumer_raises_is_raised(zipped: Artifact, last: bool) -> None:
    """At its first block or at its last, beside others that work."""

    def fail(block: Block) -> None:
        if not last or block.offset + len(block.data) == zipped.size:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        stream_blocks(zipped, [lambda _block: None, fail])


def test_threads_come_with_size_and_number() -> None:
    """One thread does where there is little to do, or one consumer."""
    assert SMALL.size < WORTH_THREADS < LARGE.size
    for zipped, count, own in ((SMALL, 2, True), (LARGE, 1, True), (LARGE, 2, False)):
        threads: set[int] = set()
        stream_blocks(
            zipped, [lambda _block, seen=threads: seen.add(threading.get_ident())] * count
        )
        assert (threads == {threading.get_ident()}) == own
        assert len(threads) == (1 if own else 2)


def test_blocks_lie_on_pages() -> None:
    """As direct writes have to."""
    places: set[tuple[int, int]] = set()

    def note(block: Block) -> None:
        address = ctypes.addressof(ctypes.c_char.from_buffer(block.data))
        places.add((block.offset % 4096, address % 4096))

    stream_blocks(LARGE, [note, lambda _block: None])
    assert places == {(0, 0)}
