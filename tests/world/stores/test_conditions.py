"""Stores that refuse: for the condition, or for something else that looks the same."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from botocore.credentials import Credentials

from clarifai_build.errors import StorageError
from clarifai_build.manifest.types import Storage
from clarifai_build.net.s3_access import S3Access
from clarifai_build.progress import Event
from clarifai_build.storage.leases import Lease, NoLease, for_model
from clarifai_build.storage.s3_store import S3Store
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, Answer, Bucket, Request, client_of, error

ZIP = f"models/lines/{'ab' * 32}/lines.zip"
SMALL = artifact_of({"1/w.bin": b"content"})
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})
LEASE = "models/.leases/me/main/lines.json"
OBJECT_LOCK = (
    b"<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is "
    b"required for Put Object requests with Object Lock parameters</Message></Error>"
)


def store_of(bucket: Bucket) -> S3Store:
    """Return the bucket as the tool sees it."""
    access = S3Access(client_of(bucket.endpoint), Credentials("key", "secret"))
    return S3Store(access, Storage(BUCKET, "models", endpoint_url=bucket.endpoint))


@contextmanager
def leased(bucket: Bucket, told: list[Event] | None = None) -> Iterator[Lease | NoLease]:
    """Hold the lease of a model."""
    tell: Callable[[Event], None] = [].append if told is None else told.append  # type: ignore[assignment]  # of events
    with for_model(store_of(bucket), "models", "me/main", "lines", "apply", tell) as lease:
        yield lease


def is_conditional(request: Request) -> bool:
    """Return whether a request depends on what lies at its key."""
    return bool({"if-match", "if-none-match"} & set(request.headers))


def is_summed(request: Request) -> bool:
    """Return whether a request has a checksum where every store with Object Lock looks for it."""
    return "content-md5" in request.headers or "x-amz-sdk-checksum-algorithm" in request.headers


def with_object_lock(request: Request) -> Answer | None:
    """Refuse objects without a checksum, as buckets with Object Lock do."""
    writes = request.operation in ("PUT", "PUT partNumber")
    return Answer(400, OBJECT_LOCK) if writes and not is_summed(request) else None


def test_a_bucket_with_object_lock_keeps_leases(bucket: Bucket) -> None:
    """Every small write has a checksum: the lease is taken, renewed and given back."""
    bucket.before = with_object_lock
    with leased(bucket) as lease:
        assert isinstance(lease, Lease)
        lease.renew()
        lease.check()
        body = bucket.objects[LEASE].body
        (sent, *_) = [r for r in reversed(bucket.asked) if r.method == "PUT"]
        md5 = hashlib.md5(body, usedforsecurity=False).digest()
        assert sent.headers["content-md5"] == base64.b64encode(md5).decode()
    assert LEASE not in bucket.objects


@pytest.mark.parametrize("artifact", [SMALL, LARGE], ids=["small", "in parts"])
def test_a_bucket_with_object_lock_takes_artifacts_and_records(
    bucket: Bucket, artifact: object
) -> None:
    """With their checksums, at the first attempt."""
    bucket.before = with_object_lock
    store = store_of(bucket)
    store.put_artifact(ZIP, artifact, {})  # type: ignore[arg-type]  # one of two
    store.write("models/claim", b"")
    assert {"models/claim", ZIP} == set(bucket.objects)
    assert all(map(is_summed, (r for r in bucket.asked if r.operation == "PUT")))


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "InvalidRequest"), (400, "InvalidArgument"), (501, "NotImplemented"), (501, "501")],
)
def test_what_is_refused_with_and_without_a_condition_gives_up_no_lease(
    bucket: Bucket, status: int, code: str
) -> None:
    """The store means something else by it, and that is told."""
    bucket.before = lambda request: error(status, code) if request.method == "PUT" else None
    with pytest.raises(StorageError, match=str(status)) as raised, leased(bucket):
        pytest.fail("worked without a lease")
    assert raised.value.problems[0].code == "store-failed"


@pytest.mark.parametrize("refused", [1, 2])
def test_a_passing_fault_gives_up_no_lease(bucket: Bucket, refused: int) -> None:
    """A gateway that answers 501 for a moment does not make a store without conditions."""
    left = [error(501, "501")] * refused

    def hiccup(request: Request) -> Answer | None:
        return (
            left.pop() if left and is_conditional(request) and ".probe" not in request.key else None
        )

    bucket.before = hiccup
    with pytest.raises(StorageError, match="501"), leased(bucket):
        pytest.fail("worked without a lease")
    assert bucket.objects == {}


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument", "InvalidRequest"])
def test_a_store_that_refuses_conditions_alone_keeps_none(bucket: Bucket, code: str) -> None:
    """That is found out by asking without one; nothing is left of the question."""
    bucket.before = lambda request: error(400, code) if is_conditional(request) else None
    told: list[Event] = []
    with leased(bucket, told) as lease:
        assert isinstance(lease, NoLease)
    assert [event.warning.code for event in told if event.warning] == ["lease-unsupported"]
    assert bucket.objects == {}


def test_a_store_that_knows_one_condition_of_two_keeps_leases(bucket: Bucket) -> None:
    """As Swift: an object is made under a condition, and replaced under none."""
    bucket.before = lambda request: (
        error(501, "NotImplemented") if "if-match" in request.headers else None
    )
    with leased(bucket) as lease:
        assert isinstance(lease, Lease)
        before = bucket.objects[LEASE].body
        lease.renew()
        lease.check()
        assert bucket.objects[LEASE].body != before
        assert list(bucket.objects) == [LEASE]
    assert bucket.objects == {}


def test_a_store_that_names_the_header_is_asked_no_more(bucket: Bucket) -> None:
    """That is unmistakable."""
    named = b"<Error><Code>NotImplemented</Code><Header>If-None-Match</Header></Error>"
    bucket.before = lambda request: Answer(501, named) if is_conditional(request) else None
    with leased(bucket) as lease:
        assert isinstance(lease, NoLease)
    assert len(bucket.asked) == 1
