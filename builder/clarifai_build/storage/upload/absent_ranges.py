"""What has to be sent of content that is not on this machine, read from objects of the store."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests.files import CHUNK
from clarifai_build.net.s3_responses import UNREADABLE
from clarifai_build.storage.upload.copy_sources import CopySource, Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Bytes, held in memory: what a dozen parts take along. Of more, the content itself is needed.
_MOST = 64 << 20


class _Range(NamedTuple):
    """What is needed of the content of a file."""

    entry: Entry
    start: int
    end: int


def fetch_needed(
    artifact: Artifact, runs: Iterable[Run], sources: Sequence[CopySource], client: S3Client
) -> Artifact:
    """Return an artifact of which all can be read that is to be sent.

    Raises AbsentContentError where that is too much to be fetched so, lies in none of `sources` as
    these were, or is not what is known of it.
    """
    if not artifact.missing:
        return artifact
    ranges = _needed(artifact, runs)
    if sum(end - start for _, start, end in ranges) > _MOST:
        raise artifact.absence()
    places = _places(ranges, sources)
    fetched: dict[str, list[tuple[int, bytes]]] = {}
    for needed in ranges:
        body = _fetch(client, needed, places)
        if body is None:
            raise artifact.absence()
        fetched.setdefault(needed.entry.sha256, []).append((needed.start, body))
    entries = tuple(_with(entry, fetched) for entry in artifact.tree.entries)
    return Artifact(FileTree(entries))


def _needed(artifact: Artifact, runs: Iterable[Run]) -> list[_Range]:
    """Return the ranges of absent contents, each once, that lie in runs to send."""
    entries = {entry.sha256: entry for entry in artifact.missing}
    spans = (
        span
        for run in runs
        if not run.source
        for span in artifact.spans(run.offset, run.length)
        if isinstance(span.source, Absent)
    )
    needed = (
        _Range(entries[span.source.sha256], span.start, span.start + span.length)
        for span in spans
        if isinstance(span.source, Absent)
    )
    return list(dict.fromkeys(needed))


def _places(
    ranges: Iterable[_Range], sources: Sequence[CopySource]
) -> dict[str | bytes, list[tuple[CopySource, int]]]:
    """Return in which objects contents lie, and where they begin there."""
    sizes: dict[str | bytes, int] = {r.entry.sha256: r.entry.size for r in ranges}
    places: dict[str | bytes, list[tuple[CopySource, int]]] = {}
    for source in sources:
        for extent in source.extents:
            if sizes.get(extent.identity) == extent.length:
                places.setdefault(extent.identity, []).append((source, extent.offset))
    return places


def _fetch(
    client: S3Client,
    needed: _Range,
    places: Mapping[str | bytes, Sequence[tuple[CopySource, int]]],
) -> bytes | None:
    for source, offset in places.get(needed.entry.sha256, ()):
        try:
            body = client.get_object(
                Bucket=source.bucket,
                Key=source.key,
                IfMatch=f'"{source.etag}"',
                Range=f"bytes={offset + needed.start}-{offset + needed.end - 1}",
            )["Body"].read()
        except (ClientError, BotoCoreError, *UNREADABLE):
            continue
        if _is_right(needed, body):
            return body
    return None


def _is_right(needed: _Range, body: bytes) -> bool:
    """Return whether bytes are those that are needed, as far as they alone can tell.

    The rest of a chunk is copied, and has another sum at the store if these are wrong.
    """
    entry, start, end = needed
    if len(body) != end - start:
        return False
    if len(body) == entry.size and hashlib.sha256(body).hexdigest() != entry.sha256:
        return False
    whole = (
        (index, index * CHUNK - start, min((index + 1) * CHUNK, entry.size) - start)
        for index in range(len(entry.chunks))
    )
    return all(
        zlib.crc32(body[first:last]) == entry.chunks[index]
        for index, first, last in whole
        if first >= 0 and last <= len(body)
    )


def _with(entry: Entry, fetched: Mapping[str, Sequence[tuple[int, bytes]]]) -> Entry:
    if not isinstance(entry.source, Absent) or entry.sha256 not in fetched:
        return entry
    held = entry.source._replace(fetched=tuple(fetched[entry.sha256]))
    return entry._replace(source=held)
