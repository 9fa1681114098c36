"""Carrying a plan out while no other apply of the model can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_checksum import ZipSum
from clarifai_build.deploy.apply.context import ExecutionContext
from clarifai_build.deploy.apply.executor import execute
from clarifai_build.deploy.apply.options import ApplyOptions
from clarifai_build.deploy.comparison import compare
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.reuse.content_source import ContentSource, whole
from clarifai_build.deploy.reuse.copies import with_reuse
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import published_contents, records
from clarifai_build.provenance.source_commit import source_commit
from clarifai_build.provenance.statement import remote_address
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import (
    ObjectStore,
    SentCallback,
    StoredObject,
    claims,
    ignore_sent,
    leases,
)
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.util import git


def apply_leased(
    manifest: Manifest,
    artifact: Artifact,
    sources: Sequence[CopySource],
    store: ObjectStore | None,
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
    store: ObjectStore | None,
    registry: ModelRegistry,
    options: ApplyOptions,
    progress: ProgressCallback,
    cache: DigestCache,
    contents: ContentSource | None,
) -> tuple[Plan, RemoteVersion | None]:
    """Plan once more under the lease, have it approved, and take its steps."""
    world = (registry, options, progress, cache)
    kept = _in_bucket(manifest, artifact, store, *world) if store else nullcontext(_NOWHERE)
    with kept as bucket:
        # What was seen before the lease was held may have changed since.
        planned = compare(manifest, artifact, store, registry, adopt=options.adopt)
        planned = with_reuse(planned, manifest, artifact, sources)
        options.approve(planned)
        if contents and planned.wants("upload"):
            contents.settle(artifact)
        origin = _origin(manifest, artifact, progress)
        context = ExecutionContext(
            *(store, registry, progress, bucket.check, options.cancel, bucket.sent),
            sources=sources,
            published=bucket.published,
            record=bucket.record,
            git=_git_registry(manifest, origin) if manifest.runner else {},
        )
        context = replace(context, id=options.id) if options.id else context
        return planned, execute(planned, artifact, bucket.key, origin, context)


@dataclass(frozen=True, slots=True)
class _Bookkeeping:
    """What the bucket is told while an artifact is published at `key`; see `ExecutionContext`."""

    key: str = ""
    check: Callable[[], None] = lambda: None
    sent: SentCallback = ignore_sent
    published: Callable[[StoredObject], None] = lambda _stored: None
    record: Callable[[VersionMetadata], VersionMetadata] = lambda metadata: metadata


_NOWHERE = _Bookkeeping()


@contextmanager
def _in_bucket(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    options: ApplyOptions,
    progress: ProgressCallback,
    cache: DigestCache,
) -> Iterator[_Bookkeeping]:
    """Hold the model's lease and claim the artifact while it is published."""
    prefix, model_id = manifest.destination.prefix, manifest.model.id
    key = Registration.of(manifest, artifact.digest, 0).key(prefix)
    model, purpose = (registry.scope, model_id), f"apply {manifest.path.name}"
    with (
        leases.for_model(store, prefix, *model, purpose, progress, wanted=options.lease) as lease,
        ZipSum(artifact, progress, cache, cancel=options.cancel) as zip_sum,
    ):
        # Before the bucket is looked at, so that a gc that has begun is noticed (see `claims`).
        claims.lay_claim(store, key, *model)
        yield _Bookkeeping(
            *(key, lease.check, zip_sum.follow),
            published=lambda stored: published_contents.publish(
                store, key, artifact, stored, progress
            ),
            record=lambda metadata: records.publish(
                store, key, manifest, artifact, zip_sum.sha256()
            ).add_to(metadata),
        )


def _git_registry(manifest: Manifest, origin: VersionMetadata) -> dict[str, str]:
    """Return where the source comes from, as the official client tells the platform."""
    if origin.commit is None:
        return {}
    folder = manifest.path.parent
    found = {
        "commit": origin.commit,
        "branch": git.branch_of(folder),
        "url": remote_address(git.remote_of(folder)),
    }
    return {name: value for name, value in found.items() if value}


def _origin(manifest: Manifest, artifact: Artifact, progress: ProgressCallback) -> VersionMetadata:
    checkout = source_commit(manifest, artifact, progress)
    origin = VersionMetadata(by=leases.user())
    return replace(origin, commit=checkout.commit, dirty=checkout.dirty) if checkout else origin
