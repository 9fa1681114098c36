"""What is known of contents: asked for late, from the lock, then from the newest records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.reuse.known_contents import KnownByRecords
from clarifai_build.digests import files
from clarifai_build.digests.known import KnownContent
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance import published_contents
from clarifai_build.provenance.lock import Lock
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, StoredObject
from clarifai_build.storage.keys import contents_key, weight_key
from clarifai_build.storage.weight_records import WeightRecords
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.weights.weight_record import Place, WeightRecord
from support.fakes import Calls, MemoryRegistry, MemoryStore, artifact_of, manifest_of


def weights_in(store: MemoryStore) -> WeightRecords:
    """Return the records of weights in a store, on a machine that has fetched none."""
    return WeightRecords(store, "models", "", lambda _bucket: store, Path("nowhere"))


def no_weights() -> WeightRecords:
    """Return those of a store of its own, in which nothing is."""
    return weights_in(MemoryStore(Calls()))


class Model:
    """A model with a version for each of some contents, the newest last."""

    def __init__(self, *contents: bytes) -> None:
        self.calls = Calls()
        self.store, self.registry = MemoryStore(self.calls), MemoryRegistry(self.calls)
        self.manifest, self.opened = manifest_of(), 0
        for content in contents:
            self.publish(artifact_of({"1/w.bin": content}))
        self.calls.names.clear()

    def publish(self, artifact: Artifact) -> None:
        """Publish and register an artifact."""
        key = self.key(artifact)
        stored = self.store.put_artifact(key, artifact, {})
        published_contents.publish(self.store, key, artifact, stored)
        registration = self.registration(artifact)
        self.registry.create_model(registration.model)
        new = registration.new_version(self.store.url(key), VersionMetadata())
        self.registry.create_version(self.manifest.model.id, new)

    def registration(self, artifact: Artifact) -> Registration:
        """Return what is registered of an artifact."""
        return Registration.of(self.manifest, artifact.digest, artifact.size)

    def key(self, artifact: Artifact) -> str:
        """Return where its zip lies."""
        return self.registration(artifact).key("models")

    def known(self, weights: Callable[[], WeightRecords] = no_weights) -> KnownByRecords:
        """Return what is asked."""
        return KnownByRecords(self.manifest, self.open, weights, self.registry)

    def open(self) -> ObjectStore:
        """Open the store, and count it."""
        self.opened += 1
        return self.store


def content_of(data: bytes) -> KnownContent:
    """Return all that is to be known of a content."""
    digest = files.of_bytes(data)
    return KnownContent(digest.sha256, len(data), digest.chunks)


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of a content."""
    return content_of(data).sha256


def test_nothing_is_connected_to_before_something_is_missing() -> None:
    """Nor is the store opened."""
    model = Model(b"one")
    model.known()
    assert (model.calls.names, model.opened) == ([], 0)


def test_the_newest_record_is_read_first_and_each_once() -> None:
    """Older ones only where it does not know."""
    model = Model(b"one", b"two", b"three")
    known = model.known()
    assert known(sha256_of(b"three")) == content_of(b"three")
    assert model.calls.names == ["versions", "start_of"]
    assert known(sha256_of(b"one")) == content_of(b"one")
    assert known(sha256_of(b"two")) == content_of(b"two")
    assert known(sha256_of(b"four")) is None
    assert model.calls.names == ["versions", "start_of", "start_of", "start_of"]
    assert model.opened == 1


def test_no_more_than_three_records_are_read() -> None:
    """Of artifacts that differ: versions may share one."""
    model = Model(b"0", b"1", b"2", b"3", b"3", b"3")
    known = model.known()
    assert known(sha256_of(b"1")) == content_of(b"1")
    assert known(sha256_of(b"0")) is None
    assert model.calls.names.count("start_of") == 3


def test_a_model_that_was_never_applied_tells_nothing() -> None:
    """It has no versions, or none of this tool."""
    assert Model().known()(sha256_of(b"one")) is None


def test_a_registered_artifact_is_known_by_its_digest() -> None:
    """Of any version."""
    model = Model(b"one", b"two")
    assert model.known().is_registered(artifact_of({"1/w.bin": b"one"}).digest)
    assert not model.known().is_registered(artifact_of({"1/w.bin": b"x"}).digest)


def test_a_record_is_lacking_only_where_it_was_looked_for() -> None:
    """It is not there, or is that of another object than lies there now."""
    model = Model(b"one")
    key = model.key(artifact_of({"1/w.bin": b"one"}))
    stored = model.store.stat(key)
    assert stored is not None
    assert not model.known().lacks_record(key, stored)
    known = model.known()
    known(sha256_of(b"one"))
    assert not known.lacks_record(key, stored)
    assert known.lacks_record(key, StoredObject(key, 1, "another"))
    assert not known.lacks_record(key, None)
    assert not known.lacks_record("elsewhere", stored)
    model.store.delete(contents_key(key))
    known = model.known()
    known(sha256_of(b"one"))
    assert known.lacks_record(key, stored)


def test_the_lock_is_asked_before_anything_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not know, the records may."""
    model, locked = Model(b"one"), content_of(b"locked")
    monkeypatch.setattr(locks, "path_of", lambda _manifest: tmp_path / "clarifai.lock")
    lock = Lock(
        **current_toolchain(),
        weights={"w.bin": locked.sha256},
        requirements=None,
        contents={locked.sha256: locked},
    )
    locks.write(lock, tmp_path / "clarifai.lock")
    known = model.known()
    assert known(locked.sha256) == locked
    assert (model.calls.names, model.opened) == ([], 0)
    assert known(sha256_of(b"one")) == content_of(b"one")


@pytest.mark.parametrize("contents", [(), (b"one",)], ids=["new", "published"])
def test_a_verified_weight_is_known_without_a_version_that_has_it(
    contents: tuple[bytes, ...],
) -> None:
    """Whoever has read it put it on record, for a new model, too; what no record names is not."""
    model, verified = Model(*contents), content_of(b"weight")
    etag = model.store.put("weights/w.bin", b"weight", {})
    record = WeightRecord(verified, (Place("bucket", "weights/w.bin", etag),))
    model.store.put(weight_key("models", verified.sha256), record.format(), {})
    known = model.known(partial(weights_in, model.store))
    assert known(verified.sha256) == verified
    assert known(sha256_of(b"four")) is None


def test_the_records_of_weights_are_asked_last() -> None:
    """That of a zip proves itself, and one request brings all that it holds."""

    def weights() -> WeightRecords:
        raise AssertionError("the record of the zip knows it")

    assert Model(b"one").known(weights)(sha256_of(b"one")) == content_of(b"one")
