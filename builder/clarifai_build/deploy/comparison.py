"""What is wanted against what the platform and the bucket hold now."""

from __future__ import annotations

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.planning import Observed, Plan, make_plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.runner.compute import observe
from clarifai_build.manifest.types import Manifest
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.consistent_reads import read_model
from clarifai_build.storage import ObjectStore


def compare(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore | None,
    registry: ModelRegistry,
    *,
    adopt: bool,
) -> Plan:
    """Return what there is to do now; raises as `make_plan` and `observe` do.

    Without a store, the artifact is kept nowhere but on the platform.
    """
    model, versions = read_model(registry, manifest.model.id)
    size = _registered_size(artifact, versions) or artifact.size
    registration = Registration.of(manifest, artifact.digest, size)
    stored = store.stat(registration.key(manifest.destination.prefix)) if store else None
    compute = observe(registration.runner, model, manifest.model.id, registry)
    observed = Observed(model, versions, stored, store is not None, compute)
    return make_plan(registration, observed, adopt=adopt)


def _registered_size(artifact: Artifact, versions: tuple[RemoteVersion, ...]) -> int:
    """Return the size of the zip from a version that holds it, without laying it out; else 0."""
    sizes = (version.size for version in versions if version.artifact_digest == artifact.digest)
    return next(sizes, 0)
