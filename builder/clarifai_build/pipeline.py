"""The way of the data, as straight calls: build, plan, apply. Store and registry are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarifai_build import git
from clarifai_build.archive import Artifact
from clarifai_build.labels import labels_of
from clarifai_build.manifest import Manifest, Storage
from clarifai_build.plan import Observed, Plan, make_plan
from clarifai_build.problem import ManifestError, RegistryError, SourceError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.registration import Registration
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.render import RenderContext, render
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.download import prove_downloadable
from clarifai_build.tree import lay_out
from clarifai_build.waiting import wait_until_ready


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether apply follows a version until it is ready, and for how many seconds."""

    wait: bool = True
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did: the steps it carried out (none: nothing to do), and what is live now."""

    plan: Plan
    version: RemoteVersion
    url: str


def repository(manifest: Manifest) -> dict[str, bytes]:
    """Render the generated files of the Triton repository: path to content."""
    files = render(RenderContext.of(manifest, labels_of(manifest)))
    if manifest.code.requirements is not None:
        files["requirements.txt"] = _read(manifest.code.requirements)
    return files


def build(manifest: Manifest, listen: Listener = silent) -> Artifact:
    """Make the artifact of a manifest; nothing is written."""
    listen(Event("render", "started"))
    generated = repository(manifest)
    listen(Event("render", "done"))
    return Artifact(lay_out(generated, manifest, listen))


def plan(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    *,
    adopt: bool = False,
) -> Plan:
    """Compare the artifact and the manifest with what the bucket and the platform say now."""
    registration = Registration.of(manifest, artifact.digest, artifact.size)
    model = registry.model(manifest.model.id)
    observed = Observed(
        model=model,
        versions=registry.versions(manifest.model.id) if model else (),
        stored=_stored_size(store, registration.key(storage_of(manifest).prefix)),
    )
    return make_plan(registration, observed, adopt=adopt)


def apply(
    manifest: Manifest,
    store: ObjectStore,
    registry: ModelRegistry,
    *,
    adopt: bool = False,
    waiting: Waiting = Waiting(),
    listen: Listener = silent,
) -> Applied:
    """Build, plan, carry it out. Each step leaves a state from which the next apply goes on."""
    artifact = build(manifest, listen)
    planned = plan(manifest, artifact, store, registry, adopt=adopt)
    registration = planned.registration
    url = _publish(planned, artifact, store, storage_of(manifest), listen)
    _settle_model(planned, registry, listen)
    version = _settle_version(planned, registry, url, _origin(manifest), listen)
    if waiting.wait:
        version = wait_until_ready(
            registry, registration.model.id, version, waiting.timeout, listen
        )
    if planned.actions:
        listen(Event("register", "done", f"version {version.id} is {version.health}"))
    return Applied(planned, version, url)


def storage_of(manifest: Manifest) -> Storage:
    """Return where the manifest publishes; raises ManifestError where it does not say."""
    if manifest.storage is None:
        raise ManifestError.of(
            "storage-missing",
            "the manifest does not say where the artifact is published",
            file=str(manifest.path),
            hint="add 'storage: {type: s3, bucket: …}', or try it locally with --sandbox",
        )
    return manifest.storage


def _stored_size(store: ObjectStore, key: str) -> int | None:
    stored = store.stat(key)
    return stored.size if stored else None


def _publish(
    planned: Plan, artifact: Artifact, store: ObjectStore, storage: Storage, listen: Listener
) -> str:
    """Upload what is missing and prove that a stranger can download it, before anyone is told."""
    key = planned.registration.key(storage.prefix)
    if action := planned.wants("upload"):
        listen(Event("upload", "started", f"{artifact.size} bytes, {action.reason}"))
        store.put_artifact(key, artifact, {"clarifai-build-tree": artifact.digest}, listen)
        listen(Event("upload", "done", f"s3://{storage.bucket}/{key}"))
    url = store.url(key)
    if planned.actions:
        prove_downloadable(url, artifact)
        listen(Event("upload", "done", "downloadable without credentials"))
    return url


def _settle_model(planned: Plan, registry: ModelRegistry, listen: Listener) -> None:
    model = planned.registration.model
    if action := planned.wants("create-model"):
        registry.create_model(model)
        listen(Event("register", "running", f"made model '{model.id}': {action.reason}"))
    if action := planned.wants("update-model"):
        registry.update_model(model)
        listen(Event("register", "running", f"updated model '{model.id}': {action.reason}"))


def _settle_version(
    planned: Plan,
    registry: ModelRegistry,
    url: str,
    origin: Mapping[str, Any],
    listen: Listener,
) -> RemoteVersion:
    model_id = planned.registration.model.id
    if action := planned.wants("delete-version"):
        registry.delete_version(model_id, action.version)
        listen(Event("register", "running", f"removed version {action.version}: {action.reason}"))
    if action := planned.wants("create-version"):
        version = registry.create_version(model_id, planned.registration.new_version(url, origin))
        listen(Event("register", "running", f"posted version {version.id}: {action.reason}"))
        return version
    if planned.live is None:
        raise RegistryError.of("no-version", f"model '{model_id}' has no version of ours")
    return planned.live


def _origin(manifest: Manifest) -> dict[str, Any]:
    checkout = git.checkout_of(manifest.path.parent)
    return {"commit": checkout.commit, "dirty": checkout.dirty} if checkout else {}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SourceError.of(
            "unreadable", f"{file} can't be read: {error.strerror}", file=str(file)
        ) from error


__all__ = ["Applied", "Plan", "Waiting", "apply", "build", "plan", "repository"]
