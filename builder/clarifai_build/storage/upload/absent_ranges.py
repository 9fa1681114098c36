"""What has to be sent of content that is not on this machine, read from objects of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.net.s3_responses import UNREADABLE
from clarifai_build.storage.upload.copy_sources import CopySource, Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Bytes, held in memory: what a dozen parts take along. Of more, the content itself is needed.
_MOST = 64 << 20


class _Place(NamedTuple):
    source: CopySource
    offset: int


def fetch_needed(
    artifact: Artifact, runs: Iterable[Run], sources: Sequence[CopySource], client: S3Client
) -> Artifact:
    """Return an artifact of which all can be read that is to be sent.

    Raises AbsentContentError where that is too much to be fetched so, or lies in none of `sources`
    as these were.
    """
    if not artifact.missing:
        return artifact
    needed = _needed(artifact, runs)
    if sum(end - start for ranges in needed.values() for start, end in ranges) > _MOST:
        raise artifact.absence()
    places = _places(needed, sources)
    fetched = {
        sha256: tuple(
            (start, _fetch(client, places.get(sha256, []), start, end, artifact))
            for start, end in ranges
        )
        for sha256, ranges in needed.items()
    }
    entries = tuple(_with(entry, fetched.get(entry.sha256, ())) for entry in artifact.tree.entries)
    return Artifact(FileTree(entries))


def _needed(artifact: Artifact, runs: Iterable[Run]) -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of each absent content, by SHA-256, that lie in runs to send."""
    needed: dict[str, list[tuple[int, int]]] = {}
    for run in runs:
        for span in artifact.spans(run.offset, run.length) if not run.source else ():
            if isinstance(span.source, Absent):
                range_ = (span.start, span.start + span.length)
                needed.setdefault(span.source.sha256, []).append(range_)
    return needed


def _places(
    needed: Iterable[str], sources: Sequence[CopySource]
) -> dict[str | bytes, list[_Place]]:
    wanted = set(needed)
    places: dict[str | bytes, list[_Place]] = {}
    for source in sources:
        for extent in source.extents:
            if extent.identity in wanted:
                places.setdefault(extent.identity, []).append(_Place(source, extent.offset))
    return places


def _fetch(
    client: S3Client, places: Sequence[_Place], start: int, end: int, artifact: Artifact
) -> bytes:
    for source, offset in places:
        try:
            body = client.get_object(
                Bucket=source.bucket,
                Key=source.key,
                IfMatch=f'"{source.etag}"',
                Range=f"bytes={offset + start}-{offset + end - 1}",
            )["Body"].read()
        except (ClientError, BotoCoreError, *UNREADABLE):
            continue
        if len(body) == end - start:
            return body
    raise artifact.absence()


def _with(entry: Entry, fetched: tuple[tuple[int, bytes], ...]) -> Entry:
    if not isinstance(entry.source, Absent) or not fetched:
        return entry
    return entry._replace(source=entry.source._replace(fetched=fetched))
