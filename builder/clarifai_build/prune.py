"""Models of a project that no manifest names any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from clarifai_build.registry import ModelRegistry


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
        versions = registry.versions(model.id)
        ours = [version for version in versions if version.mark]
        if ours and ours[0].mark.get("project") == project:
            ids = tuple(version.id for version in ours)
            doomed.append(Doomed(model.id, ids, len(ours) == len(versions)))
    return tuple(doomed)


def destroy(registry: ModelRegistry, doomed: Doomed) -> None:
    """Remove what is ours of a model. Artifacts stay in the bucket: other models may use them."""
    if doomed.whole:
        registry.delete_model(doomed.model)
        return
    for version in doomed.versions:
        registry.delete_version(doomed.model, version)
