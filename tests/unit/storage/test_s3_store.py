"""A bucket by S3: what is read, written and removed, and what each refusal becomes."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.credentials import Credentials

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.errors import (
    BuilderError,
    ConditionalWritesUnsupportedError,
    NotAuthorisedError,
    StorageError,
)
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.storage.s3_store import S3Store
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, HANG_UP, Answer, Bucket, Request, client_of, error

KEY = f"models/lines/{'ab' * 32}/lines.zip"
DAY = 24 * 3600
ARTIFACT = artifact_of({"1/w.bin": random.Random(1).randbytes(200_000)})


def store_of(bucket: Bucket, token: str | None = None, **storage: str) -> S3Store:
    """Return the store; more of a manifest's storage are keywords."""
    described = Storage(BUCKET, "models", endpoint_url=bucket.endpoint, **storage)  # type: ignore[arg-type]  # by name
    access = S3Access(client_of(bucket.endpoint), Credentials("key", "secret", token))
    return S3Store(access, described)


def refuse(bucket: Bucket, operation: str, answer: Answer) -> None:
    """Let the store answer one kind of request so."""
    bucket.before = lambda request: answer if request.operation == operation else None


def whole(artifact: Artifact) -> bytes:
    """Return all bytes of an artifact."""
    return artifact.read(0, artifact.size)


def test_an_object_is_described(bucket: Bucket) -> None:
    """Size, bare ETag, metadata, and the checksum of the whole content."""
    crc = "SZYC0g=="
    found = bucket.put("a", b"content", headers={"x-amz-meta-tree": "t"}, crc=crc)
    described = store_of(bucket).stat("a")
    assert described is not None
    assert (described.key, described.size, described.etag) == ("a", 7, found.etag)
    assert described.metadata == {"tree": "t"}
    assert described.crc32 == "499602d2"


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    """No object at a key is an answer, and no failure; a range of it is one."""
    store = store_of(bucket)
    assert store.stat("a") is None
    assert store.get("a") is None
    with pytest.raises(StorageError, match="there is no a in bucket bucket") as raised:
        store.read("a", 0, 1)
    assert raised.value.problems[0].code == "object-gone"


READS: list[tuple[str, Callable[[S3Store], object]]] = [
    ("HEAD", lambda store: store.stat("a")),
    ("GET", lambda store: store.get("a")),
    ("GET", lambda store: store.read("a", 0, 1)),
    ("GET list-type", lambda store: list(store.find("a"))),
    ("PUT", lambda store: store.write("a", b"")),
    ("PUT", lambda store: store.put_if("a", b"", None)),
    ("PUT", lambda store: store.put_if("a", b"", "e")),
    ("DELETE", lambda store: store.delete("a")),
    ("DELETE", lambda store: store.delete("a", "e")),
    ("PUT", lambda store: store.put_artifact("a", ARTIFACT, {})),
]


@pytest.mark.parametrize(("operation", "call"), READS)
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (error(403, "AccessDenied"), NotAuthorisedError, "store-refused"),
        (error(500, "InternalError"), StorageError, "store-failed"),
        (HANG_UP, StorageError, "store-unreachable"),
    ],
)
def test_refusals_are_errors(
    bucket: Bucket,
    operation: str,
    call: Callable[[S3Store], object],
    answer: Answer,
    kind: type[BuilderError],
    code: str,
) -> None:
    """No access, a failure or no answer is told as such, and is never taken for absence."""
    refuse(bucket, operation, answer)
    with pytest.raises(kind) as raised:
        call(store_of(bucket))
    assert raised.value.problems[0].code == code
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("HEAD", lambda store: store.stat("a")),
        ("GET", lambda store: store.get("a")),
        ("GET list-type", lambda store: list(store.find("a"))),
        ("PUT", lambda store: store.put_if("a", b"", None)),
    ],
)
def test_a_web_page_is_no_store(
    bucket: Bucket, operation: str, call: Callable[[S3Store], object]
) -> None:
    """A login page that answers 200 is taken neither for an object nor for an empty listing."""
    refuse(bucket, operation, Answer(200, b"<html>log in</html>", {"Content-Type": "text/html"}))
    with pytest.raises(StorageError, match="not an S3 store") as raised:
        call(store_of(bucket))
    assert raised.value.problems[0].code == "not-s3"


def test_small_objects_have_an_age_by_the_stores_clock(bucket: Bucket) -> None:
    """However wrong this machine's clock is beside the store's."""
    bucket.clock = timedelta(days=-400)
    bucket.put("a", b"content", age=90)
    found = store_of(bucket).get("a")
    assert found is not None
    assert found.body == b"content"
    assert 85 <= found.age <= 600


def test_a_range_is_what_was_asked_for(bucket: Bucket) -> None:
    """From the offset on, so many bytes."""
    bucket.put("a", bytes(range(100)))
    assert store_of(bucket).read("a", 10, 5) == bytes(range(10, 15))


def test_no_more_of_an_object_is_read_than_was_asked_for(bucket: Bucket) -> None:
    """Its start, all of it, or None where there is nothing."""
    bucket.put("a", b"content")
    assert [store_of(bucket).start_of("a", length) for length in (3, 7, 99)] == [
        b"con",
        b"content",
        b"content",
    ]
    assert store_of(bucket).start_of("b", 3) is None
    bucket.put("empty", b"")
    assert store_of(bucket).start_of("empty", 3) == b""
    refuse(bucket, "GET", error(403, "AccessDenied"))
    with pytest.raises(NotAuthorisedError):
        store_of(bucket).start_of("a", 3)


def test_listings_are_read_to_their_end(bucket: Bucket) -> None:
    """Every page, by key, with sizes and ages; other prefixes are not named."""
    for number in range(5):
        bucket.put(f"models/{number}", bytes(number), age=1000 * number)
    bucket.put("other", b"")
    found = list(store_of(bucket).find("models/"))
    assert [one.key for one in found] == [f"models/{number}" for number in range(5)]
    assert [one.size for one in found] == [0, 1, 2, 3, 4]
    assert [round(one.age / 1000) for one in found] == [0, 1, 2, 3, 4]


def test_only_a_place_that_is_free_is_taken(bucket: Bucket) -> None:
    """With no ETag to replace, what lies there stays, and None says so."""
    store = store_of(bucket)
    etag = store.put_if("a", b"first", None)
    assert etag is not None
    assert store.put_if("a", b"second", None) is None
    assert bucket.objects["a"].body == b"first"
    assert store.put_if("a", b"third", etag) is not None
    assert bucket.objects["a"].body == b"third"
    assert store.put_if("a", b"fourth", etag) is None
    assert store.put_if("gone", b"fifth", etag) is None
    assert set(bucket.objects) == {"a"}


@pytest.mark.parametrize(
    ("status", "code"), [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")]
)
def test_a_condition_that_does_not_hold_is_no_error(bucket: Bucket, status: int, code: str) -> None:
    """Who lost a race is told None or False, whichever of the two codes the store has for it."""
    store = store_of(bucket)
    refuse(bucket, "PUT", error(status, code))
    assert store.put_if("a", b"", None) is None
    refuse(bucket, "DELETE", error(status, code))
    assert store.delete("a", "e") is False


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument", "InvalidRequest"])
def test_a_store_without_conditions_is_told_apart(bucket: Bucket, code: str) -> None:
    """Whoever needs a condition can go on without one: the error is of a type of its own."""
    store = store_of(bucket)
    bucket.before = lambda request: (
        error(400, code) if {"if-match", "if-none-match"} & set(request.headers) else None
    )
    for call in (lambda: store.put_if("a", b"", "e"), lambda: store.delete("a", "e")):
        with pytest.raises(ConditionalWritesUnsupportedError) as raised:
            call()
        assert raised.value.problems[0].code == "no-conditional-writes"
    assert bucket.objects == {}


def test_writing_replaces_whatever_lies_there(bucket: Bucket) -> None:
    """Without a condition."""
    bucket.put("a", b"old")
    store_of(bucket).write("a", b"new")
    assert bucket.objects["a"].body == b"new"
    assert {"if-match", "if-none-match"}.isdisjoint(bucket.asked[-1].headers)


def test_removing_says_whether_it_is_gone(bucket: Bucket) -> None:
    """Another content than the one that is meant stays; what is gone already is gone."""
    store = store_of(bucket)
    etag = bucket.put("a", b"content").etag
    assert store.delete("a", "other") is False
    assert "a" in bucket.objects
    assert store.delete("a", etag) is True
    assert store.delete("a", etag) is True
    bucket.put("a", b"content")
    assert store.delete("a") is True
    assert bucket.objects == {}


def test_an_artifact_is_stored_with_what_is_said_of_it(bucket: Bucket) -> None:
    """Bytes, metadata, type and checksum; only where nothing lies."""
    stored = store_of(bucket).put_artifact(KEY, ARTIFACT, {"tree": "t"})
    made = bucket.objects[KEY]
    assert made.body == whole(ARTIFACT)
    assert made.headers["content-type"] == "application/zip"
    assert made.headers["x-amz-meta-tree"] == "t"
    assert made.headers["if-none-match"] == "*"
    assert "x-amz-acl" not in made.headers
    assert stored.metadata == {"tree": "t"}
    assert stored.crc32 == f"{zlib.crc32(made.body):08x}"
    assert bucket.operations == ["HEAD", "PUT", "HEAD"]


def test_the_same_artifact_is_not_sent_again(bucket: Bucket) -> None:
    """By its size and checksum; another content is replaced, if nobody else did so first."""
    store = store_of(bucket)
    store.put_artifact(KEY, ARTIFACT, {})
    bucket.asked.clear()
    assert store.put_artifact(KEY, ARTIFACT, {}) == store.stat(KEY)
    assert bucket.operations == ["HEAD", "HEAD"]
    damaged = bytes([whole(ARTIFACT)[0] ^ 1]) + whole(ARTIFACT)[1:]
    etag = bucket.put(KEY, damaged, crc="AAAAAA==").etag
    store.put_artifact(KEY, ARTIFACT, {})
    assert bucket.objects[KEY].body == whole(ARTIFACT)
    assert bucket.objects[KEY].headers["if-match"].strip('"') == etag


def test_an_object_of_another_size_is_replaced(bucket: Bucket) -> None:
    """Also where the store keeps no checksums."""
    bucket.put(KEY, whole(ARTIFACT) + b"more")
    store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    assert bucket.objects[KEY].body == whole(ARTIFACT)


def test_an_object_without_a_checksum_is_known_by_its_size(bucket: Bucket) -> None:
    """A store that keeps none is not sent the same artifact at every apply."""
    bucket.put(KEY, whole(ARTIFACT))
    store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    assert bucket.operations == ["HEAD"]


def test_an_upload_that_another_run_finished_first_is_taken(bucket: Bucket) -> None:
    """Between the look and the upload somebody stores the same: that is said, and no failure."""
    told: list[str] = []

    def race(request: Request) -> None:
        if request.operation == "PUT":
            bucket.put(KEY, whole(ARTIFACT))

    bucket.before = race
    store_of(bucket).put_artifact(KEY, ARTIFACT, {}, lambda event: told.append(event.message))
    assert "the artifact is there already" in told


def test_an_upload_that_another_content_beat_is_a_failure(bucket: Bucket) -> None:
    """Somebody stores something else: it is not overwritten, and not called ours."""

    def race(request: Request) -> None:
        if request.operation == "PUT":
            bucket.put(KEY, b"something else")

    bucket.before = race
    with pytest.raises(StorageError, match="not what was uploaded") as raised:
        store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    assert raised.value.problems[0].code == "upload-lost"
    assert bucket.objects[KEY].body == b"something else"


def test_an_upload_that_vanishes_is_a_failure(bucket: Bucket) -> None:
    """A store that answers 200 and keeps nothing is found out."""
    refuse(bucket, "PUT", Answer(200, b"", {"ETag": '"e"'}))
    with pytest.raises(StorageError) as raised:
        store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    assert raised.value.problems[0].code == "upload-lost"


def test_what_went_on_is_told(bucket: Bucket) -> None:
    """An upload is started and done, each with its size; nothing is told of one that is there."""
    told: list[tuple[str, int | None, int | None]] = []
    store = store_of(bucket)
    for _ in range(2):
        store.put_artifact(
            KEY, ARTIFACT, {}, lambda event: told.append((event.state, event.done, event.total))
        )
    size = ARTIFACT.size
    assert told == [("started", None, size), ("done", size, size)]


def test_samples_are_compared_where_no_checksum_is(bucket: Bucket) -> None:
    """Beginning, middle and end are read back from a store that keeps no checksums."""
    bucket.checksums = False
    store = store_of(bucket, checksums="when_required")
    store.put_artifact(KEY, ARTIFACT, {})
    ranges = [request.headers["range"] for request in bucket.asked if request.operation == "GET"]
    middle, end = (ARTIFACT.size - 65536) // 2, ARTIFACT.size - 65536
    assert ranges == [
        "bytes=0-65535",
        f"bytes={middle}-{middle + 65535}",
        f"bytes={end}-{ARTIFACT.size - 1}",
    ]


@pytest.mark.parametrize("at", [0, ARTIFACT.size // 2, ARTIFACT.size - 1])
def test_what_came_out_different_is_removed(bucket: Bucket, at: int) -> None:
    """A store that damages what it keeps, and compares nothing itself, is not left with it."""
    bucket.checksums = False

    def damage(request: Request, answer: Answer) -> Answer:
        if request.operation == "PUT":
            body = bytearray(bucket.objects[KEY].body)
            body[at] ^= 1
            bucket.objects[KEY].body = bytes(body)
        return answer

    bucket.after = damage
    with pytest.raises(StorageError) as raised:
        store_of(bucket, checksums="when_required").put_artifact(KEY, ARTIFACT, {})
    assert raised.value.problems[0].code == "upload-damaged"
    assert bucket.objects == {}


def test_no_samples_where_the_store_compared(bucket: Bucket) -> None:
    """A checksum that went with the upload was compared, whether or not it is kept."""
    bucket.checksums = False
    store_of(bucket, checksums="auto").put_artifact(KEY, ARTIFACT, {})
    assert "GET" not in bucket.operations


def test_public_read_is_asked_for_where_the_manifest_says_so(bucket: Bucket) -> None:
    """With the upload; afterwards, where an anonymous client can't read what is there."""
    bucket.public = False
    store = store_of(bucket, access="public-read-acl")
    store.put_artifact(KEY, ARTIFACT, {})
    assert bucket.objects[KEY].headers["x-amz-acl"] == "public-read"
    assert "PUT acl" not in bucket.operations
    bucket.objects[KEY].acl = ""
    store.put_artifact(KEY, ARTIFACT, {})
    assert bucket.objects[KEY].acl == "public-read"


def test_no_acl_is_given_to_what_the_manifest_calls_public(bucket: Bucket) -> None:
    """A bucket policy may open it: nobody looks, and nothing is changed."""
    bucket.public = False
    store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    store_of(bucket).put_artifact(KEY, ARTIFACT, {})
    assert "PUT acl" not in bucket.operations
    assert bucket.objects[KEY].acl == ""


def test_what_another_run_stored_is_opened_too(bucket: Bucket) -> None:
    """Who was first may have stored it for itself alone."""
    bucket.public = False

    def race(request: Request) -> None:
        if request.operation == "PUT":
            bucket.put(KEY, whole(ARTIFACT))

    bucket.before = race
    store_of(bucket, access="public-read-acl").put_artifact(KEY, ARTIFACT, {})
    assert bucket.objects[KEY].acl == "public-read"


@pytest.mark.parametrize(("status", "code"), [(501, "NotImplemented"), (404, "NoSuchKey")])
def test_a_store_that_knows_no_acl_fails_nothing(bucket: Bucket, status: int, code: str) -> None:
    """Whether anonymous clients can read is proven afterwards in any case."""
    bucket.public = False
    bucket.put(KEY, whole(ARTIFACT))
    refuse(bucket, "PUT acl", error(status, code))
    store_of(bucket, access="public-read-acl").put_artifact(KEY, ARTIFACT, {})
    assert "PUT acl" in bucket.operations


def test_an_acl_that_is_forbidden_is_told(bucket: Bucket) -> None:
    """That is no store without ACLs, but credentials that do not reach."""
    bucket.public = False
    bucket.put(KEY, whole(ARTIFACT))
    refuse(bucket, "PUT acl", error(403, "AccessDenied"))
    with pytest.raises(NotAuthorisedError):
        store_of(bucket, access="public-read-acl").put_artifact(KEY, ARTIFACT, {})


def test_urls_are_plain_or_signed(bucket: Bucket) -> None:
    """What is public has an address; what is presigned has one that ends in a week."""
    plain = f"{bucket.endpoint}/{BUCKET}/{KEY}"
    assert store_of(bucket).url(KEY) == plain
    signed = store_of(bucket, access="presigned").url(KEY)
    assert signed.startswith(f"{plain}?")
    assert f"X-Amz-Expires={7 * DAY}" in signed
    assert "X-Amz-Signature=" in signed


@pytest.mark.parametrize(
    ("token", "told"),
    [(None, "the presigned URL ends after 7 days"), ("session", "the credentials are temporary")],
)
def test_how_long_a_presigned_url_lives_is_told(
    bucket: Bucket, token: str | None, told: str
) -> None:
    """Credentials of a session end earlier than the URL says."""
    messages: list[str] = []
    store = store_of(bucket, token, access="presigned")
    store.put_artifact(KEY, ARTIFACT, {}, lambda event: messages.append(event.message))
    assert told in messages[-1]
    messages.clear()
    store_of(bucket, token).put_artifact(
        f"{KEY}2", ARTIFACT, {}, lambda event: messages.append(event.message)
    )
    assert not any("presigned" in message for message in messages)


def test_a_stores_secrets_are_in_no_repr(bucket: Bucket) -> None:
    """Not even by accident of a traceback."""
    assert "secret" not in repr(store_of(bucket))
