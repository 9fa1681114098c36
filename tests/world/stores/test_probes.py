"""Probes that must not change what they look at: a CDN keeps that something is not there."""

from __future__ import annotations

import pytest

from clarifai_build.errors import NotPublicError
from clarifai_build.manifest.types import Storage
from clarifai_build.storage.lazy_store import connect
from clarifai_build.storage.public_download import prove_downloadable
from support.caching_cdn import caching
from support.fakes import artifact_of
from support.memory_s3 import BUCKET, KEYS, Bucket

ZIP = f"models/lines/{'ab' * 32}/lines.zip"
SMALL = artifact_of({"1/w.bin": b"content"})
LARGE = artifact_of({"1/w.bin": bytes(17 << 20)})


@pytest.mark.parametrize("access", ["public", "public-read-acl"])
@pytest.mark.parametrize("artifact", [SMALL, LARGE], ids=["small", "in parts"])
def test_nothing_is_asked_of_the_cdn_before_it_is_there(
    bucket: Bucket, access: str, artifact: object
) -> None:
    """The store is asked; the first that the CDN hears is the proof, which finds the artifact."""
    with caching(bucket) as (base, kept):
        storage = Storage(
            BUCKET,
            "models",
            endpoint_url=bucket.endpoint,
            public_base_url=base,
            access=access,  # type: ignore[arg-type]  # by name
        )
        bucket.public = access == "public"
        store = connect(storage, KEYS)
        assert store.stat(ZIP) is None
        store.put_artifact(ZIP, artifact, {})  # type: ignore[arg-type]  # one of two
        assert store.url(ZIP) == f"{base}/{ZIP}"
        prove_downloadable(store.url(ZIP), artifact)  # type: ignore[arg-type]
        assert kept == []


def test_an_acl_that_came_too_late_is_not_kept_as_a_refusal(bucket: Bucket) -> None:
    """What lies there already, for its owner alone, is opened before anybody else looks."""
    private = Storage(BUCKET, "models", endpoint_url=bucket.endpoint)
    connect(private, KEYS).put_artifact(ZIP, SMALL, {})
    bucket.public = False
    with caching(bucket) as (base, kept):
        storage = Storage(
            *(BUCKET, "models"),
            endpoint_url=bucket.endpoint,
            public_base_url=base,
            access="public-read-acl",
        )
        store = connect(storage, KEYS)
        store.put_artifact(ZIP, SMALL, {})
        prove_downloadable(store.url(ZIP), SMALL)
        assert kept == []


def test_what_a_cdn_has_kept_is_named_as_a_cause(bucket: Bucket) -> None:
    """It may come of an earlier release, or of someone else who was too early."""
    with caching(bucket) as (base, kept):
        kept.append(f"/{ZIP}")
        storage = Storage(BUCKET, "models", endpoint_url=bucket.endpoint, public_base_url=base)
        store = connect(storage, KEYS)
        store.put_artifact(ZIP, SMALL, {})
        with pytest.raises(NotPublicError) as raised:
            prove_downloadable(store.url(ZIP), SMALL)
    assert "purge" in (raised.value.problems[0].hint or "")
