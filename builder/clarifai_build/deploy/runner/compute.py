"""The compute that a runner's deployment wants, looked up before anything is uploaded."""

from __future__ import annotations

from dataclasses import dataclass

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Deployment, Runner
from clarifai_build.registry import ModelRegistry, RemoteModel
from clarifai_build.registry.runners.protocol import InstanceType, RemoteDeployment


@dataclass(frozen=True, slots=True)
class ObservedCompute:
    """What the platform has of what a deployment wants.

    `instance` is what a nodepool that is not there can be made of.
    """

    has_cluster: bool
    has_nodepool: bool
    deployment: RemoteDeployment | None
    instance: InstanceType | None = None


def observe(
    runner: Runner | None, model: RemoteModel | None, model_id: str, registry: ModelRegistry
) -> ObservedCompute | None:
    """Look up what a runner wants to run on; None where no deployment is wanted.

    Raises RegistryError for an instance type that the platform does not have, and for a nodepool
    that is not there and that nothing says how to make.
    """
    if runner is None:
        return None
    instance = _instance(runner.instance, registry) if runner.instance else None
    wanted = runner.deployment
    if wanted is None:
        return None
    cluster = wanted.compute_cluster
    has_cluster = registry.runners.has_cluster(cluster)
    has_nodepool = has_cluster and registry.runners.has_nodepool(cluster, wanted.nodepool)
    if not has_nodepool and instance is None:
        raise _missing(wanted, has_cluster=has_cluster)
    deployment = registry.runners.deployment(model_id) if model else None
    return ObservedCompute(has_cluster, has_nodepool, deployment, instance)


def make_missing(wanted: Deployment, observed: ObservedCompute, registry: ModelRegistry) -> None:
    """Make the cluster and the nodepool that are not there."""
    if observed.instance is None:
        return
    if not observed.has_cluster:
        registry.runners.create_cluster(wanted.compute_cluster, observed.instance)
    if not observed.has_nodepool:
        at = (wanted.compute_cluster, wanted.nodepool)
        registry.runners.create_nodepool(*at, observed.instance, max(1, wanted.max_replicas))


def _instance(name: str, registry: ModelRegistry) -> InstanceType:
    found = registry.runners.instance_type(name)
    if found is None:
        raise RegistryError.of(
            "instance-unknown",
            f"the platform has no instance type '{name}'",
            hint="correct runner.instance, or say what is needed under runner.compute instead",
        )
    return found


def _missing(wanted: Deployment, *, has_cluster: bool) -> RegistryError:
    cluster = f"compute cluster '{wanted.compute_cluster}'"
    said = (
        f"{cluster} has no nodepool '{wanted.nodepool}'"
        if has_cluster
        else f"there is no {cluster}"
    )
    return RegistryError.of(
        "nodepool-missing",
        f"{said}, and the manifest does not say of what to make it",
        hint="correct runner.deployment, or name an instance type as runner.instance, of which it "
        "is made",
    )
