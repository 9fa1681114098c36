"""Uploads to a second S3 server, which checks less than the first: nothing is taken on trust."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.manifest.types import Storage
from clarifai_build.progress import Event
from clarifai_build.storage.s3_store import S3Store, open_store
from clarifai_build.storage.upload.copy_sources import CopySource
from support.lax_store import lax_store
from support.trees import artifact_of, without_content

MIB = 1 << 20
WEIGHTS = {f"1/{name}.bin": random.Random(name).randbytes(9 * MIB) for name in "ac"}
BEFORE = artifact_of({**WEIGHTS, "1/b.py": b"before"})
NOW = artifact_of({**WEIGHTS, "1/b.py": b"a line more"})
OLD, KEY = (f"lax/{artifact.digest}/m_text-to-text.zip" for artifact in (BEFORE, NOW))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a store that compares no checksums."""
    with lax_store() as address:
        yield address


@pytest.fixture
def store(endpoint: str) -> Iterator[S3Store]:
    """A bucket with the zip of before, and nothing else."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    opened = open_store(Storage("lax", endpoint_url=endpoint, region="us-east-1"), keys)
    opened.client.create_bucket(Bucket="lax")
    opened.put_artifact(OLD, BEFORE, {})
    yield opened
    for found in opened.find(""):
        opened.delete(found.key)


def source_of(store: S3Store) -> CopySource:
    """Return the zip of before, as it is on record."""
    stored = store.stat(OLD)
    assert stored is not None
    return CopySource.of_zip("lax", OLD, stored.etag, BEFORE)


def copies_of(store: S3Store) -> list[str]:
    """Return what will be asked to be copied."""
    asked: list[str] = []
    store.client.meta.events.register(
        "before-send.s3.UploadPartCopy", lambda request, **_: asked.append(request.url)
    )
    return asked


def test_a_store_that_proves_no_copy_is_sent_everything(store: S3Store) -> None:
    """It would copy, and compare nothing: one part is tried, and a line says why no other is."""
    asked, told = copies_of(store), list[Event]()
    store.put_artifact(KEY, NOW, {}, told.append, sources=[source_of(store)])
    assert store.read(KEY, 0, NOW.size) == NOW.read(0, NOW.size)
    assert len(asked) == 1
    assert [event.warning.message for event in told if event.warning] == [
        "nothing is copied at the store: the store gives no CRC-32 of what it copied"
    ]


def test_a_replaced_object_is_not_copied_though_the_store_heeds_no_condition(
    store: S3Store,
) -> None:
    """What lies there by then has the right size, and would pass for the weight."""
    source = source_of(store)
    store.write(OLD, bytes(BEFORE.size))
    store.put_artifact(KEY, NOW, {}, sources=[source])
    assert store.read(KEY, 0, NOW.size) == NOW.read(0, NOW.size)


def test_absent_content_is_asked_for(store: S3Store) -> None:
    """No zip is put together from copies that nobody has proven; the next run brings the rest."""
    source = source_of(store)
    with pytest.raises(AbsentContentError):
        store.put_artifact(KEY, without_content(NOW, *WEIGHTS), {}, sources=[source])
    assert store.stat(KEY) is None
    store.put_artifact(KEY, NOW, {}, sources=[source])
    assert store.read(KEY, 0, NOW.size) == NOW.read(0, NOW.size)
