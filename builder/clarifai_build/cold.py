"""A cold build of large files: hashed and packed in one read.

The CRC-32s come first, alone, because headers hold them and headers stand before content; they
take a fifth of the time of a SHA-256. Then each block goes to the file's SHA-256, to the zip's, and
to the disk, each on a thread of its own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from clarifai_build import digests, tree
from clarifai_build.archive import Artifact, read_span
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.digests import Digest
from clarifai_build.layout import gather
from clarifai_build.pack import (
    WrittenZip,
    preallocate,
    start_writing_back,
    whole_or_nothing,
    write_all,
    write_zip,
)
from clarifai_build.problem import SourceError
from clarifai_build.progress import Event, Listener, silent

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest

_LARGE = 1 << 20
_WORTH = 64 << 20
_AHEAD = 8
Block = tuple[bytes, str]
"""Bytes of the zip, and the file that they come from, or nothing."""


def build_zip(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    target: Path,
    listen: Listener = silent,
    cache: DigestCache = NO_CACHE,
) -> tuple[Artifact, WrittenZip]:
    """Lay the tree out and write its zip; what has to be read is read once where that pays."""
    layout = gather(generated, manifest, listen, target)
    known, unread = cache.look_up(tree.cache_key(manifest), layout.found)
    large = [file for file in unread if file.stamp.size > _LARGE]
    if cache.verify or sum(file.stamp.size for file in large) < _WORTH:
        artifact = Artifact(tree.lay_out(generated, manifest, listen, cache, target))
        return artifact, write_zip(artifact, target, listen, cache)
    read_at = time.time_ns()
    inspect = tree.inspector(manifest)
    small = [file for file in unread if file.stamp.size <= _LARGE]
    for file, digest in zip(small, digests.of_files(small, silent, inspect), strict=True):
        known[file.file] = digest
    if problems := [problem for file in large if (problem := inspect(file, b""))]:
        raise SourceError(*problems)
    chunks = digests.chunks_of_files(large)
    pending = {file: Digest("", sums) for file, sums in chunks.items()}
    artifact = Artifact(tree.assemble(layout, known | pending))
    with whole_or_nothing(target) as descriptor:
        zip_sha256, hashed = _pour(artifact, descriptor, set(chunks), listen)
        known |= {file: Digest(hashed[file], sums) for file, sums in chunks.items()}
        artifact = Artifact(tree.complete(layout, known, manifest))
    cache.keep(tree.cache_key(manifest), layout.found, known, read_at)
    cache.keep_zip_sha256(artifact.digest, zip_sha256)
    return artifact, WrittenZip(target, artifact.digest, zip_sha256, artifact.size)


def _pour(
    artifact: Artifact, descriptor: int, large: set[str], listen: Listener
) -> tuple[str, dict[str, str]]:
    """Send every block of the zip through the three threads; return the SHA-256s."""
    whole = hashlib.sha256()
    each = {file: hashlib.sha256() for file in large}
    done = 0

    def write(block: Block) -> None:
        nonlocal done
        count = write_all(descriptor, block[0])
        start_writing_back(descriptor, done, count)
        done += count
        listen(Event("zip", "running", done=done, total=artifact.size))

    consumers = [
        _Consumer(lambda block: whole.update(block[0])),
        _Consumer(lambda block: each[block[1]].update(block[0]) if block[1] else None),
        _Consumer(write),
    ]
    preallocate(descriptor, artifact.size)
    try:
        for segment in artifact.segments:
            source = segment.source if isinstance(segment.source, str) else ""
            file = source if source in large else ""
            large.discard(source)  # a file that is laid twice is hashed once
            for span in artifact.spans(segment.offset, segment.length):
                for data in read_span(span):
                    for consumer in consumers:
                        consumer.take((data, file))
    finally:
        for consumer in consumers:
            consumer.end()
    for consumer in consumers:
        consumer.check()
    return whole.hexdigest(), {file: sha256.hexdigest() for file, sha256 in each.items()}


class _Consumer:
    """A thread that does the same with block after block, a few behind whoever brings them."""

    def __init__(self, work: Callable[[Block], object]) -> None:
        self.work = work
        self.failure: OSError | None = None
        self.queue: Queue[Block | None] = Queue(_AHEAD)
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def take(self, block: Block) -> None:
        self.check()
        self.queue.put(block)

    def end(self) -> None:
        self.queue.put(None)
        self.thread.join()

    def check(self) -> None:
        """Raise what went wrong on the thread."""
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        while (block := self.queue.get()) is not None:
            if self.failure is None:
                self._do(block)

    def _do(self, block: Block) -> None:
        try:
            self.work(block)
        except OSError as exc:
            self.failure = exc
