"""Ranges of content that is not on this machine, read from objects of the store."""

from __future__ import annotations

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clarifai_build.artifact.absent import Absent, AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import FileTree
from clarifai_build.storage.upload.absent_ranges import fetch_needed
from clarifai_build.storage.upload.copy_sources import CopySource, Run, plan_runs
from support.memory_s3 import BUCKET, Bucket, client_of, error
from support.trees import artifact_of, without_content

WEIGHT = random.Random(1).randbytes(3000)
WHOLE = artifact_of({"1/a.py": b"code", "1/w.bin": WEIGHT})
LACKING = without_content(WHOLE, "1/w.bin")
(WEIGHT_ENTRY,) = (entry for entry in WHOLE.tree.entries if entry.path == "1/w.bin")
START = next(s.offset for s in WHOLE.segments if s.source == WEIGHT)


def source_at(bucket: Bucket, key: str, content: bytes = WEIGHT, etag: str = "") -> CopySource:
    """Put an object that is said to be the weight, and return it."""
    etag = etag or bucket.put(key, content).etag
    return CopySource.of_file(BUCKET, key, etag, WEIGHT_ENTRY.sha256, len(WEIGHT))


def test_what_is_there_is_not_looked_for(bucket: Bucket) -> None:
    """An artifact that lacks nothing is the same one, and the store is not asked."""
    client = client_of(bucket.endpoint)
    assert fetch_needed(WHOLE, [Run(0, WHOLE.size)], [], client) is WHOLE
    assert bucket.asked == []


def test_what_is_to_be_sent_can_be_read(bucket: Bucket) -> None:
    """From where it lies, under the condition of its ETag; the rest of it is still absent."""
    source = source_at(bucket, "w")
    runs = [Run(0, START + 500), Run(START + 500, 2000, source, 500), Run(START + 2500, 900)]
    artifact = fetch_needed(LACKING, runs, [source], client_of(bucket.endpoint))
    assert artifact.read(0, START + 500) == WHOLE.read(0, START + 500)
    assert artifact.read(START + 2500, 500) == WEIGHT[2500:]
    assert [r.headers["range"] for r in bucket.asked] == ["bytes=0-499", "bytes=2500-2999"]
    assert {r.headers["if-match"] for r in bucket.asked} == {f'"{source.etag}"'}
    with pytest.raises(AbsentContentError):
        artifact.read(START + 500, 1)
    assert artifact.missing[0].path == "1/w.bin"


@pytest.mark.parametrize(("start", "end"), [(0, 500), (500, 2500), (2500, 3000), (0, 3000)])
def test_sums_follow_from_what_was_fetched(bucket: Bucket, start: int, end: int) -> None:
    """Those of what is sent are of what was read, those of copies of what is around them."""
    source = source_at(bucket, "w")
    runs = [Run(0, START + 500), Run(START + 500, 2000, source, 500), Run(START + 2500, 900)]
    artifact = fetch_needed(LACKING, runs, [source], client_of(bucket.endpoint))
    assert artifact.crc32(START + start, end - start) == WHOLE.crc32(START + start, end - start)


def test_another_object_is_read_where_the_first_was_replaced(bucket: Bucket) -> None:
    """As long as one is what it was; what a store cuts off is not taken."""
    stale, short = source_at(bucket, "stale", etag="0" * 32), source_at(bucket, "s", WEIGHT[:100])
    sources = [stale, short, source_at(bucket, "w")]
    artifact = fetch_needed(LACKING, [Run(0, WHOLE.size)], sources, client_of(bucket.endpoint))
    assert artifact.read(0, WHOLE.size) == WHOLE.read(0, WHOLE.size)


def test_content_that_lies_nowhere_is_asked_for(bucket: Bucket) -> None:
    """Neither in an object of other content, nor in one that may not be read."""
    client = client_of(bucket.endpoint)
    other = CopySource.of_file(BUCKET, "other", "e", "0" * 64, 3000)
    with pytest.raises(AbsentContentError, match=r"1/w\.bin is not on this machine"):
        fetch_needed(LACKING, [Run(0, WHOLE.size)], [other], client)
    source = source_at(bucket, "w")
    bucket.before = lambda request: error(403, "AccessDenied")
    with pytest.raises(ClientError):
        client.get_object(Bucket=BUCKET, Key="w")
    with pytest.raises(AbsentContentError):
        fetch_needed(LACKING, [Run(0, WHOLE.size)], [source], client)


@pytest.mark.parametrize("change", [{"size": 2999}, {"chunks": (7,)}, {"sha256": "ab" * 32}])
def test_what_is_known_wrongly_is_asked_for(bucket: Bucket, change: dict[str, Any]) -> None:
    """A size, a CRC-32 or a digest that is a lie: what is read is compared with all three."""
    entry = LACKING.missing[0]._replace(**change)
    assert isinstance(entry.source, Absent)
    source = entry.source._replace(sha256=entry.sha256, size=entry.size)
    artifact = Artifact(FileTree((entry._replace(source=source),)))
    etag = bucket.put("w", WEIGHT).etag
    place = CopySource.of_file(BUCKET, "w", etag, entry.sha256, 3000)
    with pytest.raises(AbsentContentError):
        fetch_needed(artifact, [Run(0, artifact.size)], [place], client_of(bucket.endpoint))


def test_a_range_that_two_files_share_is_read_once(bucket: Bucket) -> None:
    """They have the same content."""
    whole = artifact_of({"1/a.bin": WEIGHT, "1/b.bin": WEIGHT})
    source = source_at(bucket, "w")
    run = [Run(0, whole.size)]
    found = fetch_needed(without_content(whole), run, [source], client_of(bucket.endpoint))
    assert found.read(0, whole.size) == whole.read(0, whole.size)
    assert len(bucket.asked) == 1


def test_a_lot_of_content_is_asked_for_whole(bucket: Bucket) -> None:
    """It is not held in memory: nothing of it is read."""
    size = 100 << 20
    content = Absent("ab" * 32, size, LACKING.missing[0].source.problem)  # type: ignore[union-attr]
    entry = WEIGHT_ENTRY._replace(sha256="ab" * 32, size=size, chunks=(0, 0), source=content)
    artifact = Artifact(FileTree((entry,)))
    source = CopySource.of_file(BUCKET, "w", "e", "ab" * 32, size)
    client = client_of(bucket.endpoint)
    with pytest.raises(AbsentContentError):
        fetch_needed(artifact, [Run(0, artifact.size)], [source], client)
    assert bucket.asked == []
    # Most of it copied, it is little.
    with pytest.raises(AbsentContentError):
        fetch_needed(artifact, plan_runs(artifact, [source]), [source], client)
    assert len(bucket.asked) == 1
