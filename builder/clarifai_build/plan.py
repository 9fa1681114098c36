"""Desired and observed to a plan: what has to be done, in order, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clarifai_build.problem import BuilderError, RegistryError
from clarifai_build.registration import Registration
from clarifai_build.registry import RemoteModel, RemoteVersion

ActionKind = Literal[
    "create-model", "update-model", "upload", "delete-version", "create-version", "wait"
]


class NotOursError(BuilderError):
    """The model was not made by this tool, and the user has not asked to take it over."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the platform and the bucket say now. `stored` is the size of the object at our key."""

    model: RemoteModel | None
    versions: tuple[RemoteVersion, ...]
    stored: int | None


@dataclass(frozen=True, slots=True)
class Action:
    """One step. `version` is the id of the version it is about, where there is one already."""

    kind: ActionKind
    reason: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from what is to what should be; none where they are the same."""

    registration: Registration
    actions: tuple[Action, ...]
    live: RemoteVersion | None

    def wants(self, kind: ActionKind) -> Action | None:
        """Return the action of this kind, if it is planned."""
        return next((action for action in self.actions if action.kind == kind), None)


def make_plan(registration: Registration, observed: Observed, *, adopt: bool = False) -> Plan:
    """Compare, and order the steps so that each leaves a state from which the next run goes on.

    Raises NotOursError for a model of someone else's without `adopt`, RegistryError for a model of
    another type: a model's type can't be changed.
    """
    if observed.model:
        _check_ours(registration, observed.model, observed.versions, adopt=adopt)
    newest = next((version for version in observed.versions if version.mark), None)
    version_actions = _version_actions(registration, newest)
    actions = (
        *_upload_actions(registration, observed.stored, version_actions),
        *_model_actions(registration, observed.model),
        *version_actions,
    )
    return Plan(registration, actions, newest)


def _check_ours(
    registration: Registration,
    model: RemoteModel,
    versions: tuple[RemoteVersion, ...],
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
    if not (adopt or model.managed or any(version.mark for version in versions)):
        raise NotOursError.of(
            "not-ours",
            f"model '{model.id}' exists and was not made by clarifai-build",
            hint="apply with --adopt to take it over, or choose another model.id",
        )


def _model_actions(registration: Registration, model: RemoteModel | None) -> tuple[Action, ...]:
    wanted = registration.model
    if model is None:
        return (Action("create-model", f"there is no model '{wanted.id}'"),)
    reasons = [
        reason
        for differs, reason in (
            (not model.managed, "it is taken over"),
            (model.description != wanted.description, "its description differs"),
            (model.visibility != wanted.visibility, "its visibility differs"),
        )
        if differs
    ]
    return (Action("update-model", ", ".join(reasons)),) if reasons else ()


def _upload_actions(
    registration: Registration, stored: int | None, version_actions: tuple[Action, ...]
) -> tuple[Action, ...]:
    if stored == registration.size:
        return ()
    if stored is not None:
        return (Action("upload", f"the object has {stored} bytes instead of {registration.size}"),)
    if version_actions:
        return (Action("upload", "the artifact is not in the bucket"),)
    return (Action("upload", "the live artifact is gone from the bucket"),)


def _version_actions(
    registration: Registration, newest: RemoteVersion | None
) -> tuple[Action, ...]:
    if newest is None:
        return (Action("create-version", "no version of ours is registered"),)
    if newest.registration != registration.digest:
        what = "artifact" if newest.artifact != registration.artifact else "registration"
        return (Action("create-version", f"the {what} has changed since {newest.id}"),)
    if newest.health == "failed":
        return (
            Action("delete-version", f"it failed: {newest.details or newest.status}", newest.id),
            Action("create-version", "the same artifact is tried again"),
        )
    if newest.health == "ready":
        return ()
    return (Action("wait", "the platform is still building it", newest.id),)
