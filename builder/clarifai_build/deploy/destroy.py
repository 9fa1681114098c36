"""Models of a project that no manifest names any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from clarifai_build.errors import StalePlanError
from clarifai_build.registry import ModelRegistry, RemoteModel, RemoteVersion
from clarifai_build.registry.consistent_reads import look, look_twice


@dataclass(frozen=True, slots=True)
class Doomed:
    """A model to destroy: the ids of its marked versions, and whether that is all there is."""

    model: str
    versions: tuple[str, ...]
    whole: bool


def find_doomed(
    registry: ModelRegistry, project: str, named: Collection[str]
) -> tuple[Doomed, ...]:
    """Find the models that this tool made for `project` and that are not `named`.

    Versions that carry no mark are not ours: a model that has some is kept, with those.
    """
    doomed = []
    for model in registry.models():
        if not model.managed or model.id in named:
            continue
        _, versions = look(registry, model.id)
        ours = [version for version in versions if version.mark]
        if ours and ours[0].mark.get("project") == project:
            doomed.append(_doom(model, versions))
    return tuple(doomed)


def doom(registry: ModelRegistry, model_id: str) -> Doomed | None:
    """Return what is ours of a model; None where there is no model, or nothing of it is ours."""
    model, versions = look_twice(registry, model_id)
    doomed = _doom(model, versions) if model else None
    return doomed if doomed and (doomed.versions or doomed.whole) else None


def _doom(model: RemoteModel, versions: Sequence[RemoteVersion]) -> Doomed:
    ours = tuple(version.id for version in versions if version.mark)
    return Doomed(model.id, ours, model.managed and len(ours) == len(versions))


def destroy(registry: ModelRegistry, doomed: Doomed) -> None:
    """Remove what is ours of a model. Artifacts stay in the bucket: other models may use them.

    Raises StalePlanError where something else is there by now than what was shown.
    """
    if doom(registry, doomed.model) != doomed:
        raise StalePlanError.of(
            "plan-stale",
            f"the versions of '{doomed.model}' have changed since they were shown",
            hint="look again, and decide again; nothing was destroyed",
        )
    if doomed.whole:
        registry.delete_model(doomed.model)
        return
    for version in doomed.versions:
        registry.delete_version(doomed.model, version)
