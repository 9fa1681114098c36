"""Carrying a plan out while no other apply of the model can run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_checksum import ZipSum
from clarifai_build.deploy.apply.executor import ExecutionContext, execute
from clarifai_build.deploy.apply.options import ApplyOptions
from clarifai_build.deploy.comparison import compare
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.reuse.content_source import ContentSource, whole
from clarifai_build.deploy.reuse.copies import with_reuse
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import published_contents, records
from clarifai_build.provenance.source_commit import source_commit
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, claims, leases
from clarifai_build.storage.keys import artifact_key
from clarifai_build.storage.upload.copy_sources import CopySource


def apply_leased(
    manifest: Manifest,
    artifact: Artifact,
    sources: Sequence[CopySource],
    store: ObjectStore,
    registry: ModelRegistry,
    options: ApplyOptions,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    contents: ContentSource | None = None,
) -> tuple[Plan, RemoteVersion | None]:
    """Return the plan that was carried out, and the version that is to be live."""
    world = (store, registry, options, progress, cache, contents)
    try:
        return _carry_out(manifest, artifact, sources, *world)
    except AbsentContentError:
        if not artifact.missing:
            raise
    # What the store did not copy has to be sent, and to be here for it.
    fetched = whole(artifact, contents)
    if fetched.digest == artifact.digest:
        options = replace(options, approve=_approved)
    world = (store, registry, options, progress, cache, contents)
    return _carry_out(manifest, fetched, sources, *world)


def _approved(_plan: Plan) -> None:
    """Ask no second time about the same plan."""


def _carry_out(
    manifest: Manifest,
    artifact: Artifact,
    sources: Sequence[CopySource],
    store: ObjectStore,
    registry: ModelRegistry,
    options: ApplyOptions,
    progress: ProgressCallback,
    cache: DigestCache,
    contents: ContentSource | None,
) -> tuple[Plan, RemoteVersion | None]:
    """Plan once more under the lease, have it approved, and take its steps."""
    prefix, model_id, cancel = manifest.destination.prefix, manifest.model.id, options.cancel
    key = artifact_key(prefix, artifact.digest, model_id, manifest.model.type)
    model, purpose = (registry.scope, model_id), f"apply {manifest.path.name}"
    with (
        leases.for_model(store, prefix, *model, purpose, progress, wanted=options.lease) as lease,
        ZipSum(artifact, progress, cache, cancel=cancel) as zip_sum,
    ):
        # Before the bucket is looked at, so that a gc that has begun is noticed (see `claims`).
        claims.lay_claim(store, key, registry.scope, model_id)
        # What was seen before the lease was held may have changed since.
        planned = compare(manifest, artifact, store, registry, adopt=options.adopt)
        planned = with_reuse(planned, manifest, artifact, sources)
        options.approve(planned)
        if contents and planned.wants("upload"):
            contents.settle(artifact)
        context = ExecutionContext(
            *(store, registry, progress, lease.check, cancel, zip_sum.follow),
            sources=sources,
            published=lambda stored: published_contents.publish(
                store, key, artifact, stored, progress
            ),
            record=lambda metadata: records.publish(
                store, key, manifest, artifact, zip_sum.sha256()
            ).add_to(metadata),
        )
        context = replace(context, id=options.id) if options.id else context
        origin = _origin(manifest, artifact, progress)
        return planned, execute(planned, artifact, key, origin, context)


def _origin(manifest: Manifest, artifact: Artifact, progress: ProgressCallback) -> VersionMetadata:
    checkout = source_commit(manifest, artifact, progress)
    origin = VersionMetadata(by=leases.user())
    return replace(origin, commit=checkout.commit, dirty=checkout.dirty) if checkout else origin
