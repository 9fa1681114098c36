"""Uploads that earlier runs began: which is gone on with, which are aborted, and which are left."""

from __future__ import annotations

import random

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.storage.upload.parts import Part
from clarifai_build.storage.upload.stale_uploads import Unfinished
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, HANG_UP, Answer, Bucket, Request, client_of, error

DAY = 24 * 3600.0
DIGEST = "ab" * 32
KEY = f"models/lines/{DIGEST}/lines.zip"
OTHER = f"models/faces/{'cd' * 32}/faces.zip"
CONTENT = random.Random(1).randbytes(3000)


@pytest.fixture
def artifact() -> Artifact:
    """A small artifact, to be cut by hand."""
    return artifact_of({"1/w.bin": CONTENT})


class Counted(CancelToken):
    """Counts how often it is looked at."""

    looked = 0

    def check(self) -> None:
        self.looked += 1
        super().check()


def unfinished(bucket: Bucket, cancel: CancelToken = NEVER) -> Unfinished:
    """Return the uploads of the store."""
    return Unfinished(client_of(bucket.endpoint), BUCKET, cancel)


def parts_of(artifact: Artifact, *ends: int) -> list[Part]:
    """Cut an artifact at the given offsets."""
    starts = (0, *ends)
    return [
        Part(number, start, end - start, artifact.crc32(start, end - start))
        for number, (start, end) in enumerate(zip(starts, (*ends, artifact.size), strict=True), 1)
    ]


def contents(artifact: Artifact, parts: list[Part]) -> list[bytes]:
    """Return the bytes of parts."""
    return [artifact.read(part.offset, part.length) for part in parts]


def test_a_fresh_upload_of_somebody_else_survives(bucket: Bucket) -> None:
    """Of another artifact, nothing is aborted that began within the last seven days."""
    fresh = bucket.begin(OTHER, age=7 * DAY - 60)
    unfinished(bucket).abort_stale(KEY, "models")
    assert set(bucket.uploads) == {fresh}


def test_a_stale_upload_of_any_artifact_is_aborted(bucket: Bucket) -> None:
    """What began more than seven days ago and lies at a content address goes."""
    bucket.begin(OTHER, age=7 * DAY + 60)
    unfinished(bucket).abort_stale(KEY, "models")
    assert bucket.uploads == {}


def test_every_other_upload_of_the_same_artifact_is_aborted(bucket: Bucket) -> None:
    """The artifact is there whole: however fresh, no other upload of its key has a purpose."""
    bucket.begin(KEY, age=1)
    bucket.begin(KEY, age=30 * DAY)
    unfinished(bucket).abort_stale(KEY, "models")
    assert bucket.uploads == {}


@pytest.mark.parametrize(
    "key",
    [
        f"others/lines/{DIGEST}/lines.zip",
        "models/video.mp4",
        "models/lines/notes.zip",
        f"models/lines/{DIGEST[:-1]}/lines.zip",
        f"models/lines/{DIGEST.upper()}/lines.zip",
        f"models/lines/{DIGEST}/deeper/lines.zip",
        f"models/lines/{DIGEST}/lines.zip.part",
        f"models/lines{DIGEST}/lines.zip",
    ],
)
def test_what_is_not_ours_is_left_however_old(bucket: Bucket, key: str) -> None:
    """Uploads under another prefix, or not at a content address, are not of this tool."""
    left = bucket.begin(key, age=365 * DAY)
    unfinished(bucket).abort_stale(KEY, "models/")
    assert set(bucket.uploads) == {left}


def test_an_upload_at_the_root_of_a_bucket_is_ours(bucket: Bucket) -> None:
    """Without a prefix, a content address may be all that a key begins with."""
    bucket.begin(f"{DIGEST}/lines.zip", age=8 * DAY)
    unfinished(bucket).abort_stale(KEY, "")
    assert bucket.uploads == {}


def test_all_pages_of_uploads_are_looked_at(bucket: Bucket) -> None:
    """A listing of several pages is read to its end, and only the stale are aborted."""
    fresh = [bucket.begin(OTHER, age=60) for _ in range(3)]
    for _ in range(4):
        bucket.begin(OTHER, age=30 * DAY)
    unfinished(bucket).abort_stale(KEY, "models")
    assert list(bucket.uploads) == fresh
    assert bucket.operations.count("GET uploads") == 4


@pytest.mark.parametrize(
    "answer",
    [error(403, "AccessDenied"), error(501, "NotImplemented"), Answer(200, b"<html>"), HANG_UP],
)
def test_a_store_that_lists_no_uploads_fails_nothing(bucket: Bucket, answer: Answer) -> None:
    """Where uploads can't be listed, none is aborted and none is gone on with."""
    upload = bucket.begin(KEY)
    bucket.before = lambda request: answer if request.operation == "GET uploads" else None
    unfinished(bucket).abort_stale(KEY, "models")
    assert unfinished(bucket).resume(KEY, artifact_of({"a": b"b"}), []) is None
    assert set(bucket.uploads) == {upload}


def test_an_abort_that_is_refused_does_not_keep_the_others(bucket: Bucket) -> None:
    """The store may refuse one abort; the next upload is aborted all the same."""
    first = bucket.begin(KEY)
    bucket.begin(KEY)
    refused = error(403, "AccessDenied")
    bucket.before = lambda asked: (
        refused if asked.method == "DELETE" and asked.query["uploadId"] == first else None
    )
    unfinished(bucket).abort_stale(KEY, "models")
    assert set(bucket.uploads) == {first}


def test_entries_that_say_too_little_are_passed_over(bucket: Bucket) -> None:
    """An entry of a listing without an id can't be aborted, and ends nothing."""
    bucket.begin(KEY)
    odd = b"<Upload><Key>models/x.zip</Key></Upload></ListMultipartUploadsResult>"

    def without_id(request: Request, answer: Answer) -> Answer:
        listed = answer.body.replace(b"</ListMultipartUploadsResult>", odd)
        return Answer(answer.status, listed) if request.operation == "GET uploads" else answer

    bucket.after = without_id
    unfinished(bucket).abort_stale(KEY, "models")
    assert bucket.uploads == {}


def test_the_newest_upload_is_gone_on_with(bucket: Bucket, artifact: Artifact) -> None:
    """Of several uploads of a key the newest counts, with all the parts that it has."""
    parts = parts_of(artifact, 500, 1000, 1500)
    bucket.begin(KEY, age=60)
    newest = bucket.begin(KEY, age=5, parts=contents(artifact, parts)[:3])
    bucket.begin(KEY, age=30)
    resumed = unfinished(bucket).resume(KEY, artifact, parts)
    assert resumed is not None
    assert resumed[0] == newest
    assert {number: etag.strip('"') for number, etag in resumed[1].items()} == {
        number: part[1] for number, part in bucket.uploads[newest].parts.items()
    }


def test_an_upload_of_a_longer_key_is_not_gone_on_with(bucket: Bucket, artifact: Artifact) -> None:
    """A listing by prefix names longer keys, too, which are other objects."""
    bucket.begin(f"{KEY}.old")
    assert unfinished(bucket).resume(KEY, artifact, parts_of(artifact)) is None


@pytest.mark.parametrize("checksums", [True, False])
def test_only_parts_that_are_the_same_are_kept(
    bucket: Bucket, artifact: Artifact, *, checksums: bool
) -> None:
    """Parts of another size or content, or beyond the plan, are sent anew; by CRC-32 or MD5."""
    bucket.checksums = checksums
    parts = parts_of(artifact, 500, 1000, 1500)
    first, second, third, last = contents(artifact, parts)
    changed = bytes([second[0] ^ 1]) + second[1:]
    there = [first, changed, third + b"more", last, b"beyond"]
    upload = bucket.begin(KEY, parts=there)
    resumed = unfinished(bucket).resume(KEY, artifact, parts)
    assert resumed is not None
    assert (resumed[0], set(resumed[1])) == (upload, {1, 4})


def test_a_checksum_counts_for_more_than_an_etag(bucket: Bucket, artifact: Artifact) -> None:
    """A store whose ETags are no MD5s is believed by its CRC-32s, and no source is read."""
    upload = bucket.begin(KEY, parts=contents(artifact, parts_of(artifact)))
    body, _, crc = bucket.uploads[upload].parts[1]
    bucket.uploads[upload].parts[1] = (body, "opaque", crc)
    resumed = unfinished(bucket).resume(KEY, artifact, parts_of(artifact))
    assert resumed == (upload, {1: '"opaque"'})


def test_hashing_a_part_can_be_cancelled(bucket: Bucket) -> None:
    """Reading a part to compare it may take long: the token is looked at with each block."""
    large = artifact_of({"1/w.bin": bytes(8 << 20)})
    bucket.checksums = False
    upload = bucket.begin(KEY, parts=contents(large, parts_of(large)))
    cancel = Counted()
    resumed = unfinished(bucket, cancel).resume(KEY, large, parts_of(large))
    assert resumed is not None
    assert resumed[0] == upload
    assert cancel.looked > 8


def test_parts_that_can_not_be_listed_begin_anew(bucket: Bucket, artifact: Artifact) -> None:
    """An upload whose parts the store does not show is none to go on with."""
    bucket.begin(KEY)
    bucket.before = lambda asked: (
        error(404, "NoSuchUpload") if asked.query.get("uploadId") else None
    )
    assert unfinished(bucket).resume(KEY, artifact, parts_of(artifact)) is None


def test_a_fault_of_ours_is_not_passed_over(bucket: Bucket, artifact: Artifact) -> None:
    """Only what stores and botocore raise is passed over: anything else comes out."""
    bucket.begin(KEY)

    class Faulty(CancelToken):
        def check(self) -> None:
            raise AssertionError("ours")

    with pytest.raises(AssertionError, match="ours"):
        unfinished(bucket, Faulty()).abort_stale(KEY, "models")
