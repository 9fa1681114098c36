"""Applying through a proxy that loses, repeats and delays calls to the sandbox's real API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.planning import NotOursError
from clarifai_build.errors import BuilderError, NotAuthorisedError, RegistryError
from clarifai_build.manifest.types import Clarifai, Manifest
from clarifai_build.pipeline import Applied, ApplyOptions, apply
from clarifai_build.registry import NewModel, NewVersion, NoAnswerError
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.registry.version_metadata import NO_METADATA
from support.fakes import BUILT, MemoryStore, ShortPauses, artifact_of, manifest_of, public_bucket
from support.faulty_api import (
    LATE_SECONDS,
    Fault,
    FaultyApi,
    answer_lost,
    answered_late,
    carried_out_late,
    delivered_twice,
    faulty_api,
    out_of_order,
    page_missing,
    request_lost,
    settle,
)
from support.light_platform import Platform, light_platform

ARTIFACT = artifact_of(BUILT)
OTHER = artifact_of({**BUILT, "1/inference.py": b"other"})
MANIFEST = manifest_of(description="Finds lines.")


class World:
    """A bucket, the platform, and the faulty way to it."""

    def __init__(self, store: MemoryStore, platform: Platform, proxy: FaultyApi) -> None:
        self.store, self.platform, self.proxy = store, platform, proxy

    def registry(self, *, token: str = "light", user: str = "sandbox-user") -> ClarifaiRegistry:
        """Connect through the proxy, without pauses between retries."""
        clarifai = Clarifai(user, "sandbox-app", self.proxy.api_base)
        account = Account.resolve(clarifai, {"CLARIFAI_PAT": token})
        return ClarifaiRegistry(Channel(account, sleep=lambda _: None))

    def apply(self, manifest: Manifest = MANIFEST, artifact: Artifact = ARTIFACT) -> Applied:
        way = ApplyOptions(cancel=ShortPauses(LATE_SECONDS + 0.1))
        return apply(manifest, artifact, self.store, self.registry(), way)

    def converged(self, artifact: Artifact = ARTIFACT) -> None:
        """One clean apply makes it right: one version of the digest, and then nothing to do."""
        self.proxy.faults.clear()
        settle()
        applied = self.apply(artifact=artifact)
        wanted = applied.plan.registration.digest
        versions = self.registry().versions("lines")
        assert [version.registration_digest for version in versions].count(wanted) == 1
        assert versions[0].registration_digest == wanted
        assert not self.apply(artifact=artifact).plan.actions


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which nothing is registered yet."""
    with (
        light_platform(tmp_path) as platform,
        faulty_api(platform.api_base) as proxy,
        public_bucket(MemoryStore()) as store,
    ):
        yield World(store, platform, proxy)


WRITES = ("PostModels", "PostModelVersions")
READS = ("GetModel", "ListModelVersions")


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize(
    "fault", [request_lost, answer_lost, carried_out_late, delivered_twice, answered_late]
)
@pytest.mark.parametrize("rpc", [*READS, *WRITES])
def test_first_apply(world: World, rpc: str, fault: Fault, times: int) -> None:
    """Whatever happens to a call of the first apply, the next clean one converges."""
    world.proxy.faults[rpc] = [fault] * times
    with contextlib.suppress(BuilderError):
        world.apply()
    world.converged()


@pytest.mark.parametrize("fault", [answer_lost, carried_out_late, delivered_twice])
def test_lost_answer_is_made_up_for_at_once(world: World, fault: Fault) -> None:
    """A post without an answer is looked for, and the apply itself ends well."""
    world.proxy.faults["PostModelVersions"] = [fault]
    applied = world.apply()
    assert applied.version.health == "ready"
    settle()
    assert len(world.registry().versions("lines")) == 1


def test_request_that_lands_after_the_next_apply(world: World) -> None:
    """It makes a second version of one digest: the apply after that removes it."""
    world.proxy.faults["PostModelVersions"] = [carried_out_late]
    with pytest.raises(NoAnswerError):
        apply(MANIFEST, ARTIFACT, world.store, world.registry(), ApplyOptions(cancel=ShortPauses()))
    world.apply()
    settle()
    assert len(world.registry().versions("lines")) == 2
    world.converged()
    assert len(world.registry().versions("lines")) == 1


@pytest.mark.parametrize(
    ("rpc", "fault"),
    [
        ("PatchModels", answer_lost),
        ("PatchModelVersions", request_lost),
        ("PatchModelVersions", delivered_twice),
        ("ListModelVersions", out_of_order),
    ],
)
def test_changes_in_place(world: World, rpc: str, fault: Fault) -> None:
    """A description that changes arrives, whatever happens to the call."""
    world.apply()
    world.proxy.faults[rpc] = [fault] * 3
    edited = replace(MANIFEST, model=replace(MANIFEST.model, description="Finds text."))
    world.apply(edited)
    (version,) = world.registry().versions("lines")
    assert version.description == "Finds text."
    assert not world.apply(edited).plan.actions


def test_missing_page_registers_nothing_twice(world: World) -> None:
    """A list without the newest version is asked for again, and not believed."""
    world.apply()
    world.proxy.faults["ListModelVersions"] = [page_missing]
    assert not world.apply().plan.actions
    world.proxy.faults["ListModelVersions"] = [page_missing] * 9
    with pytest.raises(RegistryError, match="leaves out the newest"):
        world.apply()
    world.converged()


def test_version_deleted_by_hand(world: World) -> None:
    """It is registered anew."""
    first = world.apply().version
    world.registry().delete_version("lines", first.id)
    assert world.apply().version.id != first.id
    world.converged()


@pytest.mark.parametrize("who", [{"token": "theirs"}, {"user": "someone-else"}])
def test_token_of_another_user(world: World, who: dict[str, str]) -> None:
    """Nothing is made, and the way out is named."""
    with pytest.raises(NotAuthorisedError) as raised:
        apply(MANIFEST, ARTIFACT, world.store, world.registry(**who))
    assert raised.value.problems[0].hint
    assert world.store.objects == {}


def test_model_of_another_type(world: World) -> None:
    """The error names both types, and nothing is touched."""
    world.registry().create_model(NewModel("lines", "text-embedder", "", "private"))
    with pytest.raises(RegistryError, match=r"text-embedder.*text-to-text"):
        world.apply()
    assert world.store.objects == {}


def test_model_that_is_not_ours(world: World) -> None:
    """It takes --adopt, and what was there stays."""
    registry = world.registry()
    registry.create_model(NewModel("lines", "text-to-text", "theirs", "private"))
    forget_model(world, NewModel("lines", "text-to-text", "theirs", "private"))
    theirs = registry.create_version(
        "lines", NewVersion("http://127.0.0.1:9/a.zip", *MAPS, (), "", "private", NO_METADATA)
    )
    with pytest.raises(NotOursError):
        world.apply()
    applied = apply(MANIFEST, ARTIFACT, world.store, registry, ApplyOptions(adopt=True))
    assert applied.plan.wants("adopt-model")
    assert theirs.id in {version.id for version in registry.versions("lines")}
    world.converged()


MAPS = ({"text": "text"}, {"text": "text"})


def forget_model(world: World, model: NewModel) -> None:
    """Take away the notes by which the tool knows its models, as someone in the portal would."""
    from clarifai_grpc.grpc.api import resources_pb2, service_pb2

    account = Account.resolve(
        Clarifai("sandbox-user", "sandbox-app", world.platform.api_base), {"CLARIFAI_PAT": "light"}
    )
    channel = Channel(account)
    channel.call(
        "PatchModels",
        service_pb2.PatchModelsRequest(
            user_app_id=channel.user_app_id,
            models=[resources_pb2.Model(id=model.id, notes="made in the portal")],
            action="overwrite",
        ),
    )


def test_sequence_of_changes_and_faults(world: World) -> None:
    """The same against the sandbox's API as the state machine in memory: there and back again."""
    for artifact in (ARTIFACT, OTHER, ARTIFACT, OTHER):
        for fault in (answer_lost, request_lost):
            world.proxy.faults = {"PostModelVersions": [fault], "DeleteModelVersion": [fault]}
            with contextlib.suppress(BuilderError):
                world.apply(artifact=artifact)
            world.store.objects.clear()
        world.converged(artifact)
    assert len(world.registry().versions("lines")) == 2
