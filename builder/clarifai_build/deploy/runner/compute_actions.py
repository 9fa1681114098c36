"""What is to be done about a deployment, and about the compute that it wants. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clarifai_build.deploy.actions import Action
from clarifai_build.deploy.runner.compute import ObservedCompute
from clarifai_build.manifest.types import Deployment
from clarifai_build.registry import RemoteVersion


def compute_actions(
    wanted: Deployment | None, observed: ObservedCompute | None, keep: RemoteVersion | None
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return what compute a deployment needs before all, and what becomes of it after all.

    `keep` is the version that it is to serve; None: one that is yet to be made.
    """
    if wanted is None or observed is None:
        return (), ()
    return tuple(_missing_compute(wanted, observed)), tuple(_deploy(wanted, observed, keep))


def _missing_compute(wanted: Deployment, observed: ObservedCompute) -> Iterator[Action]:
    costly, cluster = not wanted.create, wanted.compute_cluster
    if not observed.has_cluster:
        reason = f"there is no compute cluster '{cluster}'"
        yield Action("create-cluster", reason, costly=costly)
    if not observed.has_nodepool:
        reason = f"compute cluster '{cluster}' has no nodepool '{wanted.nodepool}'"
        yield Action("create-nodepool", reason, costly=costly)


def _deploy(
    wanted: Deployment, observed: ObservedCompute, keep: RemoteVersion | None
) -> Iterator[Action]:
    found = observed.deployment
    if found is None:
        yield Action("create-deployment", "nothing serves the model", keep.id if keep else "")
        return
    differing = [name for name, get in _DEPLOYED.items() if get(found.spec) != get(wanted)]
    if keep is None or found.version_id != keep.id:
        reason = f"it serves {found.version_id}, and is to serve the new version"
        yield Action("update-deployment", reason, keep.id if keep else "")
    elif differing:
        yield Action("update-deployment", f"it differs in {' and '.join(differing)}", keep.id)


_DEPLOYED: dict[str, Callable[[Deployment], object]] = {
    "nodepool": lambda spec: (spec.compute_cluster, spec.nodepool),
    "replicas": lambda spec: (spec.min_replicas, spec.max_replicas),
    "scale-down delay": lambda spec: spec.scale_down_delay,
}
"""What of a deployment is compared, by how it is called."""
