"""The record of what a published zip holds: read from the bucket, and written there."""

from __future__ import annotations

import hashlib

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.contents_record import ContentsRecord, format_record, parse_record
from clarifai_build.artifact.formats.zip_reader import ReadRange
from clarifai_build.errors import ArtifactError, BuilderError, NotAuthorisedError, StorageError
from clarifai_build.progress import ProgressCallback, no_progress, warn
from clarifai_build.source.build_records import MAX_BYTES
from clarifai_build.storage import ObjectStore, StoredObject, is_proven
from clarifai_build.storage.keys import contents_key

# Bytes. Each is a request, and is held in memory.
_BLOCK = 8 << 20


def read(
    store: ObjectStore,
    zip_key: str,
    artifact_digest: str,
    progress: ProgressCallback = no_progress,
) -> ContentsRecord | None:
    """Return the record of the zip at a key; None where there is none, or one that can't be used.

    The latter is a warning, and so is a store that does not answer: nothing depends on a record.
    """
    try:
        body = store.start_of(contents_key(zip_key), MAX_BYTES + 1)
        return parse_record(body, artifact_digest) if body is not None else None
    except (ArtifactError, StorageError, NotAuthorisedError) as error:
        _warn(progress, error)
        return None


def is_whole(record: ContentsRecord, read: ReadRange, size: int) -> bool:
    """Return whether a zip of `size` bytes is the one of a record, by the SHA-256 of each file.

    Reads it all. False for a compressed zip, of which the record does not say what lies where.
    """
    artifact = Artifact(record.tree)
    if record.encoder is not None or artifact.size != size:
        return False
    read = _in_blocks(read, size)
    files = iter([entry for entry in record.tree.entries if entry.size])
    return all(
        read(segment.offset, segment.length) == segment.source
        if isinstance(segment.source, bytes)
        else sha256_of(read, segment.offset, segment.length) == next(files).sha256
        for segment in artifact.segments
    )


def _in_blocks(read: ReadRange, size: int) -> ReadRange:
    """Read ahead: a request for each header would be thousands."""
    block, start = b"", 0

    def read_on(offset: int, length: int) -> bytes:
        nonlocal block, start
        if not start <= offset <= offset + length <= start + len(block):
            block, start = read(offset, min(max(length, _BLOCK), size - offset)), offset
        return block[offset - start : offset - start + length]

    return read_on


def sha256_of(read: ReadRange, start: int, length: int) -> str:
    """Return the SHA-256 of what is read by ranges, as hex."""
    sha256, end = hashlib.sha256(), start + length
    for offset in range(start, end, _BLOCK):
        sha256.update(read(offset, min(_BLOCK, end - offset)))
    return sha256.hexdigest()


def publish(
    store: ObjectStore,
    zip_key: str,
    artifact: Artifact,
    stored: StoredObject,
    progress: ProgressCallback = no_progress,
) -> None:
    """Write the record of an artifact that lies at a key as `stored`, unless it is there already.

    CRC-32s of content that was not read are only recorded where the store's own proves them. A
    store that refuses the record is a warning.
    """
    if artifact.missing and not is_proven(stored, artifact):
        return
    body = format_record(artifact, stored)
    # Of hundreds of thousands of files: nobody would read it.
    if len(body) > MAX_BYTES:
        return
    at = contents_key(zip_key)
    try:
        if store.start_of(at, len(body) + 1) != body:
            store.write(at, body)
    except (StorageError, NotAuthorisedError) as error:
        _warn(progress, error)


def _warn(progress: ProgressCallback, error: BuilderError) -> None:
    problem = error.problems[0]
    warn(progress, problem.code, problem.message, stage="contents", hint=problem.hint)
