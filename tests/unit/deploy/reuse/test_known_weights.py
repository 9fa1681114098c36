"""What is known of contents that are not here: by the records of zips first, then of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.reuse.known_contents import KnownByRecords
from clarifai_build.digests.known import KnownContent
from clarifai_build.errors import UsageError
from clarifai_build.pipeline import Applied, ApplyOptions, ContentSource, Plan, Waiting, apply
from clarifai_build.storage.keys import weight_key
from clarifai_build.storage.upload.copy_sources import Run
from clarifai_build.storage.weight_records import WeightRecords
from clarifai_build.weights.source_object import Pieces, SourceObject
from clarifai_build.weights.weight_record import Place, WeightRecord
from support.fakes import (
    BUILT,
    Calls,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)
from support.trees import weight_of

ELSEWHERE = KnownContent("ab" * 32, 5, (1,))
ARTIFACT = artifact_of({**BUILT, "1/w.bin": b"a weight"})
(WEIGHT,) = (entry for entry in ARTIFACT.tree.entries if entry.path == "1/w.bin")


class World:
    """A bucket that holds a verified weight, and a platform."""

    def __init__(self, folder: Path) -> None:
        self.store, self.folder = MemoryStore(Calls()), folder
        self.registry = MemoryRegistry(self.store.calls)
        etag = self.store.put("weights/w.bin", b"12345", {})
        record = WeightRecord(ELSEWHERE, (Place("bucket", "weights/w.bin", etag),))
        self.store.put(weight_key("models", ELSEWHERE.sha256), record.format(), {})

    def known(self) -> KnownByRecords:
        """Return what a new process knows."""

        def weights() -> WeightRecords:
            return WeightRecords(self.store, "models", "", lambda _bucket: self.store, self.folder)

        return KnownByRecords(manifest_of(), lambda: self.store, weights, self.registry)

    def publish(self) -> None:
        """Apply the artifact."""
        with public_bucket(self.store):
            options = ApplyOptions(waiting=Waiting(wait=False))
            apply(manifest_of(), ARTIFACT, self.store, self.registry, options)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A model that was never published, and a weight that somebody has verified."""
    return World(tmp_path)


def test_nothing_is_asked_before_a_content_is(world: World) -> None:
    """A machine that has everything connects to nothing."""
    world.known()
    assert world.store.calls.names == []


def test_a_verified_weight_is_known_to_a_new_model(world: World) -> None:
    """No version of it leads to a record."""
    assert world.known()(ELSEWHERE.sha256) == ELSEWHERE


def test_what_a_zip_holds_is_known_before_weights_are_asked(world: World) -> None:
    """Its record proves itself, and one request brings all."""
    world.publish()
    world.store.calls.names.clear()
    known = world.known()
    assert known(WEIGHT.sha256) == (WEIGHT.sha256, WEIGHT.size, WEIGHT.chunks)
    assert world.store.calls.names.count("start_of") == 1


def test_what_no_record_names_is_not_known(world: World) -> None:
    """It is fetched, or it is missing."""
    world.publish()
    assert world.known()("cd" * 32) is None


CONTENT = bytes(17 << 20)
"""More than is sent in one request."""
LARGE = artifact_of({**BUILT, "1/w.bin": CONTENT})
LARGE_WEIGHT = weight_of("w.bin", "s3://bucket/w.bin", CONTENT)
RECORD = weight_key("models", LARGE_WEIGHT.sha256)


class Machine:
    """A model with a large weight that lies in the store, and was fetched from there."""

    def __init__(self, store: MemoryStore, cache: Path) -> None:
        self.store, self.registry, self.cache = store, MemoryRegistry(store.calls), cache
        self.manifest = replace(manifest_of(), weights=(LARGE_WEIGHT,))
        etag = store.put("w.bin", CONTENT, {})
        (cache / LARGE_WEIGHT.sha256).write_bytes(CONTENT)
        source = SourceObject("", "bucket", "w.bin", etag)
        Pieces(cache / LARGE_WEIGHT.sha256).add(source, 0)
        self.copied: list[str] = []
        self.moved, store.moved = store.moved, self.move  # type: ignore[method-assign]  # looks on

    def move(self, artifact: Artifact, run: Run) -> bytes:
        """Note what is copied from."""
        self.copied += [run.source.key] if run.source else []
        return self.moved(artifact, run)

    def apply(self, **how: Any) -> Applied:
        """Apply as a new process does."""

        def weights() -> WeightRecords:
            return WeightRecords(self.store, "models", "", lambda _bucket: self.store, self.cache)

        known = KnownByRecords(self.manifest, lambda: self.store, weights, self.registry)
        contents = ContentSource(lambda: LARGE, known.lacks_record, known.settle_weights)
        options = ApplyOptions(waiting=Waiting(wait=False), **how)
        target = (self.manifest, LARGE, self.store, self.registry)
        return apply(*target, options, contents=contents, weights=known.weight_sources)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A store that holds the weight, and nothing else."""
    with public_bucket(MemoryStore(Calls())) as store:
        yield Machine(store, tmp_path)


def test_a_weight_is_put_on_record_and_copied(machine: Machine) -> None:
    """By the apply that publishes, while it holds the lease; one with nothing to do writes none."""
    held: list[bool] = []

    def before(name: str) -> None:
        if name == "put_artifact":
            held.append(RECORD in machine.store.objects)
            held.append(any("/.leases/" in key for key in machine.store.objects))

    machine.store.calls.before = before
    machine.apply()
    assert (machine.copied, held) == (["w.bin"], [True, True])
    del machine.store.objects[RECORD]
    assert not machine.apply().plan.actions
    assert RECORD not in machine.store.objects


def test_what_is_refused_is_not_put_on_record(machine: Machine) -> None:
    """Who looks at the plan and says no has changed nothing."""

    def refuse(_plan: Plan) -> None:
        raise UsageError.of("refused", "no")

    with pytest.raises(UsageError):
        machine.apply(approve=refuse)
    assert RECORD not in machine.store.objects


def test_a_model_without_weights_has_none_looked_for(world: World) -> None:
    """Most models have none."""
    known = world.known()
    assert known.weight_sources(LARGE) == []
    known.settle_weights(LARGE)
    assert world.store.calls.names == []
