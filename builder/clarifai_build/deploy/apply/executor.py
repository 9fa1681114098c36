"""Carrying out a plan, step by step. Each leaves a state that the next apply can continue from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.actions import BEFORE_ALL
from clarifai_build.deploy.apply.context import ExecutionContext
from clarifai_build.deploy.apply.publication import Publication, publication_of
from clarifai_build.deploy.planning import Plan, pick_version
from clarifai_build.deploy.runner.compute import make_missing
from clarifai_build.progress import Event
from clarifai_build.registry import (
    NoAnswerError,
    RemoteVersion,
    next_revision,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import StoredObject

Post: TypeAlias = Callable[[], RemoteVersion]
"""Makes the version of a plan."""

# 7.5 s in all. A post that is carried out later still is found by the next apply.
_LOOK_AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Pauses, in seconds, before each look for a version whose post got no answer."""


def execute(
    plan: Plan, artifact: Artifact, key: str, origin: VersionMetadata, context: ExecutionContext
) -> RemoteVersion | None:
    """Take the steps of a plan, and return the version that is to be live.

    `key` is where the artifact lies in the bucket; `origin` is recorded with a new version.
    """
    context.raise_if_stopped()
    _make_compute(plan, context)
    publication = publication_of(plan.registration, context.store)
    # First, so that no version ever leads to a zip that is not there.
    stored = _publish(plan, publication, artifact, key, context)
    context.raise_if_stopped()
    _update_model(plan, context)
    metadata = replace(origin, apply=context.id, crc32=stored.crc32 if stored else None)
    if plan.wants("create-version"):
        revision = next_revision(plan.observed.versions)
        metadata = context.record(replace(metadata, revision=revision))
    post = partial(publication.post, plan.registration, artifact, key, metadata, context)
    context.raise_if_stopped()
    return _update_version(plan, post, context)


def _make_compute(plan: Plan, context: ExecutionContext) -> None:
    """Make what a deployment is to run on, before hours of uploads."""
    wanted, compute = plan.registration.deployment, plan.observed.compute
    if wanted and compute and any(map(plan.wants, BEFORE_ALL)):
        make_missing(wanted, compute, context.registry)
        context.say(f"made nodepool '{wanted.nodepool}' of cluster '{wanted.compute_cluster}'")


def _publish(
    plan: Plan, publication: Publication, artifact: Artifact, key: str, context: ExecutionContext
) -> StoredObject | None:
    """Upload what is missing, as its target has it."""
    stored, store, progress = plan.observed.stored, context.store, context.progress
    action = plan.wants("upload")
    if stored and not action and not plan.wants("create-version"):
        return stored
    if action:
        progress(Event("upload", "started", f"{artifact.size} bytes, {action.reason}"))
        if store and stored and not stored.crc32:
            # The store could not distinguish it from the artifact, and would keep it.
            store.delete(key)
    return publication.keep(artifact, key, context)


def _update_model(plan: Plan, context: ExecutionContext) -> None:
    model = plan.registration.model
    for action in plan.actions:
        if action.kind == "create-model":
            context.registry.create_model(model)
            context.say(f"made model '{model.id}': {action.reason}")
        elif action.kind in ("adopt-model", "update-model"):
            context.registry.update_model(model)
            context.say(f"updated model '{model.id}': {action.reason}")


def _update_version(plan: Plan, post: Post, context: ExecutionContext) -> RemoteVersion | None:
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
            version = _register(plan, post, context)
            context.say(f"posted version {version.id}: {action.reason}")
    return version


def _register(plan: Plan, post: Post, context: ExecutionContext) -> RemoteVersion:
    """Post a version, once; without an answer, look whether it was carried out."""
    try:
        posted = post()
    except NoAnswerError:
        for pause in _LOOK_AGAIN:
            context.cancel.sleep(pause)
            if found := _find_posted(plan, context):
                return found
        raise
    # The list may lag behind the answer.
    return _find_posted(plan, context) or posted


def _find_posted(plan: Plan, context: ExecutionContext) -> RemoteVersion | None:
    """Return the version to keep of a registration, if there is one.

    A request that was delivered twice, or an apply without a lease, may have made others: those go.
    """
    registration, model_id = plan.registration, plan.registration.model.id
    versions = context.registry.versions(model_id)
    keep, rest = pick_version(registration, versions, plan.observed.deployed)
    for other in rest if keep else ():
        # A failed one shows why until the next apply, which removes it.
        if other.health != "failed":
            context.registry.delete_version(model_id, other.id)
    return keep
