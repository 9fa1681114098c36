"""An upload of which the store has most: copied there, and gone on with as any other."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import CancelToken
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_client import access_to
from clarifai_build.progress import Event
from clarifai_build.storage.upload.copy_sources import LEAST_PART, CopySource
from clarifai_build.storage.upload.multipart import Upload
from clarifai_build.storage.upload.part_sender import UploadGoneError
from clarifai_build.util.urls import INSECURE_HOSTS
from support.memory_s3 import BUCKET, HANG_UP, KEYS, Bucket, Request, crc_of, error
from support.parts import cut
from support.trees import artifact_of, without_content

KEY = f"models/lines/{'ab' * 32}/lines.zip"
OLD = f"models/lines/{'cd' * 32}/lines.zip"
FREE = {"IfNoneMatch": "*"}
MIB = 1 << 20
WEIGHTS = {f"1/{name}.bin": random.Random(name).randbytes(8 * MIB) for name in "ac"}
BEFORE = artifact_of({**WEIGHTS, "1/b.py": b"before"})
NOW = artifact_of({**WEIGHTS, "1/b.py": b"a line more"})
CONTENT = NOW.read(0, NOW.size)


class Copying(NamedTuple):
    """An upload of NOW where BEFORE lies, and what it tells."""

    bucket: Bucket
    upload: Upload
    told: list[Event]

    def run(self, artifact: Artifact = NOW) -> bool:
        return self.upload.run(artifact, FREE)

    @property
    def source(self) -> CopySource:
        (source,) = self.upload.sources
        return source

    @property
    def copied(self) -> list[int]:
        return sorted(int(r.query["partNumber"]) for r in self.bucket.asked if r.is_copy)

    @property
    def sent(self) -> dict[int, int]:
        """Return how much was sent, by the number of the part."""
        return {
            int(r.query["partNumber"]): int(r.headers["content-length"])
            for r in self.bucket.asked
            if "partNumber" in r.query and not r.is_copy
        }

    @property
    def warnings(self) -> list[str]:
        return [event.warning.message for event in self.told if event.warning]

    @property
    def begun(self) -> dict[int, tuple[bytes, str, str]]:
        """Return the parts of the upload that is under way."""
        (upload,) = self.bucket.uploads.values()
        return upload.parts


@pytest.fixture
def copying(bucket: Bucket) -> Copying:
    """A store that holds the zip of before."""
    etag = bucket.put(OLD, BEFORE.read(0, BEFORE.size)).etag
    access = access_to(Storage(BUCKET, endpoint_url=bucket.endpoint), KEYS, retries=0)
    told: list[Event] = []
    source = CopySource.of_zip(BUCKET, OLD, etag, BEFORE)
    return Copying(
        bucket, Upload(access, BUCKET, KEY, {}, True, told.append, sources=[source]), told
    )


def test_only_what_is_new_is_sent(copying: Copying) -> None:
    """With the least of what is around it, and the zip's directory: the rest is copied."""
    assert copying.run()
    assert copying.bucket.objects[KEY].body == CONTENT
    assert copying.copied == [1, 3]
    assert copying.sent == {2: LEAST_PART, 4: NOW.size - NOW.segments[-1].offset}
    completed = copying.bucket.asked[-1]
    assert completed.headers["x-amz-checksum-crc32"] == crc_of(CONTENT)
    assert copying.warnings == []


def test_progress_counts_what_is_copied_as_done(copying: Copying) -> None:
    """And says beforehand how much there is to send."""
    copying.run()
    said = [event.message for event in copying.told if event.message]
    assert said == ["11.0 MiB are in the store, 5.0 MiB to send"]
    counted = [event.done for event in copying.told if event.done is not None]
    assert (counted[0], counted[-1]) == (0, NOW.size)
    assert {event.total for event in copying.told if event.done is not None} == {NOW.size}


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_what_is_there_is_neither_sent_nor_copied_again(copying: Copying, missing: int) -> None:
    """Of a run that was killed, whatever it had done by then."""
    copying.bucket.before = lambda r: error(403, "AccessDenied") if is_completion(r) else None
    with pytest.raises(Exception, match="AccessDenied"):
        copying.run()
    del copying.begun[missing]
    copying.bucket.asked.clear()
    copying.bucket.before = lambda request: None
    copying.run()
    assert sorted([*copying.copied, *copying.sent]) == [missing]
    assert copying.bucket.objects[KEY].body == CONTENT


def is_completion(request: Request) -> bool:
    return request.operation == "POST uploadId"


def broken_off(copying: Copying) -> None:
    """Leave an upload with all its parts, of which the store lists no checksums."""
    copying.bucket.before = lambda r: error(403, "AccessDenied") if is_completion(r) else None
    with pytest.raises(Exception, match="AccessDenied"):
        copying.run()
    for number, (body, etag, _) in copying.begun.items():
        copying.begun[number] = (body, etag, "")
    copying.bucket.asked.clear()
    copying.bucket.before = lambda request: None


def test_a_copied_part_is_known_by_its_md5_where_no_checksum_is_listed(copying: Copying) -> None:
    """It is that of the same bytes on this machine."""
    broken_off(copying)
    copying.run()
    assert (copying.copied, copying.sent) == ([], {})
    assert copying.bucket.objects[KEY].body == CONTENT


def test_a_part_that_nothing_proves_is_copied_again(copying: Copying) -> None:
    """No checksum is listed, and its content is not on this machine: only another copy is sure."""
    broken_off(copying)
    copying.run(without_content(NOW, *WEIGHTS))
    assert (copying.copied, copying.sent) == ([1, 3], {})
    assert copying.bucket.objects[KEY].body == CONTENT


def test_a_part_of_other_content_is_copied_again(copying: Copying) -> None:
    """Of the right size, with another sum."""
    broken_off(copying)
    body = bytes(len(copying.begun[3][0]))
    copying.begun[3] = (body, "0" * 32, crc_of(body))
    copying.run()
    assert (copying.copied, copying.sent) == ([3], {})
    assert copying.bucket.objects[KEY].body == CONTENT


def test_an_object_that_was_replaced_is_not_copied(copying: Copying) -> None:
    """What changed between the plan and the copy is sent from here, and the zip is what it was."""
    copying.bucket.put(OLD, bytes(BEFORE.size))
    copying.run()
    assert copying.bucket.objects[KEY].body == CONTENT
    assert sum(copying.sent.values()) == NOW.size
    assert copying.warnings == [
        f"{OLD} is not copied at the store: it was replaced since it was put on record"
    ]


def test_an_object_that_is_replaced_between_two_copies_is_sent_from_there_on(
    copying: Copying,
) -> None:
    """What was copied before is right, and stays."""

    def replace_it(request: Request) -> None:
        if len(copying.copied) == 2:
            copying.bucket.put(OLD, bytes(BEFORE.size))

    copying.bucket.before = replace_it
    copying.run()
    assert copying.bucket.objects[KEY].body == CONTENT
    assert len(copying.sent) == 3
    assert len(copying.warnings) == 1


def test_a_wrong_completion_makes_no_object(copying: Copying) -> None:
    """Were a proven part exchanged at the store, the whole's sum would show it."""

    def exchange(request: Request) -> None:
        if is_completion(request):
            body, etag, crc = copying.begun[1]
            copying.begun[1] = (bytes(len(body)), etag, crc)

    copying.bucket.before = exchange
    with pytest.raises(Exception, match="BadDigest"):
        copying.run()
    assert KEY not in copying.bucket.objects


def test_an_upload_that_ends_meanwhile_is_gone(copying: Copying) -> None:
    """Another run completed or aborted it: that is no reason to send what is copied."""
    copying.bucket.before = lambda r: error(404, "NoSuchUpload") if r.is_copy else None
    with pytest.raises(UploadGoneError):
        copying.run()
    assert KEY not in copying.bucket.objects


def test_the_wait_for_a_copy_is_cancelled(copying: Copying) -> None:
    """Though the store does not answer; the upload stays for the next run."""
    cancel, over = CancelToken(), threading.Event()

    def hang(request: Request) -> None:
        if request.is_copy:
            cancel.cancel()
            over.wait()

    copying.bucket.before = hang
    with pytest.raises(KeyboardInterrupt):
        replace(copying.upload, cancel=cancel).run(NOW, FREE)
    over.set()
    assert len(copying.bucket.uploads) == 1
    assert KEY not in copying.bucket.objects


def test_a_store_without_checksums_copies_nothing(copying: Copying) -> None:
    """Where the manifest wants none, nothing would prove a copy; one line says so."""
    replace(copying.upload, checksums=False).run(NOW, FREE)
    assert copying.copied == []
    assert copying.bucket.objects[KEY].body == CONTENT
    assert copying.warnings == [
        "nothing is copied at the store: without checksums it proves no copy"
    ]


def test_a_store_of_even_parts_copies_nothing(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R2 would refuse a copy that begins where it must; it is told by its address."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, copying.bucket.endpoint)
    r2 = Storage(BUCKET, endpoint_url="http://account.r2.cloudflarestorage.com")
    allowed = {**KEYS, INSECURE_HOSTS: "account.r2.cloudflarestorage.com"}
    replace(copying.upload, access=access_to(r2, allowed, retries=0)).run(NOW, FREE)
    assert copying.copied == []
    assert copying.warnings == ["nothing is copied at the store: it wants parts of one size"]


def test_absent_content_is_copied_but_for_what_a_part_takes_along(copying: Copying) -> None:
    """The weights are not on this machine: only what lies beside the new bytes is read."""
    copying.run(without_content(NOW, *WEIGHTS))
    assert copying.bucket.objects[KEY].body == CONTENT
    read = [r.headers for r in copying.bucket.asked if r.method == "GET" and r.key == OLD]
    assert {one["if-match"].strip('"') for one in read} == {copying.source.etag}
    ends = [one["range"].removeprefix("bytes=").split("-") for one in read]
    assert 0 < sum(int(end) - int(start) + 1 for start, end in ends) < LEAST_PART
    assert copying.copied == [1, 3]


def test_absent_content_that_is_not_copied_is_asked_for(copying: Copying) -> None:
    """With it, the next attempt goes on from what was done."""
    refused = [part for part in cut(NOW, [copying.source]) if part.source][-1].number
    copying.bucket.before = lambda r: (
        error(403, "AccessDenied") if r.is_copy and int(r.query["partNumber"]) == refused else None
    )
    with pytest.raises(AbsentContentError, match="not on this machine"):
        copying.run(without_content(NOW, *WEIGHTS))
    assert KEY not in copying.bucket.objects
    there = set(copying.begun)
    copying.bucket.asked.clear()
    copying.run(NOW)
    assert copying.bucket.objects[KEY].body == CONTENT
    assert not there & {*copying.copied, *copying.sent}


def test_absent_content_that_was_replaced_is_asked_for(copying: Copying) -> None:
    """Nothing is read under another ETag either, and nothing is begun."""
    copying.bucket.put(OLD, bytes(BEFORE.size))
    with pytest.raises(AbsentContentError):
        copying.run(without_content(NOW, *WEIGHTS))
    assert copying.bucket.uploads == {}


def test_a_lost_answer_to_a_copy_costs_no_more_than_the_part(copying: Copying) -> None:
    """It was copied and nobody knows: it is sent, over what lies there."""
    copying.bucket.after = lambda request, answer: HANG_UP if request.is_copy else answer
    copying.run()
    assert copying.bucket.objects[KEY].body == CONTENT
    assert sum(copying.sent.values()) == NOW.size


def test_the_plan_and_the_upload_cut_alike(copying: Copying) -> None:
    """What is sent is what was said before."""
    parts: list[Any] = cut(NOW, [copying.source])
    copying.run()
    assert copying.sent == {part.number: part.length for part in parts if not part.source}
