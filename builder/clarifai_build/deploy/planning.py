"""Desired and observed to a plan: what has to be done, in order, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from clarifai_build.deploy.actions import AFTER_ALL, Action, ActionKind
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration, builder_changes
from clarifai_build.deploy.runner.compute import ObservedCompute
from clarifai_build.deploy.runner.compute_actions import compute_actions
from clarifai_build.errors import BuilderError, RegistryError
from clarifai_build.registry import RemoteModel, RemoteVersion
from clarifai_build.storage import StoredObject

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import Reuse


class NotOursError(BuilderError):
    """The model was not made by this tool, and the user has not asked to take it over."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The state of platform and bucket: versions newest first, the object at the artifact's key.

    `is_kept`: there is a bucket. `compute` is None where no deployment is wanted.
    """

    model: RemoteModel | None
    versions: tuple[RemoteVersion, ...]
    stored: StoredObject | None
    is_kept: bool = True
    compute: ObservedCompute | None = None

    @property
    def deployed(self) -> str:
        """The id of the version that the deployment points at, if there is one."""
        found = self.compute.deployment if self.compute else None
        return found.version_id if found else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from what is to what should be; none where they are the same.

    `live` is the version that serves what is wanted, or else the newest that this tool made.
    `reuse` says of an upload how much of it is in the store.
    """

    registration: Registration
    observed: Observed
    actions: tuple[Action, ...]
    live: RemoteVersion | None
    reuse: Reuse | None = None

    def wants(self, kind: ActionKind) -> Action | None:
        """Return the action of this kind, if it is planned."""
        return next((action for action in self.actions if action.kind == kind), None)

    @property
    def writes(self) -> bool:
        """Whether anything is to be changed: waiting changes nothing."""
        return any(action.kind != "wait" for action in self.actions)

    @property
    def destructive(self) -> bool:
        return any(action.destructive for action in self.actions)

    @property
    def costly(self) -> bool:
        return any(action.costly for action in self.actions)

    @property
    def only_deploys(self) -> bool:
        """Whether all that is to be changed is the deployment of the live version."""
        kinds = {action.kind for action in self.actions} - {"wait"}
        return bool(kinds) and kinds <= set(AFTER_ALL)


def make_plan(registration: Registration, observed: Observed, *, adopt: bool = False) -> Plan:
    """Compare, and order the steps so that each leaves a state that the next run can continue from.

    Raises NotOursError for a model that this tool did not make, without `adopt`, RegistryError for
    a model of another type: a model's type can't be changed.
    """
    if observed.model:
        _check_ours(registration, observed.model, observed.versions, adopt=adopt)
    ours = [version for version in observed.versions if version.is_ours]
    keep, rest = pick_version(registration, ours, observed.deployed)
    live = keep or (ours[0] if ours else None)
    version_actions = (
        *(_delete(version, keep) for version in rest),
        *(_update_actions(registration, keep) if keep else _create(registration, live)),
    )
    before, after = compute_actions(registration.deployment, observed.compute, keep)
    actions = (
        *before,
        *(_upload_actions(registration, observed.stored, live) if observed.is_kept else ()),
        *_model_actions(registration, observed.model),
        *version_actions,
        *after,
    )
    return Plan(registration, observed, actions, live)


def pick_version(
    registration: Registration, versions: Iterable[RemoteVersion], deployed: str = ""
) -> tuple[RemoteVersion | None, list[RemoteVersion]]:
    """Return the one version of this registration to keep, and the others, which have to go.

    Only one that no version of another registration follows is kept, as the newest serves. Of
    several, which a race or a repeated request has made, it is the oldest, so that all processes
    choose the same. The version that is `deployed` does not go: what follows it may never be.
    """
    ours = [version for version in versions if version.is_ours]
    # An older one of the same registration does not serve: what follows it does.
    newest = takewhile(lambda version: version.registration_digest == registration.digest, ours)
    usable = [version for version in newest if version.health != "failed"]
    keep = usable[-1] if usable else None
    same = [version for version in ours if version.registration_digest == registration.digest]
    return keep, [one for one in same if one is not keep and one.id != deployed]


def _check_ours(
    registration: Registration,
    model: RemoteModel,
    versions: Sequence[RemoteVersion],
    *,
    adopt: bool,
) -> None:
    wanted = registration.model
    if model.type != wanted.type:
        raise RegistryError.of(
            "type-mismatch",
            f"model '{model.id}' is a {model.type} on the platform and a {wanted.type} in the "
            "manifest; a model's type can't be changed",
            hint="choose another model.id, or delete the model on the platform first",
        )
    # A model without versions is known by its notes, one whose notes were edited by its versions.
    if not (adopt or model.managed or any(version.is_ours for version in versions)):
        raise NotOursError.of(
            "not-ours",
            f"model '{model.id}' exists and was not made by clarifai-build",
            hint="apply with --adopt to take it over, or choose another model.id",
        )


def _model_actions(registration: Registration, model: RemoteModel | None) -> tuple[Action, ...]:
    wanted = registration.model
    if model is None:
        return (Action("create-model", f"there is no model '{wanted.id}'"),)
    if not model.managed:
        return (Action("adopt-model", "it was not made by clarifai-build, and is taken over"),)
    differing = _differing(registration, model)
    if not differing:
        return ()
    return (Action("update-model", f"it differs in {' and '.join(differing)}"),)


def _differing(registration: Registration, found: RemoteModel | RemoteVersion) -> list[str]:
    """Name what can be changed in place and differs. No description means: leave it as it is."""
    wanted = registration.model
    differing = []
    if wanted.description and found.description != wanted.description:
        differing.append("description")
    if found.visibility != wanted.visibility:
        differing.append("visibility")
    return differing


def _upload_actions(
    registration: Registration, stored: StoredObject | None, live: RemoteVersion | None
) -> tuple[Action, ...]:
    published = live is not None and live.artifact_digest == registration.artifact_digest
    if stored is None:
        missing = "the live artifact is gone from" if published else "the artifact is not in"
        return (Action("upload", f"{missing} the bucket"),)
    # Before what a cache may hide: every store and proxy knows the size.
    if stored.size != registration.size:
        return (
            Action("upload", f"the object has {stored.size} bytes instead of {registration.size}"),
        )
    if _is_other(registration, stored, (live.recorded.crc32 or "") if live and published else ""):
        return (Action("upload", "the object in the bucket is not what was published"),)
    return ()


def _is_other(registration: Registration, stored: StoredObject, published_crc32: str) -> bool:
    """Return whether an object of the right size has other content. A cache may hide what it knows,
    so what is not said differs from nothing."""
    if published_crc32 and stored.crc32:
        return stored.crc32 != published_crc32
    wanted = registration.artifact_digest
    return stored.metadata.get(ARTIFACT_DIGEST, wanted) != wanted


def _delete(version: RemoteVersion, keep: RemoteVersion | None) -> Action:
    if version.health == "failed":
        reason = f"it failed: {version.details or version.status}"
        return Action("delete-version", reason, version.id)
    if keep:
        return Action("delete-version", f"duplicate of {keep.id}", version.id)
    reason = "re-registered so that it is the newest version"
    return Action("delete-version", reason, version.id, destructive=True)


def _create(registration: Registration, live: RemoteVersion | None) -> tuple[Action, ...]:
    if live is None:
        return (Action("create-version", "no version of ours is registered"),)
    # It has failed, or it would have been kept.
    if live.registration_digest == registration.digest:
        return (Action("create-version", "the same artifact is tried again"),)
    if live.artifact_digest == registration.artifact_digest:
        return (Action("create-version", f"the registration has changed since {live.id}"),)
    return (Action("create-version", f"the artifact has changed since {live.id}{_builder(live)}"),)


def _builder(live: RemoteVersion) -> str:
    """Say what has changed beside the user's files: what builds them."""
    changes = [f"{name} {then} → {now}" for name, then, now in builder_changes(live.recorded)]
    return f", and what builds it: {', '.join(changes)}" if changes else ""


def _update_actions(registration: Registration, keep: RemoteVersion) -> tuple[Action, ...]:
    actions = []
    differing = _differing(registration, keep)
    if (keep.recorded.project or "") != (registration.project or ""):
        differing.append("project")
    if differing:
        reason = f"it differs in {' and '.join(differing)}"
        actions.append(Action("update-version", reason, keep.id))
    if keep.health != "ready":
        actions.append(Action("wait", "the platform is still building it", keep.id))
    return tuple(actions)
