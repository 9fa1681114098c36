"""Looks at what the platform has of a model. A listing of versions may leave some out."""

from __future__ import annotations

from clarifai_build.errors import RegistryError
from clarifai_build.registry import ModelRegistry, RemoteModel, RemoteVersion

# More would only delay the error: each look is two or more calls.
_LOOKS = 3
Snapshot = tuple[RemoteModel | None, tuple[RemoteVersion, ...]]


def read_model(registry: ModelRegistry, model_id: str) -> Snapshot:
    """Return the model and all its versions.

    The newest version, which the model itself names, has to be in the list: otherwise the list is
    incomplete, and a version that it leaves out would be registered a second time.
    """
    for _ in range(_LOOKS):
        model = registry.model(model_id)
        versions = registry.versions(model_id) if model else ()
        if not model or not model.newest or model.newest in {version.id for version in versions}:
            return model, versions
    raise RegistryError.of(
        "versions-incomplete",
        f"the platform's list of the versions of '{model_id}' leaves out the newest",
        hint="try again later; nothing was changed",
    )


def read_stable(registry: ModelRegistry, model_id: str) -> Snapshot:
    """Look, before something is destroyed, until two looks in a row show the same versions."""
    before = read_model(registry, model_id)
    for _ in range(_LOOKS):
        now = read_model(registry, model_id)
        if _ids(now) == _ids(before):
            return now
        before = now
    raise RegistryError.of(
        "versions-incomplete",
        f"the platform lists other versions of '{model_id}' at each look",
        hint="try again later; nothing of it was destroyed",
    )


def _ids(found: Snapshot) -> tuple[bool, tuple[str, ...]]:
    model, versions = found
    return model is not None, tuple(version.id for version in versions)
