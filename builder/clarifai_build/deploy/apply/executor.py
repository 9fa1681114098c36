"""Carrying out a plan, step by step. Each leaves a state that the next apply can continue from."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.planning import Plan, pick_version
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import (
    ModelRegistry,
    NewVersion,
    NoAnswerError,
    RemoteVersion,
    next_revision,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, SentCallback, StoredObject, ignore_sent
from clarifai_build.storage.public_download import prove_downloadable

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import CopySource

# 7.5 s in all. A post that is carried out later still is found by the next apply.
_LOOK_AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Pauses, in seconds, before each look for a version whose post got no answer."""


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What the steps need. `check` raises when the lease is lost.

    `sent` gets the progress of the upload, which may copy what lies in `sources`. `id` is recorded
    with what is made. `published` is told of the zip once it is proven to be public. `record`
    writes the records beside it, and adds their digests to a version's metadata.
    """

    store: ObjectStore
    registry: ModelRegistry
    progress: ProgressCallback = no_progress
    check: Callable[[], None] = lambda: None
    cancel: CancelToken = NEVER
    sent: SentCallback = ignore_sent
    sources: Sequence[CopySource] = ()
    published: Callable[[StoredObject], None] = lambda _stored: None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    record: Callable[[VersionMetadata], VersionMetadata] = lambda metadata: metadata

    def raise_if_stopped(self) -> None:
        """Raise when cancelled, or when the lease is lost: nothing may be changed any more."""
        self.cancel.check()
        self.check()

    def say(self, message: str) -> None:
        self.progress(Event("register", "running", message))


def execute(
    plan: Plan, artifact: Artifact, key: str, origin: VersionMetadata, context: ExecutionContext
) -> RemoteVersion | None:
    """Take the steps of a plan, and return the version that is to be live.

    `key` is where the artifact lies in the bucket; `origin` is recorded with a new version.
    """
    context.raise_if_stopped()
    # First, so that no version ever leads to a zip that is not there.
    stored = _publish(plan, artifact, key, context)
    context.raise_if_stopped()
    _update_model(plan, context)
    metadata = replace(origin, apply=context.id, crc32=stored.crc32)
    if plan.wants("create-version"):
        revision = next_revision(plan.observed.versions)
        metadata = context.record(replace(metadata, revision=revision))
    new = plan.registration.new_version(context.store.url(key), metadata)
    context.raise_if_stopped()
    return _update_version(plan, new, context)


def _publish(plan: Plan, artifact: Artifact, key: str, context: ExecutionContext) -> StoredObject:
    """Upload what is missing, and prove that it is public before it is registered."""
    stored, store, progress = plan.observed.stored, context.store, context.progress
    action = plan.wants("upload")
    if stored and not action and not plan.wants("create-version"):
        return stored
    if action:
        progress(Event("upload", "started", f"{artifact.size} bytes, {action.reason}"))
        if stored and not stored.crc32:
            # The store could not distinguish it from the artifact, and would keep it.
            store.delete(key)
    metadata = {ARTIFACT_DIGEST: artifact.digest}
    stored = store.put_artifact(
        *(key, artifact, metadata, progress),
        sent=context.sent,
        cancel=context.cancel,
        sources=context.sources,
    )
    prove_downloadable(store.url(key), artifact)
    context.published(stored)
    progress(Event("upload", "done", f"{key} can be downloaded without credentials"))
    return stored


def _update_model(plan: Plan, context: ExecutionContext) -> None:
    model = plan.registration.model
    for action in plan.actions:
        if action.kind == "create-model":
            context.registry.create_model(model)
            context.say(f"made model '{model.id}': {action.reason}")
        elif action.kind in ("adopt-model", "update-model"):
            context.registry.update_model(model)
            context.say(f"updated model '{model.id}': {action.reason}")


def _update_version(plan: Plan, new: NewVersion, context: ExecutionContext) -> RemoteVersion | None:
    model = plan.registration.model
    version = plan.live
    for action in plan.actions:
        if action.kind == "delete-version":
            context.registry.delete_version(model.id, action.version)
            context.say(f"removed version {action.version}: {action.reason}")
        elif action.kind == "update-version" and plan.live:
            metadata = replace(plan.live.recorded, project=plan.registration.project or "")
            context.registry.update_version(model.id, action.version, model, metadata)
            # As it is now: whoever writes to it next writes these, too.
            version = replace(
                plan.live,
                description=model.description,
                visibility=model.visibility,
                metadata=metadata,
            )
            context.say(f"updated version {action.version}: {action.reason}")
        elif action.kind == "create-version":
            context.raise_if_stopped()
            version = _register(plan.registration, new, context)
            context.say(f"posted version {version.id}: {action.reason}")
    return version


def _register(
    registration: Registration, new: NewVersion, context: ExecutionContext
) -> RemoteVersion:
    """Post a version, once; without an answer, look whether it was carried out."""
    try:
        posted = context.registry.create_version(registration.model.id, new)
    except NoAnswerError:
        for pause in _LOOK_AGAIN:
            context.cancel.sleep(pause)
            if found := _find_posted(registration, context):
                return found
        raise
    # The list may lag behind the answer.
    return _find_posted(registration, context) or posted


def _find_posted(registration: Registration, context: ExecutionContext) -> RemoteVersion | None:
    """Return the version to keep of a registration, if there is one.

    A request that was delivered twice, or an apply without a lease, may have made others: those go.
    """
    model_id = registration.model.id
    keep, rest = pick_version(registration, context.registry.versions(model_id))
    for other in rest if keep else ():
        # A failed one shows why until the next apply, which removes it.
        if other.health != "failed":
            context.registry.delete_version(model_id, other.id)
    return keep
