"""A cold build: hashed and packed in one read.

Small files are digested as they come to lie in the zip. Of large ones the CRC-32s come first,
alone, because headers hold them and headers stand before content; they take a fifth of the time of
a SHA-256. Then each block goes to the file's SHA-256, to the zip's, and to the disk, each on
threads of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.layout import Layout
from clarifai_build.artifact.packing.block_stream import Block, stream_blocks
from clarifai_build.artifact.packing.disk_writer import writers
from clarifai_build.artifact.packing.draft import Draft
from clarifai_build.artifact.packing.output_files import Outputs
from clarifai_build.artifact.packing.zip_writer import (
    Records,
    WrittenZip,
    finish,
    no_records,
    write_zip,
)
from clarifai_build.artifact.segments import Segment
from clarifai_build.artifact.tree import FileTree, build_tree, digest_files, refuse_findings, settle
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import crc32 as crc
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.digests.files import Digest, FileFacts, chunks_of_files, crc32
from clarifai_build.digests.plan import DigestPlan
from clarifai_build.errors import SourceError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.source import source_file
from clarifai_build.source.content_reader import ContentReader

# Bytes of large files. To read fewer twice, from the page cache, costs at most 0.03 s.
_MIN_BYTES = 64 << 20
# Bytes of a zip of small files that are handed on at a time: consumers wait for them anyway.
_BLOCK = 1 << 20


def hash_and_write(
    layout: Layout,
    target: Path,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    records: Records = no_records,
    make: Callable[[FileTree], Artifact] = Artifact,
    *,
    cancel: CancelToken = NEVER,
) -> tuple[Artifact, WrittenZip]:
    """Write the artifact of what was found; what is not known of it is read once where that pays.

    `make` says what it is of the tree: the zip, or the tar.gz.
    """
    plan = cache.plan(layout.manifest_path, layout.found)
    if plan.is_done:
        artifact = make(digest_files(layout, plan, progress, cache, cancel=cancel))
        return artifact, write_zip(artifact, target, progress, cache, records, cancel=cancel)
    is_small = plan.large_size < _MIN_BYTES and make is Artifact
    write = _write_small if is_small else partial(_write_large, make)
    with Outputs(target) as outputs:
        zip_sha256, facts = write(layout, plan, outputs, progress, cancel)
        artifact = make(settle(layout, plan, facts, cache))
        # What is in the tree by now takes as much memory again, and the records need some.
        del facts
        progress(Event("tree", "done", f"{len(artifact.tree.entries)} files"))
        return artifact, finish(outputs, artifact, zip_sha256, cache, records)


def _write_small(
    layout: Layout,
    plan: DigestPlan,
    outputs: Outputs,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[str, FileFacts]:
    """Write the zip; return its SHA-256, and what is known of all files, problems included."""
    facts = plan.read_large(progress, cancel=cancel)
    reader, whole = ContentReader(plan.rules), hashlib.sha256()
    draft = Draft(layout, facts.digests, reader)
    write = writers(outputs.open(), draft.size)
    consumers = [lambda block: whole.update(block.data), *write]
    stream_blocks(draft, consumers, progress, cancel=cancel, length=_BLOCK)
    read = FileFacts(draft.digests, reader.findings, tuple(reader.problems))
    return whole.hexdigest(), facts.updated(read)


def _write_large(
    make: Callable[[FileTree], Artifact],
    layout: Layout,
    plan: DigestPlan,
    outputs: Outputs,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[str, FileFacts]:
    """Write the zip likewise; small files are read before, since they may be refused."""
    facts = plan.read_small(cancel=cancel)
    refuse_findings(layout, facts)
    chunks = chunks_of_files(plan.large, progress, cancel=cancel)
    # The zip holds no SHA-256s, so that they can follow.
    unhashed = {file: Digest("", sums) for file, sums in chunks.items()}
    draft = make(build_tree(layout, facts.digests | unhashed))
    zip_sha256, hashed = _write(draft, outputs.open(), chunks, progress, cancel)
    return zip_sha256, facts.updated(FileFacts(hashed, {}))


def _write(
    artifact: Artifact,
    descriptor: int,
    large: Collection[str],
    progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[str, dict[str, Digest]]:
    """Write the zip; return its SHA-256, and the digests of the large files in it.

    Raises SourceError where a file is not the one whose CRC-32s were taken before: one that is
    mapped into a program's memory can change while its timestamps stay.
    """
    whole = hashlib.sha256()
    # Backwards, so that of a file that is laid twice the first place counts.
    first = {s.source: s for s in reversed(artifact.segments) if isinstance(s.source, str)}
    files = {first[file].offset: _LargeFile(first[file]) for file in large}

    def of_large(block: Block) -> Iterator[tuple[_LargeFile, memoryview]]:
        return ((files[p.segment], p.data) for p in block.pieces if p.segment in files)

    def hash_files(block: Block) -> None:
        for file, data in of_large(block):
            file.sha256.update(data)

    def check_files(block: Block) -> None:
        for file, data in of_large(block):
            file.crc32 = crc.fastest()(data, file.crc32)

    def hash_zip(block: Block) -> None:
        whole.update(block.data)

    write = writers(descriptor, artifact.size)
    consumers = [hash_zip, hash_files, check_files, *write]
    stream_blocks(artifact, consumers, progress, cancel=cancel)
    if changed := [source_file.changed(file.path) for file in files.values() if file.is_another()]:
        raise SourceError(*changed)
    return whole.hexdigest(), {file.path: file.digest for file in files.values()}


class _LargeFile:
    """The sums of a large file, taken block by block."""

    def __init__(self, segment: Segment) -> None:
        self.segment, self.path = segment, str(segment.source)
        self.sha256 = hashlib.sha256()
        self.crc32 = 0

    @property
    def digest(self) -> Digest:
        return Digest(self.sha256.hexdigest(), self.segment.chunks)

    def is_another(self) -> bool:
        return self.crc32 != crc32(self.segment.length, self.segment.chunks)
