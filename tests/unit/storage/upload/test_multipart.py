"""An upload in parts: begun, gone on with, completed under a condition, or given up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import make_tree
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.files import CHUNK
from clarifai_build.errors import BuilderError, SourceError, StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.net.s3_client import access_to
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.storage.upload.multipart import Upload
from clarifai_build.storage.upload.part_sender import ChecksumsUnknownError, UploadGoneError
from clarifai_build.util.urls import INSECURE_HOSTS
from support.fakes import artifact_of
from support.memory_s3 import (
    BUCKET,
    HANG_UP,
    KEYS,
    Answer,
    Bucket,
    Request,
    client_of,
    crc_of,
    error,
)
from support.parts import cut
from support.trees import manifest_of

KEY = f"models/lines/{'ab' * 32}/lines.zip"
OPTIONS = {"Metadata": {"tree": "t"}, "ContentType": "application/zip"}
FREE = {"IfNoneMatch": "*"}
SMALL = artifact_of({"1/w.bin": b"content"})


def upload_to(
    bucket: Bucket,
    *,
    checksums: bool = True,
    progress: ProgressCallback = no_progress,
    cancel: CancelToken = NEVER,
    client: Any = None,
) -> Upload:
    """Return an upload to the store that is not begun yet."""
    credentials = Credentials("key", "secret")
    client = client or client_of(bucket.endpoint)
    options = {"checksums": checksums, "progress": progress, "cancel": cancel}
    return Upload(S3Access(client, credentials), BUCKET, KEY, OPTIONS, **options)


def contents(artifact: Artifact) -> list[bytes]:
    """Return the bytes of an artifact's parts."""
    return [artifact.read(part.offset, part.length) for part in cut(artifact)]


def sent(bucket: Bucket) -> list[int]:
    """Return the numbers of the parts that were sent, in order."""
    return sorted(int(r.query["partNumber"]) for r in bucket.asked if "partNumber" in r.query)


def only(operation: str, answer: Answer) -> Callable[[Request], Answer | None]:
    """Answer one kind of request so, in the store's place."""
    return lambda request: answer if request.operation == operation else None


def test_an_artifact_arrives_whole(bucket: Bucket, large: Artifact) -> None:
    """Its parts make up the zip, with what is said of it, and no upload stays behind."""
    upload_to(bucket).run(large, FREE)
    made = bucket.objects[KEY]
    assert made.body == large.read(0, large.size)
    assert made.crc == crc_of(made.body)
    assert made.headers["x-amz-meta-tree"] == "t"
    assert made.headers["content-type"] == "application/zip"
    assert sent(bucket) == [1, 2]
    assert bucket.uploads == {}


def test_checksums_go_with_every_request_or_with_none(bucket: Bucket) -> None:
    """A store that knows them compares each part and the whole; another never hears of them."""
    upload_to(bucket, checksums=True).run(SMALL, FREE)
    begun, part, completed = bucket.asked[-3:]
    assert begun.headers["x-amz-checksum-algorithm"] == "CRC32"
    assert begun.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert part.headers["x-amz-checksum-crc32"] == crc_of(bucket.objects[KEY].body)
    assert completed.headers["x-amz-checksum-crc32"] == crc_of(bucket.objects[KEY].body)
    assert completed.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    bucket.asked.clear()
    del bucket.objects[KEY]
    upload_to(bucket, checksums=False).run(SMALL, FREE)
    assert not [name for r in bucket.asked for name in r.headers if "checksum" in name]


def test_a_condition_is_that_of_the_completion(bucket: Bucket) -> None:
    """Beginning and parts carry none: only whoever completes replaces something."""
    etag = bucket.put(KEY, b"old").etag
    upload_to(bucket).run(SMALL, {"IfMatch": etag})
    conditions = [r.headers.get("if-match") for r in bucket.asked]
    assert conditions[-1] == etag
    assert set(conditions[:-1]) == {None}


def test_what_is_there_is_not_sent_again(bucket: Bucket, large: Artifact) -> None:
    """An upload that broke off goes on: its good parts count as done from the beginning."""
    told: list[Event] = []
    first = contents(large)[0]
    begun = bucket.begin(KEY, parts=[first])
    upload_to(bucket, progress=told.append).run(large, FREE)
    assert sent(bucket) == [2]
    assert "POST uploads" not in bucket.operations
    assert [r.query["uploadId"] for r in bucket.asked if "uploadId" in r.query] == [begun] * 3
    counted = [event.done for event in told if event.done is not None]
    assert counted[0] == len(first)
    assert counted[-1] == large.size
    assert {event.total for event in told if event.done is not None} == {large.size}
    assert bucket.objects[KEY].body == large.read(0, large.size)


def test_a_part_that_differs_is_sent_again(bucket: Bucket, large: Artifact) -> None:
    """What another content left at the same key is replaced, part by part."""
    first, second = contents(large)
    bucket.begin(KEY, parts=[bytes([first[0] ^ 1]) + first[1:], second])
    upload_to(bucket).run(large, FREE)
    assert sent(bucket) == [1]
    assert bucket.objects[KEY].body == first + second


@pytest.mark.parametrize(
    ("status", "code"), [(412, "PreconditionFailed"), (400, "InvalidPart"), (501, "NotImplemented")]
)
def test_a_completion_that_is_refused_keeps_the_parts(
    bucket: Bucket, status: int, code: str
) -> None:
    """It comes out as botocore's error, and the next run goes on from what was sent."""
    bucket.before = lambda request: (
        error(status, code) if request.operation == "POST uploadId" else None
    )
    with pytest.raises(ClientError) as raised:
        upload_to(bucket).run(SMALL, FREE)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.operation_name == "CompleteMultipartUpload"
    assert [len(upload.parts) for upload in bucket.uploads.values()] == [1]
    assert bucket.objects == {}


def test_a_completion_whose_answer_is_lost_was_made(bucket: Bucket) -> None:
    """Asked again, the store knows no such upload: the object is there all the same."""
    lost = iter([HANG_UP])
    bucket.after = lambda request, answer: (
        next(lost, answer) if request.operation == "POST uploadId" else answer
    )
    twice = access_to(Storage(BUCKET, endpoint_url=bucket.endpoint), KEYS, retries=1).client
    with pytest.raises(ClientError, match="NoSuchUpload"):
        upload_to(bucket, client=twice).run(SMALL, FREE)
    assert bucket.objects[KEY].body == SMALL.read(0, SMALL.size)


def test_a_completion_that_gets_no_answer_is_a_failure(bucket: Bucket) -> None:
    """The parts stay."""
    bucket.before = only("POST uploadId", HANG_UP)
    with pytest.raises(BotoCoreError):
        upload_to(bucket).run(SMALL, FREE)
    assert len(bucket.uploads) == 1


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"<InitiateMultipartUploadResult/>"])
def test_a_beginning_without_an_id_is_none(bucket: Bucket, body: bytes) -> None:
    """A login page in a store's place, or a document that names no upload, begins nothing."""
    bucket.before = only("POST uploads", Answer(200, body))
    with pytest.raises(StorageError, match="UploadId") as raised:
        upload_to(bucket).run(SMALL, FREE)
    assert raised.value.problems[0].code == "not-s3"


def test_a_source_that_changes_gives_the_upload_up(bucket: Bucket, tmp_path: Path) -> None:
    """Its parts are of no use to anybody: none stays at the store."""
    (tmp_path / "w.bin").write_bytes(bytes(100_000))
    artifact = Artifact(make_tree({}, manifest_of(tmp_path)))
    (tmp_path / "w.bin").write_bytes(bytes(100_000))
    os.utime(tmp_path / "w.bin", (1, 1))
    with pytest.raises(SourceError) as raised:
        upload_to(bucket).run(artifact, FREE)
    assert raised.value.problems[0].code == "changed"
    assert bucket.uploads == {}
    assert "DELETE uploadId" in bucket.operations


def test_checksums_that_a_store_takes_back_give_the_upload_up(bucket: Bucket) -> None:
    """It let one with them begin, and takes no part with one: the next upload has none."""
    bucket.before = lambda request: error(400, "InvalidRequest") if sent(bucket) else None
    with pytest.raises(ChecksumsUnknownError):
        upload_to(bucket).run(SMALL, FREE)
    bucket.before = lambda request: None
    assert "DELETE uploadId" in bucket.operations


def test_a_failure_of_a_part_keeps_the_others(bucket: Bucket, large: Artifact) -> None:
    """What could not be sent ends the upload; what arrived stays for the next run."""
    bucket.before = lambda request: (
        error(403, "AccessDenied") if request.query.get("partNumber") == "1" else None
    )
    with pytest.raises(BuilderError):
        upload_to(bucket).run(large, FREE)
    assert len(bucket.uploads) == 1
    assert "DELETE uploadId" not in bucket.operations
    assert bucket.objects == {}


def test_an_upload_that_another_run_ended_is_gone(bucket: Bucket) -> None:
    """That is told apart from a failure: what lies there may be what was wanted."""
    bucket.before = lambda request: error(404, "NoSuchUpload") if sent(bucket) else None
    with pytest.raises(UploadGoneError):
        upload_to(bucket).run(SMALL, FREE)


@pytest.mark.parametrize("operation", ["GET uploads", "POST uploads", "POST uploadId"])
def test_the_wait_for_any_answer_is_cancelled(bucket: Bucket, operation: str) -> None:
    """Whatever the store is asked, and though it never answers."""
    cancel, over = CancelToken(), threading.Event()

    def hang(request: Request) -> None:
        if request.operation == operation:
            cancel.cancel()
            over.wait()

    bucket.before = hang
    with pytest.raises(KeyboardInterrupt):
        upload_to(bucket, cancel=cancel).run(SMALL, FREE)
    over.set()


def test_an_error_of_the_callback_ends_the_parts(bucket: Bucket, large: Artifact) -> None:
    """Nothing is completed then, and what was begun stays for the next run."""

    def end(event: Event) -> None:
        if event.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload_to(bucket, progress=end).run(large, FREE)
    assert "POST uploadId" not in bucket.operations
    assert len(bucket.uploads) == 1


def test_parts_that_hang_are_cancelled(bucket: Bucket) -> None:
    """While the store does not answer; what was being sent is broken off, and no thread stays."""
    cancel, over = CancelToken(), threading.Event()

    def hang(request: Request) -> None:
        if request.operation == "PUT partNumber":
            cancel.cancel()
            over.wait()

    bucket.before = hang
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        upload_to(bucket, cancel=cancel).run(SMALL, FREE)
    sending = [t for t in set(threading.enumerate()) - before if t.name.endswith("(work)")]
    for thread in sending:
        thread.join(20)
    over.set()
    assert not any(thread.is_alive() for thread in sending)


def test_parts_are_even_where_a_store_wants_them_so(
    bucket: Bucket, large: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R2 takes no part but the last of another size than the first; it is told by its address."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, bucket.endpoint)
    r2 = Storage(BUCKET, endpoint_url="http://account.r2.cloudflarestorage.com")
    allowed = {**KEYS, INSECURE_HOSTS: "account.r2.cloudflarestorage.com"}
    upload_to(bucket, client=access_to(r2, allowed, retries=0).client).run(large, FREE)
    lengths = {
        int(r.query["partNumber"]): int(r.headers["content-length"])
        for r in bucket.asked
        if "partNumber" in r.query
    }
    assert lengths == {1: CHUNK, 2: large.size - CHUNK}
    assert bucket.objects[KEY].body == large.read(0, large.size)


def test_tidying_up_looks_below_the_prefix(bucket: Bucket) -> None:
    """Other uploads of the key go, fresh ones of others stay."""
    other = bucket.begin(f"models/faces/{'cd' * 32}/faces.zip")
    bucket.begin(KEY)
    upload_to(bucket).abort_stale("models")
    assert set(bucket.uploads) == {other}
    assert bucket.asked[0].query["prefix"] == "models"
