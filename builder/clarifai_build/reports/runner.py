"""What a plan says of a runner: what it runs on, how often, and what of it is not pinned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from clarifai_build.manifest.types import Checkpoints, Compute, Deployment, Runner


def runner_lines(runner: Runner | None) -> Iterator[str]:
    """Yield the lines about a runner; none for another target."""
    if runner is None:
        return
    yield f"  runs on {_needs(runner)}, up to {runner.num_threads} requests at once"
    yield f"  {_deployed(runner.deployment)}"
    if runner.checkpoints:
        yield f"  {_unpinned(runner.checkpoints)}"


def runner_document(runner: Runner | None) -> dict[str, Any] | None:
    """Return what schema/plan.schema.json has of a runner."""
    if runner is None:
        return None
    deployment, checkpoints = runner.deployment, runner.checkpoints
    return {
        "instance": runner.instance,
        "compute": None if runner.instance else _compute(runner.compute),
        "num_threads": runner.num_threads,
        "deployment": deployment
        and {name: value for name, value in asdict(deployment).items() if name != "create"},
        "unpinned": [f"{checkpoints.type}:{checkpoints.repo_id}"] if checkpoints else [],
    }


def _needs(runner: Runner) -> str:
    if runner.instance:
        return f"instance type {runner.instance}"
    compute = runner.compute
    needs = f"{compute.cpu_limit} CPU, {compute.cpu_memory}"
    if not compute.num_accelerators:
        return needs
    kinds = " or ".join(compute.accelerator_type) or "any accelerator"
    memory = f" with {compute.accelerator_memory}" if compute.accelerator_memory else ""
    return f"{needs}, {compute.num_accelerators} of {kinds}{memory}"


def _deployed(deployment: Deployment | None) -> str:
    if deployment is None:
        return "not deployed: the manifest asks for no deployment"
    least, most = deployment.min_replicas, deployment.max_replicas
    count = f"{least} to {most} replicas" if most != least else f"{most} replicas"
    where = f"nodepool {deployment.nodepool} of cluster {deployment.compute_cluster}"
    return f"{count} on {where}, one less after {deployment.scale_down_delay} s without work"


def _unpinned(checkpoints: Checkpoints) -> str:
    return (
        f"not pinned: the platform fetches {checkpoints.repo_id} from {checkpoints.type} at "
        f"{checkpoints.when}, as it is then"
    )


def _compute(compute: Compute) -> dict[str, Any]:
    return {**asdict(compute), "accelerator_type": list(compute.accelerator_type)}
