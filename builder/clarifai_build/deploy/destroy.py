"""Models of a project that no manifest names any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import StalePlanError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry, RemoteModel, RemoteVersion
from clarifai_build.registry.consistent_reads import read_model, read_stable
from clarifai_build.storage import ObjectStore


@dataclass(frozen=True, slots=True)
class Deletion:
    """A model to destroy: ids of versions that this tool registered, and whether they are all.

    `deployment` is the id of what serves one of them, if this tool made it.
    """

    model: str
    versions: tuple[str, ...]
    whole: bool
    deployment: str = ""


def find_orphans(
    registry: ModelRegistry, project: str, named: Collection[str]
) -> tuple[Deletion, ...]:
    """Find the models that this tool made for `project` and that are not `named`.

    A model that has versions which this tool did not register is kept, with those.
    """
    deletion = []
    for model in registry.models():
        if not model.managed or model.id in named:
            continue
        _, versions = read_model(registry, model.id)
        ours = [version for version in versions if version.is_ours]
        # The newest decides: a model may have moved here from another project.
        if ours and ours[0].recorded.project == project:
            deletion.append(_deletion_of(registry, model, versions))
    return tuple(deletion)


def plan_deletion(registry: ModelRegistry, model_id: str) -> Deletion | None:
    """Return what this tool made of a model; None where that is nothing, or there is no model."""
    model, versions = read_stable(registry, model_id)
    deletion = _deletion_of(registry, model, versions) if model else None
    return deletion if deletion and (deletion.versions or deletion.whole) else None


def _deletion_of(
    registry: ModelRegistry, model: RemoteModel, versions: Sequence[RemoteVersion]
) -> Deletion:
    ours = tuple(version.id for version in versions if version.is_ours)
    whole = model.managed and len(ours) == len(versions)
    # Of Triton's, the platform has no deployments, and a token may not be allowed to ask.
    runners = any(version.is_ours and version.declaration for version in versions)
    deployed = registry.runners.deployment(model.id) if runners else None
    return Deletion(model.id, ours, whole, deployed.id if deployed else "")


def destroy_leased(
    store: ObjectStore | None,
    prefix: str,
    registry: ModelRegistry,
    deletion: Deletion,
    progress: ProgressCallback = no_progress,
    *,
    lease: bool = True,
    cancel: CancelToken = NEVER,
) -> None:
    """Destroy a model while no apply of it can run; its lease lies in `store`, below `prefix`.

    Without a store, there is no lease.
    """
    from clarifai_build.storage import leases

    model = deletion.model
    at = (prefix, registry.scope, model, f"destroy {model}", progress)
    with leases.for_model(store, *at, wanted=lease) if store else nullcontext():
        destroy(registry, deletion, cancel=cancel)
    progress(Event("destroy", "done", f"destroyed {model}"))


def destroy(registry: ModelRegistry, deletion: Deletion, *, cancel: CancelToken = NEVER) -> None:
    """Remove what this tool made of a model. Artifacts stay in the bucket: others may use them.

    Raises StalePlanError where the versions are not those that were shown.
    """
    # Between the question and its answer, an apply may have registered another one.
    if plan_deletion(registry, deletion.model) != deletion:
        raise StalePlanError.of(
            "plan-stale",
            f"the versions of '{deletion.model}' have changed since they were shown",
            hint="nothing was destroyed; review the new state and retry",
        )
    # First: it would go on asking for a version that is gone.
    if deletion.deployment:
        registry.runners.delete_deployment(deletion.deployment)
    if deletion.whole:
        registry.delete_model(deletion.model)
        return
    for version in deletion.versions:
        cancel.check()
        registry.delete_version(deletion.model, version)
