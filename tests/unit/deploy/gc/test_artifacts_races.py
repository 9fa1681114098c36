"""Collecting artifacts while others are at work: leases, removals and every order of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from clarifai_build.deploy.gc import artifacts
from clarifai_build.deploy.gc.artifacts import plan_gc
from clarifai_build.errors import BuilderError
from clarifai_build.storage import claims, leases
from clarifai_build.storage.keys import artifact_folder, claim_in, is_removal, lease_key
from support.fakes import MemoryRegistry
from support.shared_bucket import (
    LONG_AGO,
    MANIFEST,
    World,
    actions,
    unused_artifact,
)

CALLS_OF_A_RUN = 30


@pytest.fixture
def world() -> Iterator[World]:
    """An artifact of ours that no version refers to, written long ago."""
    with unused_artifact() as made:
        yield made


def test_a_dead_removal_is_taken_over(world: World) -> None:
    """What a killed gc announced long ago does not block the next one, nor an apply."""
    folder = plan_gc(world.bucket())[0].stored.folder
    assert claims.announce_removal(world.store, folder)
    assert actions(world.collect()) == ["leased"]
    world.age()
    world.apply(world.ours)
    assert world.stored()
    assert not [key for key in world.store.objects if is_removal(key)]


def test_a_removal_that_was_cut_short_is_finished(world: World) -> None:
    """Claims go last, so the next gc finds what a killed one left."""
    key = next(key for key in world.store.objects if key.endswith(".zip"))
    world.store.delete(key)
    assert actions(world.collect()) == ["removed"]
    assert list(world.store.objects) == []


def test_a_store_without_leases_keeps_everything(world: World) -> None:
    """Where no apply can be kept away, nothing is removed from under it."""
    before = dict(world.store.objects)
    put = world.store.put
    world.store.put_if = lambda key, body, _replaces: put(key, body, {})  # type: ignore[method-assign]  # a fault
    (decision,) = world.collect()
    assert (decision.action, "keeps no leases" in decision.reason) == ("unsafe", True)
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


def test_what_is_written_to_between_judging_and_removing_stays(world: World) -> None:
    """Even where it would be old enough: an apply is at work on it."""
    bucket = world.bucket(grace=0.0)
    decisions = plan_gc(bucket)
    key = next(key for key in world.store.objects if key.endswith(".zip"))
    world.store.ages[key] = LONG_AGO - 1
    (decision,) = artifacts.collect(bucket, decisions)
    assert (decision.action, decision.reason) == ("young", "modified just now")
    assert world.stored()
    assert not [key for key in world.store.objects if is_removal(key)]


def test_what_is_used_since_it_was_judged_stays(world: World) -> None:
    """A version that came meanwhile refers to it; the announcement is taken back."""
    bucket = world.bucket()
    decisions = plan_gc(bucket)
    world.apply(world.ours)
    world.age()
    assert actions(artifacts.collect(bucket, decisions)) == ["used"]
    assert world.stored()
    assert not [key for key in world.store.objects if is_removal(key)]


def test_a_model_that_is_leased_keeps_its_artifacts(world: World) -> None:
    """Who holds the lease is said; without leases nothing can be removed."""
    key = lease_key("models", world.ours.scope, MANIFEST.model.id)
    with leases.held(world.store, key, leases.Holder.here("an apply", {})):
        (decision,) = world.collect()
    assert decision.action == "leased"
    assert "an apply" in decision.reason
    real = world.store.put_if
    world.store.put_if = (  # type: ignore[method-assign]  # a store that ignores conditions
        lambda key, body, _replaces: (
            real(key, body, found.etag)
            if (found := world.store.get(key))
            else real(key, body, None)
        )
    )
    (decision,) = world.collect()
    assert (decision.action, decision.reason) == (
        "unsafe",
        "the store keeps no leases, so an apply could be at work",
    )
    assert world.stored()


def test_a_lease_that_is_lost_removes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another may have begun to apply: not one object goes."""
    before = dict(world.store.objects)
    monkeypatch.setattr(leases, "EXPIRY", -1.0)  # as if this machine had slept
    (decision,) = world.collect()
    assert decision.action == "leased"
    assert "could not be renewed in time" in decision.reason
    assert before.items() <= world.store.objects.items()
    assert not [key for key in world.store.objects if is_removal(key)]


def test_the_zip_goes_first_and_the_claims_last(world: World) -> None:
    """So what is interrupted is found again, and never serves half."""
    removed: list[str] = []
    real = world.store.delete

    def delete(key: str, etag: str | None = None) -> bool:
        removed.append(key)
        return real(key, etag)

    world.store.delete = delete  # type: ignore[method-assign]  # a witness
    told: list[str] = []
    bucket = world.bucket()
    artifacts.collect(bucket, plan_gc(bucket), lambda event: told.append(event.message))
    artifact = [key for key in removed if ".leases" not in key and not is_removal(key)]
    assert artifact[0].endswith(".zip")
    assert [key.removeprefix(artifact[0]) for key in artifact[1:3]] == [
        ".contents.json",
        ".provenance.json",
    ]
    assert claim_in(artifact[-1])
    assert len(artifact) == 4
    folder = artifact_folder(artifact[0])
    assert told == [f"removed {folder}"]
