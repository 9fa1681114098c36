"""Parts that the store copies: where it proves them, and what becomes of the others."""

from __future__ import annotations

import random
import threading
from functools import partial

import pytest
from botocore.credentials import Credentials

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.net.s3_access import S3Access
from clarifai_build.progress import Event
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.part_connection import Wire
from clarifai_build.storage.upload.part_copier import Copier, NotCopiedError, copy_part
from clarifai_build.storage.upload.part_sender import UploadGoneError
from clarifai_build.storage.upload.parts import Part
from clarifai_build.util import threads
from support.memory_s3 import BUCKET, HANG_UP, Answer, Bucket, Request, client_of, error
from support.trees import artifact_of, without_content

KEY = f"models/lines/{'ab' * 32}/lines.zip"
OLD = "models/old.zip"
ARTIFACT = artifact_of({"1/w.bin": random.Random(1).randbytes(3000)})
CONTENT = ARTIFACT.read(0, ARTIFACT.size)


class Copying:
    """An upload to a bucket that holds the same zip under another key."""

    def __init__(self, bucket: Bucket, content: bytes = CONTENT) -> None:
        self.bucket = bucket
        self.upload = bucket.begin(KEY)
        self.counted: list[int] = []
        self.told: list[Event] = []
        access = S3Access(client_of(bucket.endpoint), Credentials("key", "secret"))
        self.wire = Wire(access, BUCKET, KEY, self.upload, True, self.counted.append)
        self.source = source_at(OLD, bucket.put(OLD, content).etag)
        self.copier = Copier(self.wire, self.told.append)

    def part(self, number: int, start: int, end: int, source: CopySource | None = None) -> Part:
        """Return a part that lies in the source at the same place."""
        crc32 = ARTIFACT.crc32(start, end - start)
        return Part(number, start, end - start, crc32, source or self.source, start)

    def move(self, part: Part) -> str:
        return self.copier.copy_or_send(ARTIFACT, part)

    @property
    def copies(self) -> list[Request]:
        return [request for request in self.bucket.asked if request.is_copy]

    @property
    def sent(self) -> list[int]:
        """Return the numbers of the parts whose content was sent."""
        parts = (r for r in self.bucket.asked if "partNumber" in r.query and not r.is_copy)
        return [int(request.query["partNumber"]) for request in parts]

    @property
    def warnings(self) -> list[str]:
        return [event.warning.message for event in self.told if event.warning]


def source_at(key: str, etag: str) -> CopySource:
    """Return an object to copy from, whose content nobody asks for here."""
    return CopySource(BUCKET, key, etag, ())


@pytest.fixture
def copying(bucket: Bucket) -> Copying:
    """An upload under way."""
    return Copying(bucket)


def test_a_part_is_copied_under_the_condition_of_its_etag(copying: Copying) -> None:
    """The store is told range and ETag, and no checksum; what it answers is that of the bytes."""
    copying.move(copying.part(1, 0, 1000))
    etag = copying.move(copying.part(2, 1000, 2000))
    assert copying.bucket.uploads[copying.upload].parts[2][0] == CONTENT[1000:2000]
    assert etag.strip('"') == copying.bucket.uploads[copying.upload].parts[2][1]
    asked = copying.copies[1].headers
    assert asked["x-amz-copy-source"] == f"{BUCKET}/{OLD}"
    assert asked["x-amz-copy-source-range"] == "bytes=1000-1999"
    assert asked["x-amz-copy-source-if-match"] == f'"{copying.source.etag}"'
    assert not [name for name in asked if "checksum" in name]
    assert (copying.counted, copying.wire.summed, copying.sent) == ([1000, 1000], {1, 2}, [])
    assert copying.told == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (error(403, "AccessDenied"), "the store answers UploadPartCopy with 403 AccessDenied"),
        (error(400, "InvalidRequest"), "the store answers UploadPartCopy with 400 InvalidRequest"),
        (error(400, "EntityTooSmall"), "the store answers UploadPartCopy with 400 EntityTooSmall"),
        (error(412, "PreconditionFailed"), "it was replaced since it was put on record"),
        (error(404, "NoSuchKey"), "it is gone"),
        (error(200, "InternalError"), "the store answers UploadPartCopy with 500 InternalError"),
        (error(503, "SlowDown"), "the store answers UploadPartCopy with 503 SlowDown"),
        (Answer(200, b"<html>hunter2"), "the store answers UploadPartCopy with 500"),
        (Answer(200, b"<CopyPartResult/>"), "what the store answers has no ETag"),
        (Answer(200), "what the store answers has no ETag"),
        (HANG_UP, "hangs up without an answer"),
    ],
)
def test_a_part_that_is_not_copied_is_sent(copying: Copying, answer: Answer, why: str) -> None:
    """Whatever the store says, also in the body of a 200; one line tells why, and others of the
    same source are not tried."""
    copying.bucket.before = lambda request: answer if request.is_copy else None
    for number in (1, 2, 3):
        copying.move(copying.part(number, number * 500, number * 500 + 500))
    assert copying.sent == [1, 2, 3]
    assert copying.bucket.uploads[copying.upload].parts[3][0] == CONTENT[1500:2000]
    assert len(copying.copies) == 1
    (warning,) = copying.warnings
    assert warning.startswith(f"{OLD} is not copied at the store: ")
    assert why in warning
    assert "hunter2" not in warning
    assert copying.counted == [500, 500, 500]


def test_another_source_is_tried_all_the_same(copying: Copying) -> None:
    """One that was replaced says nothing of others."""
    other = source_at("other", copying.bucket.put("other", CONTENT).etag)
    stale = source_at(OLD, "0" * 32)
    copying.move(copying.part(1, 0, 500, stale))
    copying.move(copying.part(2, 500, 900, other))
    assert copying.sent == [1]
    assert copying.bucket.uploads[copying.upload].parts[2][0] == CONTENT[500:900]
    assert copying.warnings == [
        f"{OLD} is not copied at the store: it was replaced since it was put on record"
    ]


@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed"])
def test_a_store_that_knows_no_copies_is_asked_once(copying: Copying, code: str) -> None:
    """From whatever object: there is no such request."""
    copying.bucket.before = lambda request: error(501, code) if request.is_copy else None
    copying.move(copying.part(1, 0, 500))
    copying.move(copying.part(2, 500, 900, source_at("other", "e")))
    assert (copying.sent, len(copying.copies)) == ([1, 2], 1)
    assert copying.warnings == [
        f"nothing is copied at the store: the store answers UploadPartCopy with 501 {code}"
    ]


def test_a_store_that_proves_no_copy_makes_one(copying: Copying) -> None:
    """Without a CRC-32 in its answer nobody knows what it copied; the first that is asked for is
    waited for by all others, which are sent."""
    copying.bucket.checksums = False
    parts = [copying.part(number, number * 100, number * 100 + 100) for number in range(1, 9)]
    moving = threads.start([partial(copying.move, part) for part in parts], 8)
    threads.wait_all(moving, lambda: None)
    assert len(copying.copies) == 1
    assert sorted(copying.sent) == list(range(1, 9))
    assert copying.warnings == [
        "nothing is copied at the store: the store gives no CRC-32 of what it copied"
    ]


def test_copies_go_side_by_side_once_one_is_proven(copying: Copying) -> None:
    """Those that have waited for the first, too: a store takes as long for one as for several."""
    together, first = threading.Barrier(3), threading.Event()

    def wait(**_: object) -> None:
        if first.is_set():
            together.wait(10)
        first.set()

    copying.wire.access.client.meta.events.register("before-send.s3.UploadPartCopy", wait)
    parts = [copying.part(number, number * 100, number * 100 + 100) for number in range(1, 5)]
    moving = threads.start([partial(copying.move, part) for part in parts], 4)
    threads.wait_all(moving, lambda: None)
    assert not together.broken
    assert len(copying.copies) == 4
    assert copying.sent == []


def test_what_is_not_as_recorded_is_sent(bucket: Bucket) -> None:
    """A record may lie, and a store may ignore the condition: the sum is another."""
    copying = Copying(bucket, bytes(len(CONTENT)))
    copying.move(copying.part(1, 100, 200))
    assert copying.sent == [1]
    assert copying.bucket.uploads[copying.upload].parts[1][0] == CONTENT[100:200]
    assert copying.warnings == [
        f"{OLD} is not copied at the store: it holds something else than its record says"
    ]


def test_a_proven_store_may_still_refuse_a_part(copying: Copying) -> None:
    """What is replaced between two copies is sent, and what was copied stays."""
    copying.move(copying.part(1, 0, 500))
    copying.bucket.put(OLD, b"other")
    copying.move(copying.part(2, 500, 900))
    assert copying.sent == [2]
    assert copying.wire.summed == {1, 2}


def test_an_upload_that_another_run_ended_is_told_apart(copying: Copying) -> None:
    """There is nothing to send to, either."""
    del copying.bucket.uploads[copying.upload]
    with pytest.raises(UploadGoneError):
        copying.move(copying.part(1, 0, 500))
    assert copying.sent == []


def test_nothing_is_copied_once_the_upload_was_stopped(copying: Copying) -> None:
    """Neither is anything sent."""
    copying.wire.close()
    with pytest.raises(InterruptedError):
        copying.move(copying.part(1, 0, 500))
    assert copying.bucket.asked == []


def test_a_key_of_any_characters_is_found(copying: Copying) -> None:
    """Spaces, umlauts, percent and plus signs are escaped as the header wants it."""
    key = "models/größe 100%+/ä?.zip"
    source = source_at(key, copying.bucket.put(key, CONTENT).etag)
    copy_part(copying.wire, copying.part(1, 5, 10, source), source)
    assert copying.bucket.uploads[copying.upload].parts[1][0] == CONTENT[5:10]


@pytest.mark.parametrize(
    ("status", "code", "whole"), [(403, "AccessDenied", False), (501, "NotImplemented", True)]
)
def test_a_refusal_is_an_error_for_who_asks_directly(
    copying: Copying, status: int, code: str, whole: bool
) -> None:
    """It says whether others need to be tried."""
    part = copying.part(1, 0, 10)
    copying.bucket.before = lambda request: error(status, code)
    with pytest.raises(NotCopiedError) as raised:
        copy_part(copying.wire, part, copying.source)
    assert raised.value.whole is whole


def test_absent_content_that_can_not_be_copied_is_asked_for(copying: Copying) -> None:
    """It can't be sent from here."""
    copying.bucket.before = lambda request: error(403, "AccessDenied") if request.is_copy else None
    with pytest.raises(AbsentContentError):
        copying.copier.copy_or_send(without_content(ARTIFACT), copying.part(1, 500, 900))
