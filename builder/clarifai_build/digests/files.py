"""SHA-256 and CRC-32 of files, in one read each, as many at a time as there are processors."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import crc32 as crc
from clarifai_build.errors import Problem, SourceError
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.source.content_checks import NO_RULES, ContentRules
from clarifai_build.source.content_reader import ContentReader
from clarifai_build.source.source_file import (
    FileStat,
    SourceFile,
    fill,
    open_source,
    refuse_changed,
    unreadable,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from io import FileIO

T = TypeVar("T")
R = TypeVar("R")

# Kept digests depend on it: another size needs another number of the cache (`util/cache_dir`).
CHUNK = 64 << 20
"""Bytes that each CRC-32 which is kept covers; those of ranges follow by combining."""

# A second thread is handed each: the handing over must cost little beside the sums.
_BLOCK = 4 << 20
# Files up to this are read in one call; as a step of CRC-32s, it stays in the processor's cache.
_SMALL = 1 << 20
# Below this many bytes in all, starting threads takes longer than they save.
_WORTH_THREADS = 8 << 20
_MOST_AT_ONCE = 8  # a disk gives no more, and each holds a block in memory


class Digest(NamedTuple):
    """What identifies some bytes: their SHA-256 and the CRC-32 of each chunk of `CHUNK` bytes."""

    sha256: str
    chunks: tuple[int, ...]


class FileFacts(NamedTuple):
    """What is known of files, by where they lie: digests of all, and findings of a scan in some.

    Files that could not be read have neither, but a problem.
    """

    digests: dict[str, Digest]
    findings: dict[str, str]
    problems: tuple[Problem, ...] = ()

    def updated(self, newer: FileFacts) -> FileFacts:
        """Return these facts, and newer ones in their place."""
        findings = {f: what for f, what in self.findings.items() if f not in newer.digests}
        return FileFacts(
            self.digests | newer.digests,
            findings | newer.findings,
            self.problems + newer.problems,
        )


def crc32(size: int, chunks: Sequence[int]) -> int:
    """Return the CRC-32 of `size` bytes from those of their chunks."""
    # Nearly every file.
    if len(chunks) == 1:
        return chunks[0]
    return crc.combine_all(
        (chunk, min(CHUNK, size - index * CHUNK)) for index, chunk in enumerate(chunks)
    )


def of_bytes(data: bytes) -> Digest:
    """Digest `data`."""
    if 0 < len(data) <= CHUNK:  # nearly every file
        return Digest(hashlib.sha256(data).hexdigest(), (zlib.crc32(data),))
    chunks = tuple(zlib.crc32(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK))
    return Digest(hashlib.sha256(data).hexdigest(), chunks)


def of_files(
    files: Sequence[SourceFile],
    progress: ProgressCallback = no_progress,
    rules: ContentRules = NO_RULES,
    *,
    cancel: CancelToken = NEVER,
) -> FileFacts:
    """Digest files, and scan the small ones by `rules`."""
    reader = _Reader(sum(file.stamp.size for file in files), progress, rules, cancel)
    read = zip(files, reader.read_all(files), strict=True)
    digests = {file.file: digest for file, digest in read if digest}
    return FileFacts(digests, reader.findings, tuple(dict.fromkeys(reader.problems)))


def chunks_of_files(
    files: Sequence[SourceFile],
    progress: ProgressCallback = no_progress,
    *,
    cancel: CancelToken = NEVER,
) -> dict[str, tuple[int, ...]]:
    """Take the CRC-32s alone, chunk by chunk on every processor, by where the files lie."""
    reader = _Reader(sum(file.stamp.size for file in files), progress, cancel=cancel)
    places = [(file, at) for file in files for at in range(0, file.stamp.size, CHUNK)]
    found: dict[str, tuple[int, ...]] = {file.file: () for file in files}
    sums = reader.side_by_side(lambda place: reader.crc32(*place), places)
    if reader.problems:
        raise SourceError(*dict.fromkeys(reader.problems))
    for (file, _), checksum in zip(places, sums, strict=True):
        found[file.file] += (checksum,)
    return found


class _Reader(ContentReader):
    """Reads files over threads, and counts the bytes."""

    def __init__(
        self,
        total: int,
        progress: ProgressCallback,
        rules: ContentRules = NO_RULES,
        cancel: CancelToken = NEVER,
    ) -> None:
        from threading import local

        from clarifai_build.progress import Tally

        super().__init__(rules)
        self.total, self.cancel = total, cancel
        self.tally = Tally("hash", total, progress)
        self.stop = False
        self.of_thread = local()

    def read_all(self, files: Sequence[SourceFile]) -> list[Digest | None]:
        if self.total < _WORTH_THREADS:
            return [self.read(file) for file in files]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_at_once()) as helpers:

            def read(batch: Sequence[SourceFile]) -> list[Digest | None]:
                return [self.read(file, helpers) for file in batch]

            return list(chain.from_iterable(self.side_by_side(read, _batches(files))))

    def side_by_side(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Work on every processor; when one fails, or is cancelled or interrupted, all end."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_at_once()) as pool:
            try:
                futures = [pool.submit(work, item) for item in items]
                return [future.result() for future in futures]
            except BaseException:
                # Running ones end at their next block (`count`); leaving this block waits for them.
                self.stop = True
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def crc32(self, found: SourceFile, start: int) -> int:
        """Return the CRC-32 of the chunk that begins at `start`."""

        def of_chunk(stream: FileIO) -> int:
            update, checksum = crc.fastest(), 0
            buffer = self.buffer()[:_SMALL]
            stream.seek(start)
            for _ in range(0, CHUNK, _SMALL):
                length = fill(stream, buffer)
                checksum = update(buffer[:length], checksum)
                self.count(length)
            return checksum

        return self.opened(found, of_chunk, 0)

    def read(self, found: SourceFile, helpers: Executor | None = None) -> Digest | None:
        if found.stamp.size > max(_SMALL, self.rules.largest):
            digest = partial(_of_stream, buffer=self.buffer(), count=self.count, helpers=helpers)
            return self.opened(found, digest, None)
        if (content := self.content(found)) is None:
            return None
        self.count(len(content))
        return of_bytes(content)

    def opened(self, found: SourceFile, read: Callable[[FileIO], T], otherwise: R) -> T | R:
        """Let `read` read a file; what is wrong with it becomes a problem among the others."""
        try:
            with open_source(found.file) as stream:
                refuse_changed(found.file, found.stamp, FileStat.of(os.fstat(stream.fileno())))
                result = read(stream)
                refuse_changed(found.file, found.stamp, FileStat.of(os.fstat(stream.fileno())))
                return result
        except InterruptedError:
            raise
        except SourceError as exc:
            self.problems += exc.problems
        except OSError as exc:
            self.problems.append(unreadable(found.file, exc))
        return otherwise

    def buffer(self) -> memoryview:
        """Return this thread's buffer: to zero a new one takes as long as to read a file."""
        if not hasattr(self.of_thread, "buffer"):
            self.of_thread.buffer = memoryview(bytearray(_BLOCK))
        buffer: memoryview = self.of_thread.buffer
        return buffer

    def count(self, length: int) -> None:
        """Count what was read, and leave early when another file failed."""
        if self.stop:
            raise InterruptedError
        self.cancel.check()
        self.tally.add(length)


def _batches(files: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """Yield the files in order, small ones together: to hand one over takes as long as to read it.

    None but a single file has more bytes than a block.
    """
    batch: list[SourceFile] = []
    size = 0
    for file in files:
        if batch and size + file.stamp.size > _BLOCK:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.stamp.size
    if batch:
        yield batch


def _at_once() -> int:
    """Return how many files are read side by side: as many as processors may be used."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, _MOST_AT_ONCE)


def _of_stream(
    stream: FileIO, buffer: memoryview, count: Callable[[int], None], helpers: Executor | None
) -> Digest:
    """Read once; while this thread takes the SHA-256 of a block, a helper takes its CRC-32."""
    sha256 = hashlib.sha256()
    chunks = []
    checksum = size = 0
    update = crc.fastest()
    while length := fill(stream, buffer):
        block = buffer[:length]
        if helpers is None:
            sha256.update(block)
            checksum = update(block, checksum)
        else:
            future = helpers.submit(update, block, checksum)
            sha256.update(block)
            checksum = future.result()
        size += length
        count(length)
        if size % CHUNK == 0:
            chunks.append(checksum)
            checksum = 0
    if size % CHUNK:
        chunks.append(checksum)
    return Digest(sha256.hexdigest(), tuple(chunks))
