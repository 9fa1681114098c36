"""A store that stays anonymous for as long as it can, and as S3 from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import NotAuthorisedError
from clarifai_build.manifest.types import Storage
from clarifai_build.storage.anonymous import look_at
from clarifai_build.storage.lazy_store import LazyStore, connect
from clarifai_build.storage.s3_store import S3Store
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, KEYS, Bucket, crc_of

ARTIFACT = artifact_of({"1/w.bin": b"content"})


def store_of(bucket: Bucket, environ: dict[str, str] = KEYS) -> LazyStore:
    """Return the store, not opened yet."""
    return LazyStore(Storage(BUCKET, "models", endpoint_url=bucket.endpoint), environ)


def anonymous(bucket: Bucket) -> list[bool]:
    """Return of each request whether it was anonymous."""
    return ["authorization" not in request.headers for request in bucket.asked]


def test_what_is_public_needs_no_credentials(bucket: Bucket) -> None:
    """Size, ETag, metadata and checksum are those that the owner would see."""
    bucket.put("a", b"content", headers={"x-amz-meta-tree": "t"}, crc=crc_of(b"content"))
    seen = store_of(bucket, {}).stat("a")
    assert anonymous(bucket) == [True]
    assert seen == store_of_owner(bucket).stat("a")
    assert seen is not None
    assert seen.crc32


def store_of_owner(bucket: Bucket) -> S3Store:
    """Return the store as its owner sees it."""
    store = connect(Storage(BUCKET, access="presigned", endpoint_url=bucket.endpoint), KEYS)
    assert isinstance(store, S3Store)
    return store


def test_what_is_not_public_is_asked_for(bucket: Bucket) -> None:
    """A bucket may hide what is there; where nothing is, the owner is told so."""
    bucket.public = False
    bucket.put("a", b"content")
    store = store_of(bucket)
    found = store.stat("a")
    assert found is not None
    assert found.size == 7
    assert anonymous(bucket) == [True, False]
    assert store.stat("b") is None
    assert anonymous(bucket) == [True, False, False]


def test_the_start_of_what_is_public_needs_no_credentials(bucket: Bucket) -> None:
    """No more is read than was asked for; what is hidden, or not there, the owner is asked for."""
    bucket.put("a", b"content")
    store = store_of(bucket, {})
    assert store.start_of("a", 4) == b"cont"
    assert store.start_of("a", 100) == b"content"
    assert anonymous(bucket) == [True, True]
    bucket.public = False
    store = store_of(bucket)
    assert store.start_of("a", 4) == b"cont"
    assert anonymous(bucket) == [True, True, True, False]
    assert store.start_of("b", 4) is None
    assert anonymous(bucket) == [True, True, True, False, False]


def test_nothing_is_found_out_without_credentials(bucket: Bucket) -> None:
    """That an anonymous client sees nothing does not mean that there is nothing."""
    with pytest.raises(NotAuthorisedError):
        store_of(bucket, {"AWS_ACCESS_KEY_ID": "half"}).stat("a")


def test_everything_else_is_the_owners(bucket: Bucket) -> None:
    """Each call does what S3 does, with all that it was given."""
    store = store_of(bucket)
    etag = store.put_if("models/a", b"one", None)
    assert etag is not None
    assert store.put_if("models/a", b"two", "other") is None
    assert store.read("models/a", 1, 2) == b"ne"
    small = store.get("models/a")
    assert small is not None
    assert small.body == b"one"
    store.write("models/b", b"three")
    assert [one.key for one in store.find("models/")] == ["models/a", "models/b"]
    assert [one.key for one in store.find("models/b")] == ["models/b"]
    assert store.delete("models/b", "other") is False
    assert store.delete("models/b") is True
    told: list[str] = []
    stored = store.put_artifact(
        "models/c", ARTIFACT, {"tree": "t"}, lambda event: told.append(event.state)
    )
    assert stored.metadata == {"tree": "t"}
    assert told == ["started", "done"]
    assert set(bucket.objects) == {"models/a", "models/c"}
    assert anonymous(bucket) == [False] * len(bucket.asked)


def test_urls_are_those_of_the_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only boto3's own files know it, those are read."""
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    known = {"AWS_REGION": "us-west-2", **KEYS}
    assert LazyStore(Storage("box"), known).url("k") == "https://box.s3.us-west-2.amazonaws.com/k"
    assert LazyStore(Storage("box"), KEYS).url("k") == "https://box.s3.eu-north-1.amazonaws.com/k"


def test_the_environment_names_the_store(bucket: Bucket) -> None:
    """It becomes a part of what is asked and of URLs; presigned stores are opened at once."""
    environ = {**KEYS, "AWS_ENDPOINT_URL": bucket.endpoint}
    store = connect(Storage(BUCKET), environ)
    assert isinstance(store, LazyStore)
    assert store.url("k") == f"{bucket.endpoint}/{BUCKET}/k"
    opened = connect(Storage(BUCKET, access="presigned"), environ)
    assert isinstance(opened, S3Store)
    assert opened.storage.endpoint_url == bucket.endpoint
    assert bucket.asked == []


def test_an_answer_that_says_no_length_is_nothing_seen(bucket: Bucket) -> None:
    """Nor is an address where nobody answers."""
    assert look_at(f"{bucket.endpoint}/{BUCKET}/absent", "absent") is None
    assert look_at("http://127.0.0.1:9/x", "x") is None
