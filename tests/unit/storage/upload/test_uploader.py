"""An artifact in one request or in parts, and without what a store turns out not to know."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import FileTree
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.progress import no_progress
from clarifai_build.source.source_file import FileStat
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.uploader import ArtifactUpload
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, Answer, Bucket, Request, client_of, crc_of, error
from support.trees import entry_of

KEY = f"models/lines/{'ab' * 32}/lines.zip"
FREE = {"IfNoneMatch": "*"}
SMALL = artifact_of({"1/w.bin": b"content"})
_HEADS = artifact_of({"1/w.bin": b""}).size
LIMIT = 16 << 20
CONDITIONS = {"if-none-match", "if-match"}


def upload(bucket: Bucket, **storage: Any) -> ArtifactUpload:
    """Return the way of an artifact into the store."""
    described = Storage(BUCKET, "models", endpoint_url=bucket.endpoint, **storage)
    credentials = Credentials("key", "secret")
    client = client_of(bucket.endpoint)
    return ArtifactUpload(S3Access(client, credentials), described, KEY, {"tree": "t"}, no_progress)


def sized(size: int) -> Artifact:
    """Return an artifact of that size."""
    return artifact_of({"1/w.bin": bytes(size - _HEADS)})


def conditional(request: Request) -> bool:
    """Say whether a request has a condition."""
    return not CONDITIONS.isdisjoint(request.headers)


def summed(request: Request) -> bool:
    """Say whether a request speaks of checksums."""
    return any(name.startswith("x-amz-checksum") for name in request.headers)


def test_up_to_16_mib_travel_in_one_request(bucket: Bucket) -> None:
    """With its checksum, type and metadata, if the condition holds."""
    artifact = sized(LIMIT)
    assert upload(bucket).send(artifact, FREE, checksums=True) is True
    assert bucket.operations == ["PUT"]
    made = bucket.objects[KEY]
    assert len(made.body) == LIMIT
    assert made.crc == crc_of(made.body)
    assert made.headers["x-amz-meta-tree"] == "t"
    assert made.headers["content-type"] == "application/zip"
    assert made.headers["if-none-match"] == "*"


def test_what_is_larger_travels_in_parts(bucket: Bucket) -> None:
    """And what earlier runs left of the same key is tidied up afterwards."""
    bucket.begin(KEY, age=100)
    bucket.begin(KEY, age=50)
    assert upload(bucket).send(sized(LIMIT + 1), FREE, checksums=True) is True
    assert "PUT partNumber" in bucket.operations
    assert len(bucket.objects[KEY].body) == LIMIT + 1
    assert bucket.uploads == {}


@pytest.mark.parametrize("size", [1000, LIMIT + 1])
def test_a_tar_gz_travels_as_it_is(bucket: Bucket, size: int, tmp_path: Path) -> None:
    """In one request or in parts, out of the files, with checksums; nothing of it is copied."""
    file = tmp_path / "w.bin"
    file.write_bytes(random.Random(1).randbytes(size))
    entry = entry_of("1/w.bin", file.read_bytes())
    stamp = FileStat.of(file.stat())
    artifact = Artifact.tar_gz(FileTree((entry._replace(source=str(file), stamp=stamp),)))
    sources = [CopySource.of_file(BUCKET, "w", "e", entry.sha256, size)]
    sender = replace(upload(bucket), sources=sources)
    assert sender.send(artifact, FREE, checksums=True) is True
    made = bucket.objects[KEY]
    assert made.body == artifact.read(0, artifact.size)
    assert gzip.decompress(made.body)[512:][:size] == file.read_bytes()
    assert made.crc == crc_of(made.body)
    if size <= LIMIT:
        assert made.headers["content-type"] == "application/gzip"


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_an_acl_is_asked_for_where_the_manifest_says_so(bucket: Bucket, size: int) -> None:
    """In one request or in parts."""
    upload(bucket, access="public-read-acl").send(sized(size), FREE, checksums=True)
    assert bucket.objects[KEY].acl == "public-read"
    upload(bucket).send(sized(size), {}, checksums=True)
    assert bucket.objects[KEY].acl == ""


def test_without_checksums_none_is_sent(bucket: Bucket) -> None:
    """Nobody compared anything then, and that is what is said."""
    assert upload(bucket).send(SMALL, FREE, checksums=False) is False
    assert not any(map(summed, bucket.asked))
    assert bucket.objects[KEY].body == SMALL.read(0, SMALL.size)


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument", "InvalidRequest", "501"])
def test_a_store_without_conditions_gets_none(bucket: Bucket, code: str) -> None:
    """Asked again without one, it takes the artifact, its checksum included."""
    bucket.before = lambda request: error(501, code) if conditional(request) else None
    assert upload(bucket).send(SMALL, FREE, checksums=True) is True
    assert bucket.operations == ["PUT", "PUT"]
    assert bucket.objects[KEY].crc == crc_of(bucket.objects[KEY].body)


def test_a_store_without_checksums_gets_none(bucket: Bucket) -> None:
    """The condition is kept, once that turns out not to be what is refused; none compared."""
    bucket.before = lambda request: error(400, "InvalidRequest") if summed(request) else None
    assert upload(bucket).send(SMALL, FREE, checksums=True) is False
    asked = [(conditional(request), summed(request)) for request in bucket.asked]
    assert asked == [(True, True), (False, True), (True, False)]
    assert KEY in bucket.objects


@pytest.mark.parametrize("refused", ["begin", "part"])
def test_parts_keep_their_condition_without_checksums(bucket: Bucket, refused: str) -> None:
    """Where the beginning or a part is refused for its checksum, it is not for the condition."""

    def refuse(request: Request) -> Answer | None:
        begins = request.operation == ("POST uploads" if refused == "begin" else "PUT partNumber")
        return error(400, "InvalidArgument") if begins and summed(request) else None

    bucket.before = refuse
    assert upload(bucket).send(sized(LIMIT + 1), FREE, checksums=True) is False
    completed = [r for r in bucket.asked if r.operation == "POST uploadId"]
    assert [(conditional(r), summed(r)) for r in completed] == [(True, False)]
    assert KEY in bucket.objects
    assert bucket.uploads == {}


def test_parts_lose_their_condition_where_the_completion_is_refused(bucket: Bucket) -> None:
    """The parts that are there are not sent again, and stay summed."""
    bucket.before = lambda request: error(501, "NotImplemented") if conditional(request) else None
    assert upload(bucket).send(sized(LIMIT + 1), FREE, checksums=True) is True
    assert bucket.operations.count("PUT partNumber") == 1
    assert bucket.operations.count("POST uploadId") == 2
    assert KEY in bucket.objects


def test_a_store_that_takes_nothing_is_left(bucket: Bucket) -> None:
    """Without condition and checksum there is nothing more to leave out: its refusal comes out."""
    bucket.before = lambda request: error(501, "NotImplemented")
    with pytest.raises(ClientError) as raised:
        upload(bucket).send(SMALL, FREE, checksums=True)
    assert raised.value.response["Error"]["Code"] == "NotImplemented"
    assert len(bucket.asked) == 4


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (412, "PreconditionFailed"), (400, "BadDigest")]
)
def test_other_refusals_are_final(bucket: Bucket, status: int, code: str) -> None:
    """A condition that does not hold must never be taken for one that is not known."""
    bucket.before = lambda request: error(status, code)
    with pytest.raises(ClientError) as raised:
        upload(bucket).send(SMALL, FREE, checksums=True)
    assert raised.value.response["Error"]["Code"] == code
    assert len(bucket.asked) == 1


def test_credentials_are_in_no_repr(bucket: Bucket) -> None:
    """Not even by accident of a traceback."""
    assert "secret" not in repr(upload(bucket))
