"""A cold build of large files: hashed and packed in one read.

The CRC-32s come first, alone, because headers hold them and headers stand before content; they
take a fifth of the time of a SHA-256. Then each block goes to the file's SHA-256, to the zip's, and
to the disk, each on a thread of its own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build import digests, tree
from clarifai_build.archive import Artifact
from clarifai_build.digest_cache import NO_CACHE, DigestCache
from clarifai_build.digests import Digest
from clarifai_build.layout import gather
from clarifai_build.pack import WrittenZip, whole_or_nothing, write_zip, writer
from clarifai_build.pour import Block, pour
from clarifai_build.problem import SourceError
from clarifai_build.progress import Listener, silent

if TYPE_CHECKING:
    from clarifai_build.manifest import Manifest

_LARGE = 1 << 20
_WORTH = 64 << 20


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
    chunks = digests.chunks_of_files(large, listen)
    pending = {file: Digest("", sums) for file, sums in chunks.items()}
    artifact = Artifact(tree.assemble(layout, known | pending))
    with whole_or_nothing(target) as descriptor:
        zip_sha256, hashed = _pour(artifact, descriptor, chunks, listen)
        known |= {file: Digest(hashed[file], sums) for file, sums in chunks.items()}
        artifact = Artifact(tree.complete(layout, known, manifest))
    cache.keep(tree.cache_key(manifest), layout.found, known, read_at)
    cache.keep_zip_sha256(artifact.digest, zip_sha256)
    return artifact, WrittenZip(target, artifact.digest, zip_sha256, artifact.size)


def _pour(
    artifact: Artifact, descriptor: int, large: Collection[str], listen: Listener
) -> tuple[str, dict[str, str]]:
    """Write the zip; return its SHA-256, and those of the large files in it."""
    whole = hashlib.sha256()
    each = {file: hashlib.sha256() for file in large}
    # Backwards, so that of a file that is laid twice the first place counts.
    begins = {s.source: s.offset for s in reversed(artifact.segments) if isinstance(s.source, str)}
    hashers = {begins[file]: sha256 for file, sha256 in each.items()}

    def hash_files(block: Block) -> None:
        for segment, data in block.pieces:
            if segment in hashers:
                hashers[segment].update(data)

    sinks = [
        writer(descriptor, artifact.size),
        lambda block: whole.update(block.data),
        hash_files,
    ]
    pour(artifact, sinks, listen)
    return whole.hexdigest(), {file: sha256.hexdigest() for file, sha256 in each.items()}
