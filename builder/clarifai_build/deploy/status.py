"""Whether what is live is what the manifest says (sync), and whether it works (health). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clarifai_build.deploy.actions import ActionKind
from clarifai_build.deploy.planning import Plan
from clarifai_build.errors import BuilderError
from clarifai_build.registry import RemoteVersion

Sync = Literal["Synced", "OutOfSync", "Unknown"]
Health = Literal["Healthy", "Progressing", "Degraded", "Missing", "Unknown"]

# What holds once the action is done.
_CONDITIONS: dict[ActionKind, str] = {
    "upload": "ArtifactStored",
    "create-model": "ModelRegistered",
    "adopt-model": "ModelManaged",
    "update-model": "ModelUpToDate",
    "delete-version": "VersionUnique",
    "create-version": "VersionRegistered",
    "update-version": "VersionUpToDate",
    "wait": "VersionReady",
    "create-cluster": "ComputeReady",
    "create-nodepool": "ComputeReady",
    "create-deployment": "Deployed",
    "update-deployment": "Deployed",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that does not hold, and why."""

    type: str
    message: str
    status: Literal["False", "Unknown"] = "False"


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many replicas of a deployment are live, and how many there should be."""

    live: int
    desired: int


@dataclass(frozen=True, slots=True)
class Status:
    """How one model is doing. `version` is the live one, `artifact_digest` its artifact's.

    Of a model with a deployment, `replicas` says how many are live, of how many.
    """

    manifest: str
    model: str
    sync: Sync
    health: Health
    version: str = ""
    artifact_digest: str = ""
    replicas: Replicas | None = None
    conditions: tuple[Condition, ...] = ()


def status_of(manifest: str, plan: Plan, canary: str | None = None) -> Status:
    """Read the status off a plan: what would have to be done is what does not hold.

    `canary` is what came of asking the live version, where it was: empty, or why it does not
    answer. Without, it is what was recorded; a version that nobody has asked is not Healthy.
    """
    live, observed = plan.live, plan.observed
    conditions = [
        Condition(_CONDITIONS[action.kind], _sentence(action.version, action.reason))
        for action in plan.actions
    ]
    asked = live.recorded.canary if live and canary is None else canary
    if live and live.health == "ready" and asked != "":
        conditions.append(_unanswered(live, asked))
    if live and live.health == "failed":
        conditions.append(Condition("VersionReady", f"{live.status}: {live.details}".strip(": ")))
    deployment = observed.compute.deployment if observed.compute else None
    replicas = Replicas(deployment.live, deployment.desired) if deployment else None
    starting = replicas is not None and replicas.live < replicas.desired
    if deployment and starting:
        up = f"{deployment.live} of {deployment.desired} replicas are live"
        conditions.append(Condition("ReplicasLive", f"{deployment.id}: {up}"))
    # The platform serves the newest version, whatever made it.
    if live and not observed.versions[0].is_ours:
        newer = observed.versions[0].id
        message = f"version {newer}, which clarifai-build did not make, is newer and serves"
        conditions.append(Condition("VersionServing", message))
    return Status(
        manifest=manifest,
        model=plan.registration.model.id,
        sync="OutOfSync" if plan.writes else "Synced",
        health=_health(live, asked, starting=starting),
        version=live.id if live else "",
        artifact_digest=(live.artifact_digest or "") if live else "",
        replicas=replicas,
        conditions=tuple(conditions),
    )


def unknown(manifest: str, model: str, error: BuilderError) -> Status:
    """Return the status of a model that could not be read."""
    conditions = tuple(
        Condition("Observed", problem.message, "Unknown") for problem in error.problems
    )
    return Status(manifest, model, "Unknown", "Unknown", conditions=conditions)


def _unanswered(live: RemoteVersion, asked: str | None) -> Condition:
    if asked is None:
        return Condition("Answers", f"{live.id}: nobody could ask it", "Unknown")
    return Condition("Answers", f"{live.id}: {asked}")


def _health(live: RemoteVersion | None, asked: str | None, *, starting: bool = False) -> Health:
    if live is None:
        return "Missing"
    if live.health == "ready" and asked != "":
        return "Unknown" if asked is None else "Degraded"
    if live.health == "ready" and starting:
        return "Progressing"
    known: dict[str, Health] = {
        "ready": "Healthy",
        "progressing": "Progressing",
        "failed": "Degraded",
    }
    return known.get(live.health, "Unknown")


def _sentence(version: str, reason: str) -> str:
    return f"{version}: {reason}" if version else reason
