"""Weights from buckets: from any offset, and what each answer of the store means."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Storage
from clarifai_build.weights.remote.opener import open_remote
from clarifai_build.weights.remote.stream import Remote
from support.memory_s3 import BUCKET, HANG_UP, KEYS, Answer, Bucket, error, memory_s3
from support.scripted_web import closed_port

CONTENT = random.Random(3).randbytes((1 << 20) + 5)
URL = f"s3://{BUCKET}/weights/w.bin"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """A store with one weight."""
    with memory_s3() as running:
        running.put("weights/w.bin", CONTENT)
        yield running


def opened(endpoint: str, offset: int = 0, environ: dict[str, str] = KEYS) -> Remote:
    """Open the weight, where the manifest's own bucket is another of the same store."""
    return open_remote(URL, offset, Storage("other", endpoint_url=endpoint), environ)


def take_all(remote: Remote, into: bytearray) -> None:
    """Read to the end; what has arrived is there, whatever comes then."""
    for block in remote.blocks:
        into += block


@pytest.mark.parametrize("offset", [0, 1, 1 << 20, len(CONTENT) - 1])
def test_an_object_is_read_from_an_offset(bucket: Bucket, offset: int) -> None:
    """With the size of the whole."""
    remote = opened(bucket.endpoint, offset)
    assert remote.size == len(CONTENT)
    assert b"".join(remote.blocks) == CONTENT[offset:]


@pytest.mark.parametrize("offset", [len(CONTENT), len(CONTENT) + 1])
def test_nothing_lies_beyond_the_end(bucket: Bucket, offset: int) -> None:
    """It is not asked for."""
    remote = opened(bucket.endpoint, offset)
    assert (remote.size, list(remote.blocks)) == (len(CONTENT), [])
    assert bucket.operations == ["HEAD"]


def test_without_storage_the_environment_says_where(bucket: Bucket) -> None:
    """A model that is never published may have weights in a bucket, too."""
    remote = open_remote(URL, 0, None, {**KEYS, "AWS_ENDPOINT_URL": bucket.endpoint})
    assert remote.size == len(CONTENT)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error(404, "NoSuchKey"), "404 Not Found"),
        (error(403, "AccessDenied"), "403 Forbidden"),
    ],
)
def test_a_refusal_is_final(bucket: Bucket, answer: Answer, said: str) -> None:
    """HEAD has no body, so that the status is all that is known."""
    bucket.before = lambda request: answer
    with pytest.raises(SourceError, match=said) as raised:
        opened(bucket.endpoint)
    assert raised.value.problems[0].code == "weight-refused"
    assert len(bucket.asked) == 1


def test_a_code_is_told_where_there_is_one(bucket: Bucket) -> None:
    """Between HEAD and GET something may change."""
    bucket.before = lambda request: error(403, "Gone") if request.method == "GET" else None
    with pytest.raises(SourceError, match="can't be fetched: Gone"):
        opened(bucket.endpoint)


def test_what_may_pass_is_a_broken_connection(bucket: Bucket) -> None:
    """By its code, whatever the status."""
    bucket.before = lambda asked: error(400, "InternalError") if asked.method == "GET" else None
    with pytest.raises(ConnectionError, match="InternalError"):
        opened(bucket.endpoint)


def test_a_store_that_hangs_up_may_pass(bucket: Bucket) -> None:
    """As may one that is not there."""
    bucket.before = lambda request: HANG_UP
    with pytest.raises(ConnectionError, match="hangs up"):
        opened(bucket.endpoint)
    with pytest.raises(ConnectionError, match="can't be reached"):
        opened(closed_port())


def test_a_body_that_ends_early_may_pass(bucket: Bucket) -> None:
    """What has arrived is given first."""
    headers = {"Content-Length": str(len(CONTENT))}
    bucket.after = lambda request, answer: (
        Answer(206, CONTENT[:300_000], {**answer.headers, **headers, "Connection": "close"})
        if request.method == "GET"
        else answer
    )
    arrived = bytearray()
    with pytest.raises(ConnectionError):
        take_all(opened(bucket.endpoint), arrived)
    assert CONTENT.startswith(bytes(arrived))
    assert len(arrived) >= 256 << 10


def test_without_credentials_the_way_out_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """Nothing is asked."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in (*KEYS, "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SourceError, match="no credentials for it") as raised:
        opened(bucket.endpoint, environ={})
    assert "AWS_ACCESS_KEY_ID" in (raised.value.problems[0].hint or "")
    assert bucket.asked == []
