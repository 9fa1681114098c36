"""The zip from first byte to last: read once, and handed to all its consumers, side by side."""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from clarifai_build.artifact.segments import Piece
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.progress import Event, ProgressCallback, no_progress

if TYPE_CHECKING:
    from concurrent.futures import Future

WORTH_THREADS = 8 << 20
"""Below this many bytes, threads cost more than they bring."""

BLOCK = 4 << 20
"""Bytes handed on at a time: whole pages, from the start of a page, as direct writes need them."""

# Three are being written (`disk_writer._SHARES`); with the others, reading and sums stay ahead.
_BUFFERS = 6
# One thread alone is fastest where what it has read is still in the processor's cache.
_NEAR = 1 << 20


class ZipSource(Protocol):
    """A zip that is read from its first byte to its last."""

    @property
    def size(self) -> int:
        """Its size in bytes."""

    def read_into(self, buffer: memoryview, offset: int) -> Sequence[Piece]:
        """Fill `buffer` with its bytes from `offset`; say what lies where, as far as is known."""


class Block(NamedTuple):
    """Bytes of the zip, and which segment each run of them is of.

    They lie in a buffer that is used again once every consumer has returned.
    """

    offset: int
    data: memoryview
    pieces: Sequence[Piece]


BlockConsumer = Callable[[Block], object]


def stream_blocks(
    source: ZipSource,
    consumers: Sequence[BlockConsumer],
    progress: ProgressCallback = no_progress,
    *,
    cancel: CancelToken = NEVER,
    length: int = BLOCK,
) -> None:
    """Hand each block, in order, to every consumer; where it pays, each has its own thread.

    `length` is a block's in bytes, whole pages: a source that takes its time needs no large ones.
    What a consumer raises is raised here; SourceError where a file can't be read or has changed.
    """
    if source.size < WORTH_THREADS or len(consumers) == 1:
        for block in _blocks(source, _NEAR, 1):
            cancel.check()
            for consume in consumers:
                consume(block)
            _report(progress, block, source)
        cancel.check()
        return
    from concurrent.futures import ThreadPoolExecutor

    under_way: deque[tuple[Block, list[Future[object]]]] = deque()

    def finish_oldest() -> None:
        block, futures = under_way.popleft()
        for future in futures:
            future.result()
        _report(progress, block, source)

    with ExitStack() as stack:
        # One thread each: a consumer gets its blocks one at a time, in order.
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in consumers]
        for block in _blocks(source, length, _BUFFERS):
            cancel.check()
            work = zip(threads, consumers, strict=True)
            under_way.append((block, [thread.submit(consume, block) for thread, consume in work]))
            # The next block is read into the buffer of the oldest.
            if len(under_way) == _BUFFERS:
                finish_oldest()
        while under_way:
            finish_oldest()
    cancel.check()


def _report(progress: ProgressCallback, block: Block, source: ZipSource) -> None:
    done = block.offset + len(block.data)
    progress(Event("zip", "running", done=done, total=source.size))


def _blocks(source: ZipSource, length: int, buffers: int) -> Iterator[Block]:
    """Yield the blocks of the zip, each in the next of the buffers."""
    ring = [_buffer(min(length, source.size)) for _ in range(buffers)]
    for number, offset in enumerate(range(0, source.size, length)):
        data = ring[number % buffers][: source.size - offset]
        yield Block(offset, data, source.read_into(data, offset))


def _buffer(length: int) -> memoryview:
    """Return private pages: shared memory gets no large ones by default."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(bytearray(length))
    buffer = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel may be built without them
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(buffer)
