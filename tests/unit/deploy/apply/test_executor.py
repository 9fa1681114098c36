"""The steps of a plan: their order, what each leaves out, and answers that are lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clarifai_build.deploy.apply.context import ExecutionContext
from clarifai_build.deploy.apply.executor import execute
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.registration import ARTIFACT_DIGEST
from clarifai_build.errors import LeaseHeldError, StorageError
from clarifai_build.pipeline import plan
from clarifai_build.progress import Event
from clarifai_build.registry import NewModel, NewVersion, NoAnswerError, RemoteVersion
from clarifai_build.registry.version_metadata import NO_METADATA, VersionMetadata
from clarifai_build.storage import StoredObject
from support.fakes import (
    BUILT,
    WRITES,
    Calls,
    MemoryRegistry,
    MemoryStore,
    ShortPauses,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACT = artifact_of(BUILT)
KEY = f"models/{ARTIFACT.digest}/lines_text-to-text.zip"
FOREIGN = NewVersion("http://theirs", {}, {}, (), "", "private", NO_METADATA)


class World:
    """A bucket and a platform that share a list of calls, and what was told."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.calls = store, store.calls
        self.registry = MemoryRegistry(store.calls)
        self.told: list[Event] = []
        self.cancel = ShortPauses()

    def plan(self, **model: Any) -> Plan:
        """Plan the one model."""
        return plan(manifest_of(**model), ARTIFACT, self.store, self.registry)

    def execute(self, planned: Plan | None = None, **settings: Any) -> RemoteVersion | None:
        """Carry out a plan; without one, what is planned now."""
        context = ExecutionContext(
            *(self.store, self.registry, self.told.append),
            **{"cancel": self.cancel, "id": "this-apply", **settings},
        )
        planned = planned or self.plan()
        self.calls.names.clear()
        return execute(planned, ARTIFACT, KEY, VersionMetadata(by="me"), context)

    def writes(self) -> list[str]:
        """Return the calls that wrote."""
        return [name for name in self.calls.names if name in WRITES]


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which nothing is there yet."""
    with public_bucket(MemoryStore(Calls())) as store:
        yield World(store)


def test_first_steps_and_what_they_leave(world: World) -> None:
    """The artifact first, then the model, then the version with all of its metadata."""
    version = world.execute(record=lambda metadata: replace(metadata, sha256="f" * 64))
    assert world.writes() == ["put_artifact", "create_model", "create_version"]
    assert world.store.objects[KEY][2] == {ARTIFACT_DIGEST: ARTIFACT.digest}
    assert version is not None
    assert version.zip_url == world.store.url(KEY)
    recorded = version.recorded
    assert (recorded.by, recorded.apply, recorded.revision) == ("me", "this-apply", 1)
    assert (recorded.sha256, recorded.artifact_digest) == ("f" * 64, ARTIFACT.digest)
    assert recorded.crc32 == f"{ARTIFACT.crc32(0, ARTIFACT.size):08x}"
    told = [event.message for event in world.told]
    assert told == [
        f"{ARTIFACT.size} bytes, the artifact is not in the bucket",
        f"{KEY} can be downloaded without credentials",
        "made model 'lines': there is no model 'lines'",
        "posted version v1: no version of ours is registered",
    ]
    assert world.told[-1] == Event("register", "running", told[-1])


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (1, []),
        (2, ["put_artifact"]),
        (3, ["put_artifact", "create_model"]),
        (4, ["put_artifact", "create_model"]),
    ],
)
def test_a_lost_lease_ends_it_before_the_next_step(
    world: World, at: int, written: list[str]
) -> None:
    """Whatever is to be written next is not."""
    left = iter(range(at - 1, -1, -1))

    def check() -> None:
        if next(left) == 0:
            raise LeaseHeldError.of("lease-lost", "lost")

    planned = world.plan()
    with pytest.raises(LeaseHeldError):
        world.execute(planned, check=check)
    assert world.writes() == written


def test_nothing_is_told_to_the_platform_of_what_nobody_can_download(world: World) -> None:
    """A stranger is refused: no model, no version."""
    world.store.base = "http://127.0.0.1:9"
    with pytest.raises(StorageError):
        world.execute()
    assert world.writes() == ["put_artifact"]


def test_a_change_in_place_neither_uploads_nor_downloads(world: World) -> None:
    """Another description is written to the model and its version, and nothing is proven anew."""
    world.execute()
    world.store.base = "http://127.0.0.1:9"
    version = world.execute(
        world.plan(description="new"), record=lambda metadata: replace(metadata, sha256="x")
    )
    assert world.calls.names == ["update_model", "update_version"]
    assert world.registry.by_id["lines"].description == "new"
    (kept,) = world.registry.posted["lines"]
    assert kept.description == "new"
    assert (kept.recorded.apply, kept.artifact_digest) == ("this-apply", ARTIFACT.digest)
    assert kept.recorded.sha256 is None
    # What is asked next, and recorded with it, is the version as it is now.
    assert version == kept


def test_another_project_is_written_into_the_metadata(world: World) -> None:
    """The other fields stay as they are."""
    world.execute()
    (before,) = world.registry.posted["lines"]
    wanted = replace(manifest_of(), project="ocr")
    world.execute(plan(wanted, ARTIFACT, world.store, world.registry))
    (after,) = world.registry.posted["lines"]
    assert after.recorded == replace(before.recorded, project="ocr")
    world.execute()
    assert world.registry.posted["lines"] == [before]


def test_a_new_version_of_what_is_stored_is_proven_again(world: World) -> None:
    """The object is there, and whether anonymous clients can still read it is another question."""
    world.execute()
    world.registry.delete_version("lines", "v1")
    version = world.execute()
    assert world.writes() == ["put_artifact", "create_version"]
    assert version is not None
    assert version.id == "v2"
    world.registry.delete_version("lines", "v2")
    world.store.base = "http://127.0.0.1:9"
    with pytest.raises(StorageError):
        world.execute()
    assert world.registry.posted["lines"] == []


def test_an_object_without_a_checksum_is_removed_before_it_is_replaced(world: World) -> None:
    """The store could not tell it from the artifact, and would leave it."""
    world.execute()
    world.store.put(KEY, b"x" * ARTIFACT.size, {ARTIFACT_DIGEST: "other"})
    real = world.store.stat
    known = real(KEY)
    assert known is not None

    def stat(key: str) -> StoredObject | None:
        found = real(key)
        return replace(found, crc32="") if found else None

    world.store.stat = stat  # type: ignore[method-assign]  # a store that keeps no checksums
    world.execute()
    assert world.writes() == ["delete", "put_artifact"]
    world.store.put(KEY, b"x" * ARTIFACT.size, {ARTIFACT_DIGEST: "other"})
    world.store.stat = real  # type: ignore[method-assign]
    world.execute()
    assert world.writes() == ["put_artifact"]


def test_a_failed_version_goes_before_it_is_tried_again(world: World) -> None:
    """And the one that is returned is the new one."""
    world.execute()
    (failed,) = world.registry.posted["lines"]
    world.registry.posted["lines"] = [replace(failed, status_code=21108)]
    version = world.execute()
    assert world.writes() == ["put_artifact", "delete_version", "create_version"]
    assert version is not None
    assert [one.id for one in world.registry.posted["lines"]] == [version.id] == ["v2"]


@pytest.mark.parametrize(("looks", "pauses"), [(1, 1), (3, 3), (5, 5), (6, 5)])
def test_what_came_of_a_post_without_an_answer_is_looked_for(
    world: World, looks: int, pauses: int
) -> None:
    """For some seconds; what is found is the version, and else the post has failed."""
    post, versions = world.registry.post, world.registry.versions
    left = iter(range(looks, -1, -1))

    def lost(model_id: str, new: NewVersion) -> RemoteVersion:
        post(model_id, new)
        world.registry.versions = late  # type: ignore[method-assign]
        raise NoAnswerError.of("api-unreachable", "no answer")

    def late(model_id: str) -> tuple[RemoteVersion, ...]:
        return versions(model_id) if next(left) == 1 else ()

    world.registry.create_version = lost  # type: ignore[method-assign]  # a fault
    if looks == 6:
        with pytest.raises(NoAnswerError):
            world.execute()
    else:
        version = world.execute()
        assert version is not None
        assert version.id == "v1"
    assert world.cancel.asked == [0.0, 0.5, 1.0, 2.0, 4.0][:pauses]


def test_a_post_that_was_delivered_twice_leaves_one_version(world: World) -> None:
    """The oldest stays, a failed one is left for the next plan, and what is foreign stays, too."""
    real = world.registry.create_version

    def twice(model_id: str, new: NewVersion) -> RemoteVersion:
        failed = world.registry.post(model_id, new)
        world.registry.posted[model_id] = [replace(failed, status_code=21108)]
        world.registry.post(model_id, FOREIGN)
        world.registry.post(model_id, new)
        return real(model_id, new)

    world.registry.create_version = twice  # type: ignore[method-assign]  # a fault
    version = world.execute()
    assert version is not None
    assert version.id == "v3"
    assert [one.id for one in world.registry.posted["lines"]] == ["v1", "v2", "v3"]


def test_a_version_that_no_list_shows_yet_is_the_posted_one(world: World) -> None:
    """What the platform answered counts; nothing is removed for it."""
    world.registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    planned = world.plan()
    world.registry.versions = lambda _model: ()  # type: ignore[method-assign]  # a late list
    version = world.execute(planned)
    assert version is not None
    assert version.id == "v1"
    assert "delete_version" not in world.calls.names
