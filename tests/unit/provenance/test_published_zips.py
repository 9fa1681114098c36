"""Zips that a new one may be copied from: on record, and as they were then."""

from __future__ import annotations

from typing import Any

import pytest

from clarifai_build.errors import NotAuthorisedError, StorageError
from clarifai_build.progress import Event, no_progress
from clarifai_build.provenance import published_contents, published_zips
from clarifai_build.storage.keys import contents_key
from clarifai_build.storage.upload.copy_sources import CopySource
from support.fakes import MemoryStore
from support.trees import artifact_of

ARTIFACTS = [artifact_of({"1/w.bin": bytes([n]) * 300}) for n in range(5)]
KEYS = {artifact.digest: f"models/{artifact.digest}/m.zip" for artifact in ARTIFACTS}
NEWEST = KEYS[ARTIFACTS[0].digest]


@pytest.fixture
def store() -> MemoryStore:
    """A bucket with five zips and their records."""
    store = MemoryStore()
    for artifact in ARTIFACTS:
        key = KEYS[artifact.digest]
        stored = store.put_artifact(key, artifact, {})
        published_contents.publish(store, key, artifact, stored)
    store.calls.names.clear()
    return store


def test_the_newest_zips_are_found_with_what_lies_where(store: MemoryStore) -> None:
    """Three of them, by their records: no content is read."""
    found = published_zips.find(store, "bucket", KEYS)
    assert found == tuple(
        CopySource.of_zip("bucket", KEYS[a.digest], store.objects[KEYS[a.digest]][1], a)
        for a in ARTIFACTS[:3]
    )
    assert set(store.calls.names) == {"start_of", "stat"}


def test_an_older_zip_stands_in_for_one_without_a_record(store: MemoryStore) -> None:
    """Those of earlier releases have none."""
    store.delete(contents_key(NEWEST))
    found = published_zips.find(store, "bucket", KEYS)
    assert [source.key for source in found] == [KEYS[a.digest] for a in ARTIFACTS[1:4]]


def test_zips_without_records_are_not_all_asked_about(store: MemoryStore) -> None:
    """A model may have hundreds of versions that an earlier release has published."""
    zips = {f"{number:064x}": f"models/{number:064x}/m.zip" for number in range(100)}
    assert published_zips.find(store, "bucket", zips) == ()
    assert len(store.calls.names) == 6


def test_a_zip_that_is_gone_is_passed_over(store: MemoryStore) -> None:
    """Its record may outlive it."""
    store.delete(NEWEST)
    assert NEWEST not in [one.key for one in published_zips.find(store, "bucket", KEYS)]


def test_a_record_is_not_believed_of_another_artifact(store: MemoryStore) -> None:
    """It lies where that of the newest should, and proves the digest of another: a warning."""
    other = store.objects[contents_key(KEYS[ARTIFACTS[1].digest])][0]
    store.put(contents_key(NEWEST), other, {})
    told: list[Event] = []
    found = published_zips.find(store, "bucket", KEYS, told.append)
    assert NEWEST not in [source.key for source in found]
    assert [event.warning.code for event in told if event.warning] == ["contents-unusable"]


@pytest.mark.parametrize("body", [b"other" * 100, ARTIFACTS[0].read(0, ARTIFACTS[0].size)])
def test_a_zip_that_was_written_again_is_told(store: MemoryStore, body: bytes) -> None:
    """Even with the same bytes its ETag may be another, and only that is on record."""
    store.put(NEWEST, body, {})
    told: list[Event] = []
    found = published_zips.find(store, "bucket", KEYS, told.append)
    assert NEWEST not in [source.key for source in found]
    (warning,) = (event.warning for event in told if event.warning)
    assert warning.code == "not-copied"
    assert NEWEST in warning.message
    assert "reuse: never" in (warning.hint or "")


@pytest.mark.parametrize("error", [StorageError.of("x", "x"), NotAuthorisedError.of("x", "x")])
@pytest.mark.parametrize("asked", ["stat", "start_of"])
def test_a_store_that_does_not_answer_has_nothing(
    store: MemoryStore, error: Any, asked: str
) -> None:
    """What is looked for is a saving: nothing fails for want of it."""

    def fail(name: str) -> None:
        if name == asked:
            raise error

    store.calls.before = fail
    assert published_zips.find(store, "bucket", KEYS, no_progress) == ()
