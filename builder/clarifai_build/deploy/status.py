"""Whether what is live is what the manifest says (sync), and whether it works (health). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clarifai_build.deploy.planning import ActionKind, Plan
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
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that does not hold, and why."""

    type: str
    message: str
    status: Literal["False", "Unknown"] = "False"


@dataclass(frozen=True, slots=True)
class Status:
    """How one model is doing. `version` is the live one, `artifact_digest` its artifact's."""

    manifest: str
    model: str
    sync: Sync
    health: Health
    version: str = ""
    artifact_digest: str = ""
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
    # The platform serves the newest version, whatever made it.
    if live and not observed.versions[0].is_ours:
        newer = observed.versions[0].id
        message = f"version {newer}, which clarifai-build did not make, is newer and serves"
        conditions.append(Condition("VersionServing", message))
    return Status(
        manifest=manifest,
        model=plan.registration.model.id,
        sync="OutOfSync" if plan.writes else "Synced",
        health=_health(live, asked),
        version=live.id if live else "",
        artifact_digest=(live.artifact_digest or "") if live else "",
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


def _health(live: RemoteVersion | None, asked: str | None) -> Health:
    if live is None:
        return "Missing"
    if live.health == "ready" and asked != "":
        return "Unknown" if asked is None else "Degraded"
    known: dict[str, Health] = {
        "ready": "Healthy",
        "progressing": "Progressing",
        "failed": "Degraded",
    }
    return known.get(live.health, "Unknown")


def _sentence(version: str, reason: str) -> str:
    return f"{version}: {reason}" if version else reason
