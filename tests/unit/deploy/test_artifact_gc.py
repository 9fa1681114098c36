"""Collecting artifacts: what goes, what stays, and every way an apply can come between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from clarifai_build.deploy import artifact_gc
from clarifai_build.deploy.artifact_gc import Bucket, Decision, plan_gc
from clarifai_build.deploy.registration import Registration
from clarifai_build.errors import BuilderError, RegistryError
from clarifai_build.pipeline import ApplyOptions, Waiting, apply
from clarifai_build.storage import claims
from clarifai_build.storage.keys import is_removal
from support.fakes import (
    BUILT,
    Calls,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACT = artifact_of(BUILT)
OTHER = artifact_of({**BUILT, "1/inference.py": b"other"})
MANIFEST = manifest_of()
LONG_AGO = 1e6
CALLS_OF_A_RUN = 30


class World:
    """A bucket that two apps share; the first has published, and its version is gone since."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.ours = MemoryRegistry(store.calls)
        self.theirs = MemoryRegistry(store.calls)
        self.theirs.scope = "them/main"

    def apply(self, registry: MemoryRegistry, artifact: Any = ARTIFACT, lease: bool = True) -> None:
        """Apply, without waiting."""
        way = ApplyOptions(waiting=Waiting(wait=False), sleep=lambda _: None, lease=lease)
        apply(MANIFEST, artifact, self.store, registry, way)

    def age(self) -> None:
        """Let time pass."""
        self.store.ages = dict.fromkeys(self.store.objects, LONG_AGO)

    def bucket(self, grace: float = 0.0) -> Bucket:
        """Return what the first app cleans up."""
        return Bucket(self.store, self.ours, "models", grace)

    def collect(self, grace: float = 0.0) -> tuple[Decision, ...]:
        """Judge and collect."""
        bucket = self.bucket(grace)
        return artifact_gc.collect(bucket, plan_gc(bucket))

    def stored(self, artifact: Any = ARTIFACT) -> bool:
        """Say whether the zip of an artifact is in the bucket."""
        registration = Registration.of(MANIFEST, artifact.digest, artifact.size)
        return registration.key("models") in self.store.objects


@pytest.fixture
def world() -> Iterator[World]:
    """An artifact of ours that no version refers to, written long ago."""
    with public_bucket(MemoryStore(Calls())) as store:
        made = World(store)
        made.apply(made.ours)
        made.ours.delete_model(MANIFEST.model.id)
        made.age()
        yield made


def fates(verdicts: tuple[Decision, ...]) -> list[str]:
    """Return what became of the artifacts."""
    return [verdict.action for verdict in verdicts]


def test_what_nothing_refers_to_goes_whole(world: World) -> None:
    """The zip, its records and its claim go; nothing is left but the leases' place."""
    assert fates(world.collect()) == ["removed"]
    assert list(world.store.objects) == []


def test_incomplete_list_of_versions_removes_nothing(world: World) -> None:
    """A list that leaves out versions, the newest or some now and then, is not believed."""
    world.apply(world.ours)
    world.age()
    real = world.ours.versions
    world.ours.versions = lambda _model: ()  # type: ignore[method-assign]  # a fault
    with pytest.raises(RegistryError, match="leaves out the newest"):
        world.collect()
    world.ours.versions = real  # type: ignore[method-assign]
    world.apply(world.ours, OTHER)
    world.age()
    looks = count()
    world.ours.versions = lambda model: real(model)[: 1 + next(looks) % 2]  # type: ignore[method-assign]
    with pytest.raises(RegistryError, match="at each look"):
        world.collect()
    assert world.stored()


def test_judging_changes_nothing(world: World) -> None:
    """A dry run makes no write."""
    before = dict(world.store.objects)
    assert fates(plan_gc(world.bucket())) == ["remove"]
    assert world.store.objects == before


def test_what_a_version_refers_to_stays(world: World) -> None:
    """The live version's artifact stays, and so does an earlier one's."""
    world.apply(world.ours)
    world.apply(world.ours, OTHER)
    world.age()
    assert fates(world.collect()) == ["used", "used"]


def test_what_is_young_stays(world: World) -> None:
    """The grace period counts from the last write of anything in the folder."""
    assert fates(world.collect(grace=2 * LONG_AGO)) == ["young"]


def test_what_another_app_claims_stays(world: World) -> None:
    """An artifact that was promoted to another app is not removed from under it."""
    world.apply(world.theirs)
    world.age()
    assert fates(plan_gc(world.bucket())) == ["release"]
    assert fates(world.collect()) == ["released"]
    assert world.stored()
    assert fates(world.collect()) == []


def test_what_two_apps_are_done_with_goes(world: World) -> None:
    """With the second of them: each gives up its own claim, and the last one takes all along."""
    world.apply(world.theirs)
    world.age()
    assert fates(world.collect()) == ["released"]
    world.theirs.delete_model(MANIFEST.model.id)
    theirs = Bucket(world.store, world.theirs, "models", 0.0)
    assert fates(artifact_gc.collect(theirs, plan_gc(theirs))) == ["removed"]
    assert not world.stored()


def test_what_only_others_made_is_not_looked_at(world: World) -> None:
    """Artifacts without a claim of ours are not even listed; other objects are left alone."""
    world.apply(world.theirs, OTHER)
    world.store.put("models/readme.txt", b"", {})
    world.store.put("elsewhere/" + "a" * 64 + "/x.zip", b"", {})
    world.age()
    assert fates(world.collect()) == ["removed"]
    assert world.stored(OTHER)
    assert {"models/readme.txt", "elsewhere/" + "a" * 64 + "/x.zip"} <= set(world.store.objects)


def test_a_dead_removal_is_taken_over(world: World) -> None:
    """What a killed gc announced long ago does not block the next one, nor an apply."""
    folder = plan_gc(world.bucket())[0].stored.folder
    assert claims.announce_removal(world.store, folder)
    assert fates(world.collect()) == ["leased"]
    world.age()
    world.apply(world.ours)
    assert world.stored()
    assert not [key for key in world.store.objects if is_removal(key)]


def test_a_removal_that_was_cut_short_is_finished(world: World) -> None:
    """Claims go last, so the next gc finds what a killed one left."""
    key = next(key for key in world.store.objects if key.endswith(".zip"))
    world.store.delete(key)
    assert fates(world.collect()) == ["removed"]
    assert list(world.store.objects) == []


def test_a_store_without_leases_keeps_everything(world: World) -> None:
    """Where no apply can be kept away, nothing is removed from under it."""
    before = dict(world.store.objects)
    put = world.store.put
    world.store.put_if = lambda key, body, _replaces: put(key, body, {})  # type: ignore[method-assign]  # a fault
    (decision,) = world.collect()
    assert (decision.action, "keeps no leases" in decision.reason) == ("leased", True)
    assert world.store.objects == before


def in_between(world: World, at: int, work: Callable[[], Any]) -> None:
    """Do `work` just before the call of this number, once."""
    calls = world.store.calls
    start = len(calls.names)

    def before(_name: str) -> None:
        if len(calls.names) - start == at:
            calls.before = lambda _name: None
            with suppress(BuilderError):  # refusing to go on is one of the right answers
                work()

    calls.before = before


@pytest.mark.parametrize("lease", [True, False])
@pytest.mark.parametrize("who", ["ours", "theirs"])
@pytest.mark.parametrize("at", range(1, CALLS_OF_A_RUN))
def test_an_apply_during_a_collection(world: World, at: int, who: str, lease: bool) -> None:
    """Whoever applies while gc is anywhere on its way: no version without its artifact.

    An apply of the same app that takes no lease has the grace period to protect it.
    """
    registry: MemoryRegistry = getattr(world, who)
    in_between(world, at, lambda: world.apply(registry, lease=lease))
    world.collect(grace=0.0 if lease else 60.0)
    assert world.stored() or not registry.posted.get(MANIFEST.model.id)


@pytest.mark.parametrize("lease", [True, False])
@pytest.mark.parametrize("who", ["ours", "theirs"])
@pytest.mark.parametrize("at", range(1, CALLS_OF_A_RUN))
def test_a_collection_during_an_apply(world: World, at: int, who: str, lease: bool) -> None:
    """Whoever's apply gc falls into, wherever: no version without its artifact."""
    registry: MemoryRegistry = getattr(world, who)
    in_between(world, at, lambda: world.collect(grace=0.0 if lease else 60.0))
    try:
        world.apply(registry, lease=lease)
    except BuilderError:
        assert not registry.posted.get(MANIFEST.model.id)
    assert world.stored() or not registry.posted.get(MANIFEST.model.id)
