"""The zip from first byte to last: read once, and handed to whoever needs it, side by side."""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.artifact.artifact import Artifact, Piece
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.progress import Event, ProgressCallback, no_progress

if TYPE_CHECKING:
    from concurrent.futures import Future

WORTH_THREADS = 8 << 20
"""Below this many bytes, threads cost more than they bring."""

BLOCK = 4 << 20
"""So many bytes are handed on at a time. They begin and lie on pages, as direct writes have to."""

_BUFFERS = 6
# One thread alone is fastest where what it has read is still near the processor when it writes.
_NEAR = 1 << 20


class Block(NamedTuple):
    """Bytes of the zip, and which segment each run of them is of.

    They lie in a buffer that is used again once every sink has returned.
    """

    offset: int
    data: memoryview
    pieces: Sequence[Piece]


Sink = Callable[[Block], object]


def stream_blocks(
    artifact: Artifact,
    sinks: Sequence[Sink],
    progress: ProgressCallback = no_progress,
    *,
    cancel: CancelToken = NEVER,
) -> None:
    """Hand each block, in order, to every sink; where it pays, each works on a thread of its own.

    What a sink raises is raised here; SourceError where a file can't be read or has changed.
    """
    if artifact.size < WORTH_THREADS or len(sinks) == 1:
        for block in _blocks(artifact, _NEAR, 1):
            cancel.check()
            for sink in sinks:
                sink(block)
            _tell(progress, block, artifact)
        return
    from concurrent.futures import ThreadPoolExecutor

    under_way: deque[tuple[Block, list[Future[object]]]] = deque()

    def finish_oldest() -> None:
        block, futures = under_way.popleft()
        for future in futures:
            future.result()
        _tell(progress, block, artifact)

    with ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in sinks]
        for block in _blocks(artifact, BLOCK, _BUFFERS):
            cancel.check()
            work = zip(threads, sinks, strict=True)
            under_way.append((block, [thread.submit(sink, block) for thread, sink in work]))
            if len(under_way) == _BUFFERS:
                finish_oldest()
        while under_way:
            finish_oldest()


def _tell(progress: ProgressCallback, block: Block, artifact: Artifact) -> None:
    done = block.offset + len(block.data)
    progress(Event("zip", "running", done=done, total=artifact.size))


def _blocks(artifact: Artifact, length: int, buffers: int) -> Iterator[Block]:
    """Yield the blocks of the zip, each in the next of the buffers."""
    ring = [_buffer(min(length, artifact.size)) for _ in range(buffers)]
    for number, offset in enumerate(range(0, artifact.size, length)):
        data = ring[number % buffers][: artifact.size - offset]
        yield Block(offset, data, artifact.read_into(data, offset))


def _buffer(length: int) -> memoryview:
    """Return pages of this process alone: what could be shared gets no large ones by default."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(bytearray(length))
    buffer = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel may be built without them
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(buffer)
