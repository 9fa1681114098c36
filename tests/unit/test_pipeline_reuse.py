"""What an apply takes from the store instead of sending it, and what it does without content."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.pipeline import Applied, ApplyOptions, ContentSource, apply, plan
from clarifai_build.progress import Event
from clarifai_build.storage.keys import contents_key
from clarifai_build.storage.upload.copy_sources import LEAST_PART, CopySource
from support.fakes import (
    BUILT,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)
from support.trees import without_content

MIB = 1 << 20
WEIGHT = random.Random(1).randbytes(17 * MIB)
FILES = {**BUILT, "1/w.bin": WEIGHT}
BEFORE = artifact_of(FILES)
NOW = artifact_of({**FILES, "1/inference.py": b"pass  # more"})
LACKING = without_content(NOW, "1/w.bin")
MANIFEST = manifest_of()


class World:
    """A bucket and a platform on which BEFORE is live."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.registry = store, MemoryRegistry(store.calls)
        self.told: list[Event] = []
        self.fetches = 0
        self.apply(BEFORE)
        (self.zip_key,) = (key for key in store.objects if key.endswith(".zip"))
        store.calls.names.clear()

    def apply(self, artifact: Artifact, whole: Artifact = NOW, **how: Any) -> Applied:
        """Apply; what is missing is fetched from nowhere but `whole`."""

        def fetch() -> Artifact:
            self.fetches += 1
            return whole

        contents = ContentSource(fetch, lambda _key, _stored: False)
        manifest, options = how.pop("manifest", MANIFEST), how.pop("options", ApplyOptions())
        world = (manifest, artifact, self.store, self.registry, options, self.told.append)
        return apply(*world, contents=how.pop("contents", contents), **how)

    @property
    def warnings(self) -> list[str]:
        return [event.warning.message for event in self.told if event.warning]

    def published(self, artifact: Artifact = NOW) -> bool:
        """Return whether the zip of an artifact lies in the bucket, as it is."""
        (key,) = (k for k in self.store.objects if artifact.digest in k and k.endswith(".zip"))
        return self.store.objects[key][0] == artifact.read(0, artifact.size)


@pytest.fixture
def world() -> Iterator[World]:
    """BEFORE is live."""
    with public_bucket(MemoryStore()) as store:
        yield World(store)


def test_a_plan_says_what_the_store_has(world: World) -> None:
    """All of the weight but for what the first part takes along."""
    reuse = plan(MANIFEST, NOW, world.store, world.registry).reuse
    assert reuse is not None
    assert reuse.size == NOW.size
    assert LEAST_PART <= reuse.to_send < LEAST_PART + 1000


def test_a_plan_without_an_upload_reads_no_record(world: World) -> None:
    """Nothing is asked that a plan with nothing to do does not need."""
    assert plan(MANIFEST, BEFORE, world.store, world.registry).reuse is None
    assert "start_of" not in world.store.calls.names


def test_a_new_model_asks_for_no_record(world: World) -> None:
    """It has no versions, and what it sends is all new."""
    other = replace(MANIFEST, model=replace(MANIFEST.model, id="other"))
    reuse = plan(other, NOW, world.store, world.registry).reuse
    assert (reuse and reuse.reused, "start_of" in world.store.calls.names) == (0, False)


@pytest.mark.parametrize(
    "storage",
    [
        {"reuse": "never"},
        {"checksums": "when_required"},
        {"endpoint_url": "https://account.r2.cloudflarestorage.com"},
    ],
)
def test_a_plan_counts_on_nothing_that_is_not_copied(world: World, storage: Any) -> None:
    """Where the manifest does not want it, or the store is known not to do it."""
    manifest = replace(MANIFEST, storage=replace(MANIFEST.destination, **storage))
    reuse = plan(manifest, NOW, world.store, world.registry).reuse
    assert reuse is not None
    assert (reuse.reused, reuse.to_send) == (0, NOW.size)


def test_a_weight_that_lies_elsewhere_in_the_store_counts(world: World) -> None:
    """Though no zip has it: whoever plans may say where."""
    (entry,) = (entry for entry in NOW.tree.entries if entry.path == "1/w.bin")
    weight = CopySource.of_file("weights", "w", "etag", entry.sha256, entry.size)
    other = replace(MANIFEST, model=replace(MANIFEST.model, id="other"))
    planned = plan(other, NOW, world.store, world.registry, weights=lambda _artifact: [weight])
    assert planned.reuse is not None
    assert planned.reuse.to_send < LEAST_PART + 2000


def test_what_is_published_without_its_content_is_the_same(world: World) -> None:
    """Of an artifact that lacks the weight, nothing is fetched: the store has it."""
    applied = world.apply(LACKING)
    assert world.published()
    assert world.fetches == 0
    assert applied.version.artifact_digest == NOW.digest
    # Nobody has read all of the zip.
    assert not applied.version.recorded.sha256


def test_a_zip_that_was_replaced_is_told_and_not_used(world: World) -> None:
    """Its ETag is another than when it was put on record: the content is fetched, and sent."""
    world.store.put(world.zip_key, bytes(BEFORE.size), {})
    reuse = plan(MANIFEST, NOW, world.store, world.registry).reuse
    assert (reuse and reuse.reused) == 0
    world.apply(LACKING)
    assert world.published()
    assert world.fetches == 1
    assert world.warnings == [
        f"{world.zip_key} is not copied at the store: it was replaced since it was put on record"
    ]


@pytest.mark.parametrize("record", [None, b"", b"{}", b"[" * 1000, b'{"format": 99}'])
def test_a_record_that_is_of_no_use_is_done_without(world: World, record: bytes | None) -> None:
    """It is gone, or damaged: all is sent."""
    key = contents_key(world.zip_key)
    if record is None:
        world.store.delete(key)
    else:
        world.store.put(key, record, {})
    reuse = plan(MANIFEST, NOW, world.store, world.registry).reuse
    assert (reuse and reuse.reused) == 0
    world.apply(NOW)
    assert world.published()


def test_content_that_is_not_copied_after_all_is_fetched(world: World) -> None:
    """The store refused while the zip was put together: the apply goes on with the content, and
    nobody is asked twice about the same plan."""
    refusals = iter([AbsentContentError(*LACKING.absence().problems)])
    put, asked = world.store.put_artifact, list[str]()

    def refuse(*arguments: Any, **more: Any) -> Any:
        for refusal in refusals:
            raise refusal
        return put(*arguments, **more)

    world.store.put_artifact = refuse  # type: ignore[method-assign]
    options = ApplyOptions(approve=lambda planned: asked.append(planned.registration.digest))
    applied = world.apply(LACKING, options=options)
    assert world.published()
    assert (world.fetches, len(asked)) == (1, 1)
    assert applied.version.recorded.sha256


def test_other_content_than_was_known_is_approved_anew(world: World) -> None:
    """What is read decides: the artifact is another, and so is the plan."""
    other = artifact_of({**FILES, "1/inference.py": b"pass  # still more"})
    refusals = iter([AbsentContentError(*LACKING.absence().problems)])
    put, asked = world.store.put_artifact, list[str]()

    def refuse(*arguments: Any, **more: Any) -> Any:
        for refusal in refusals:
            raise refusal
        return put(*arguments, **more)

    world.store.put_artifact = refuse  # type: ignore[method-assign]
    options = ApplyOptions(approve=lambda planned: asked.append(planned.registration.digest))
    applied = world.apply(LACKING, other, options=options)
    assert world.published(other)
    assert len(set(asked)) == 2
    assert applied.url.count(other.digest) == 1


def test_content_that_nobody_can_fetch_is_an_error(world: World) -> None:
    """Nothing is changed for it."""
    world.store.delete(contents_key(world.zip_key))
    world.store.calls.names.clear()
    with pytest.raises(AbsentContentError, match=r"1/w\.bin is not on this machine"):
        world.apply(LACKING, contents=None)
    assert "put_artifact" not in world.store.calls.names
