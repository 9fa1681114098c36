"""Collecting artifacts: what goes, what stays, and every way an apply can come between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from clarifai_build.deploy.gc import artifacts
from clarifai_build.deploy.gc.artifacts import Bucket, plan_gc
from clarifai_build.errors import RegistryError
from support.shared_bucket import (
    ARTIFACT,
    LONG_AGO,
    MANIFEST,
    OTHER,
    World,
    actions,
    unused_artifact,
)


@pytest.fixture
def world() -> Iterator[World]:
    """An artifact of ours that no version refers to, written long ago."""
    with unused_artifact() as made:
        yield made


def test_what_nothing_refers_to_goes_whole(world: World) -> None:
    """The zip, its records and its claim go; nothing is left but the leases' place."""
    assert actions(world.collect()) == ["removed"]
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
    assert actions(plan_gc(world.bucket())) == ["remove"]
    assert world.store.objects == before


def test_what_a_version_refers_to_stays(world: World) -> None:
    """The live version's artifact stays, and so does an earlier one's."""
    world.apply(world.ours)
    world.apply(world.ours, OTHER)
    world.age()
    assert actions(world.collect()) == ["used", "used"]


def test_what_is_young_stays(world: World) -> None:
    """The grace period counts from the last write of anything in the folder."""
    assert actions(world.collect(grace=2 * LONG_AGO)) == ["young"]


def test_what_another_app_claims_stays(world: World) -> None:
    """An artifact that was promoted to another app is not removed from under it."""
    world.apply(world.theirs)
    world.age()
    assert actions(plan_gc(world.bucket())) == ["release"]
    assert actions(world.collect()) == ["released"]
    assert world.stored()
    assert actions(world.collect()) == []


def test_what_two_apps_are_done_with_goes(world: World) -> None:
    """With the second of them: each gives up its own claim, and the last one takes all along."""
    world.apply(world.theirs)
    world.age()
    assert actions(world.collect()) == ["released"]
    world.theirs.delete_model(MANIFEST.model.id)
    theirs = Bucket(world.store, world.theirs, "models", 0.0)
    assert actions(artifacts.collect(theirs, plan_gc(theirs))) == ["removed"]
    assert not world.stored()


def test_what_only_others_made_is_not_looked_at(world: World) -> None:
    """Artifacts without a claim of ours are not even listed; other objects are left alone."""
    world.apply(world.theirs, OTHER)
    world.store.put("models/readme.txt", b"", {})
    world.store.put("elsewhere/" + "a" * 64 + "/x.zip", b"", {})
    world.age()
    assert actions(world.collect()) == ["removed"]
    assert world.stored(OTHER)
    assert {"models/readme.txt", "elsewhere/" + "a" * 64 + "/x.zip"} <= set(world.store.objects)


@pytest.mark.parametrize(
    ("grace", "action"), [(LONG_AGO - 1, "removed"), (LONG_AGO, "removed"), (LONG_AGO + 1, "young")]
)
def test_the_age_of_an_artifact_is_that_of_its_youngest_object(
    world: World, grace: float, action: str
) -> None:
    """What has lain there for as long as the grace period goes, and not a second before."""
    key = next(key for key in world.store.objects if key.endswith(".zip"))
    world.store.ages = dict.fromkeys(world.store.objects, 3 * LONG_AGO)
    world.store.ages[key] = LONG_AGO
    assert actions(world.collect(grace)) == [action]
    assert world.stored() is (action == "young")


def test_what_is_there_no_more_has_no_age() -> None:
    """An artifact without an object was written just now, for all that is known."""
    assert artifacts.Stored("models/a/", "a", ()).age == 0.0


def test_a_zip_that_is_referred_to_by_its_address_alone_stays(world: World) -> None:
    """A version whose metadata were lost still needs what its URL names."""
    world.apply(world.ours)
    versions = world.ours.posted[MANIFEST.model.id]
    versions[:] = [replace(version, metadata=None) for version in versions]
    world.age()
    (decision,) = world.collect()
    assert (decision.action, decision.reason) == ("used", f"version {versions[0].id} refers to it")
    versions[:] = [replace(version, zip_url="http://elsewhere/x.zip") for version in versions]
    assert actions(world.collect()) == ["removed"]


@pytest.mark.parametrize("prefix", ["", "/", "models", "/models/"])
def test_a_prefix_is_taken_as_a_folder(world: World, prefix: str) -> None:
    """Slashes around it do not matter, and without one the whole bucket is meant."""
    bucket = Bucket(world.store, world.ours, prefix, 0.0)
    expected = ["remove"] if "models" in prefix else []
    assert actions(plan_gc(bucket)) == expected
    world.store.objects = {
        key.removeprefix("models/"): one for key, one in world.store.objects.items()
    }
    world.age()
    assert actions(plan_gc(bucket)) == ([] if expected else ["remove"])


def test_the_size_is_that_of_all_it_holds(world: World) -> None:
    """Zip and records; other folders do not count."""
    (decision,) = plan_gc(world.bucket())
    assert decision.stored.size == sum(len(one[0]) for one in world.store.objects.values())
    assert decision.stored.size > ARTIFACT.size


def test_a_model_that_the_platforms_list_lacks_is_asked_for(world: World) -> None:
    """One that was just made may be missing there; its claim names it."""
    world.apply(world.ours)
    world.age()
    world.ours.models = lambda: ()  # type: ignore[method-assign]  # a fault
    assert actions(plan_gc(world.bucket())) == ["used"]


def test_a_zip_goes_first_and_its_claims_last(world: World) -> None:
    """What an interrupt leaves is then found by the next gc, and is not taken for a whole one."""
    (decision,) = plan_gc(world.bucket())
    folder = decision.stored.folder
    world.store.put(f"{folder}a.json", b"", {})
    world.age()
    deleted: list[str] = []
    real = world.store.delete

    def delete(key: str, etag: str | None = None) -> bool:
        deleted.append(key)
        return real(key, etag)

    world.store.delete = delete  # type: ignore[method-assign]  # to see the order
    assert actions(world.collect()) == ["removed"]
    mine = [key.removeprefix(folder) for key in deleted if key.startswith(folder)]
    assert mine[0] == "lines_text-to-text.zip"
    assert "a.json" in mine[1:-2]
    # The announcement goes when all is done.
    assert mine[-2:] == ["used-by/me/main/lines", "being-removed"]
