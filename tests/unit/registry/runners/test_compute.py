"""Clusters, nodepools, instance types and deployments, as they are asked for and answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.cancellation import NEVER
from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Clarifai, Deployment
from clarifai_build.progress import no_progress
from clarifai_build.registry.clarifai import open_registry
from clarifai_build.registry.runners.deployment_id import deployment_id
from clarifai_build.registry.runners.protocol import (
    NewRunnerVersion,
    RemoteDeployment,
    RunnerRegistry,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.sandbox.state import APP_ID, USER_ID
from support.fakes import artifact_of
from support.runner_declarations import declared
from support.runner_platform import Runners, runner_platform

SPEC = Deployment("pool", "cluster", min_replicas=1, max_replicas=3, scale_down_delay=60)


@dataclass(frozen=True)
class World:
    """What the platform has, and the way to it."""

    has: Runners
    registry: RunnerRegistry


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account with no compute."""
    with runner_platform(tmp_path) as (platform, runners):
        yield World(runners, open_registry(Clarifai(), platform.environ).runners)


def test_what_is_not_there(world: World) -> None:
    """It is no error to ask."""
    assert not world.registry.has_cluster("cluster")
    assert not world.registry.has_nodepool("cluster", "pool")
    assert world.registry.instance_type("a10g") is None
    assert world.registry.deployment("lines") is None
    world.registry.delete_deployment("deploy-lines")


def test_a_cluster_and_a_nodepool_are_made(world: World) -> None:
    """Where the instance type is at home; without work, it has no instances."""
    instance = world.registry.instance_type("sandbox-cpu")
    assert instance
    world.registry.create_cluster("cluster", instance)
    world.registry.create_nodepool("cluster", "pool", instance, 3)
    assert world.registry.has_cluster("cluster")
    assert world.registry.has_nodepool("cluster", "pool")
    cluster, nodepool = world.has.clusters["cluster"], world.has.nodepools["cluster", "pool"]
    assert (cluster.cloud_provider.id, cluster.region) == ("aws", "us-east-1")
    assert [one.id for one in nodepool.instance_types] == ["sandbox-cpu"]
    assert (nodepool.min_instances, nodepool.max_instances) == (0, 3)


def test_a_deployment_comes_back_as_it_was_made(world: World) -> None:
    """By the fields that are not deprecated, and nobody else can call it."""
    name = deployment_id(APP_ID, "lines")
    wanted = RemoteDeployment(name, "lines", "v1", SPEC)
    world.registry.deploy(wanted, anew=True)
    assert world.registry.deployment("lines") == wanted
    made = world.has.deployments[name]
    assert not made.nodepools
    assert made.desired_worker.model.user_id == USER_ID
    assert made.visibility.gettable == 10
    assert world.has.patches == []


def test_a_deployment_is_overwritten_and_removed(world: World) -> None:
    """Overwriting is the one action that the platform takes."""
    wanted = RemoteDeployment(deployment_id(APP_ID, "lines"), "lines", "v1", SPEC)
    world.registry.deploy(wanted, anew=True)
    world.registry.deploy(replace(wanted, version_id="v2"), anew=False)
    assert world.has.patches == ["overwrite"]
    assert world.registry.deployment("lines") == replace(wanted, version_id="v2")
    world.registry.delete_deployment(wanted.id)
    assert world.registry.deployment("lines") is None


@pytest.mark.parametrize("old", [False, True])
def test_replicas_by_today_s_fields_and_by_older_ones(world: World, old: bool) -> None:
    """Where there are none of today's, the deprecated ones count."""
    name = deployment_id(APP_ID, "lines")
    world.registry.deploy(RemoteDeployment(name, "lines", "v1", SPEC), anew=True)
    metrics = world.has.deployments[name].deployment_metrics
    counted = metrics if old else metrics.aggregate
    counted.desired_replicas, counted.live_replicas = 3, 2
    found = world.registry.deployment("lines")
    assert found
    assert (found.desired, found.live) == (3, 2)


def test_ids_of_deployments() -> None:
    """They fit, and differ by app and by model."""
    long = "a-rather-long-name-of-a-model-that-fills-48-chars"[:48]
    names = {deployment_id(app, model) for app in "ab" for model in ("lines", long, long[:47])}
    assert len(names) == 6
    assert max(map(len, names)) == 48


def new_version(instance: str) -> NewRunnerVersion:
    """A version that wants an instance type."""
    declaration = declared(compute={}, instance=instance)
    return NewRunnerVersion(declaration, (), "", "private", VersionMetadata(), 1)


def test_an_instance_type_says_what_a_version_needs(world: World) -> None:
    """As the official client expands it."""
    artifact = artifact_of({"config.yaml": b"x"})
    arguments = (artifact, no_progress, NEVER)
    world.registry.upload_version("lines", new_version("sandbox-cpu"), *arguments)
    declares = world.has.uploads[0].config.model_version.inference_compute_info
    assert declares == resources_pb2.ComputeInfo(cpu_limit="4", cpu_memory="16Gi")
    with pytest.raises(RegistryError) as raised:
        world.registry.upload_version("lines", new_version("h9000"), *arguments)
    assert raised.value.problems[0].code == "instance-unknown"
    assert len(world.has.uploads) == 1
