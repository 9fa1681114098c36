"""The way of the data, as straight calls: build, plan, apply. Store and registry are arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from clarifai_build.artifact.absent import AbsentContentError
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.building import build, build_to
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.planning import Observed, Plan, make_plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.wait import TIMEOUT_SECONDS, wait_until_ready
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.registry.consistent_reads import read_model
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.source.build_records import OUTPUT_FOLDER
from clarifai_build.storage import ObjectStore, StoredObject, is_proven
from clarifai_build.util.atomic_file import remove_abandoned

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import CopySource


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether apply follows a version until it is ready, and for how many seconds."""

    wait: bool = True
    timeout: float = TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How an apply goes about it.

    `approve` is shown the plan that is about to be carried out, and raises to refuse it. Without a
    `lease`, two applies at once find each other out only afterwards. `id`, if given, is recorded
    with what is registered. `cancel` ends the apply from another thread.
    """

    adopt: bool = False
    lease: bool = True
    waiting: Waiting = Waiting()
    approve: Callable[[Plan], None] = lambda _plan: None
    id: str = ""
    cancel: CancelToken = NEVER


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did: the plan it carried out (empty: nothing to do), and what is live now."""

    plan: Plan
    version: RemoteVersion
    url: str


@dataclass(frozen=True, slots=True)
class ContentSource:
    """How an apply comes by content that its artifact lacks: `fetch` makes it once more, whole.

    `lacks_record` says of a zip, and what the store says of it, whether its record was looked for
    and is not there, so that it is worth writing. `settle` is called under the lease, before
    anything is uploaded, to put on record what this machine has read.
    """

    fetch: Callable[[], Artifact]
    lacks_record: Callable[[str, StoredObject | None], bool] = lambda _zip_key, _stored: False
    settle: Callable[[Artifact], None] = lambda _artifact: None


WeightSources: TypeAlias = Callable[[Artifact], "Sequence[CopySource]"]
"""Returns the objects of the store that each hold a weight of an artifact, and nothing else."""


def plan(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    *,
    adopt: bool = False,
    weights: WeightSources | None = None,
) -> Plan:
    """Compare the artifact and the manifest with what the bucket and the platform say now.

    Of an upload it says how much the store has: in earlier zips, and in what `weights` returns.
    """
    return _plan(manifest, artifact, store, registry, weights, adopt=adopt)[0]


def _plan(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    weights: WeightSources | None,
    progress: ProgressCallback = no_progress,
    *,
    adopt: bool,
) -> tuple[Plan, Sequence[CopySource]]:
    """Return the plan, and the objects that its upload may be copied from."""
    planned = _compare(manifest, artifact, store, registry, adopt=adopt)
    if planned.wants("upload") is None:
        return planned, ()
    sources: Sequence[CopySource] = ()
    if manifest.destination.reuse == "auto" and not artifact.encoder:
        # What only an upload needs, as `apply` has it.
        from clarifai_build.deploy.versions import zips_of
        from clarifai_build.provenance import published_zips

        zips = zips_of(planned.observed.versions, manifest)
        # What is to be replaced is no source.
        zips.pop(artifact.digest, None)
        sources = published_zips.find(store, manifest.destination.bucket, zips, progress)
        sources = (*sources, *(weights(artifact) if weights else ()))
    return _with_reuse(planned, manifest, artifact, sources), sources


def _with_reuse(
    planned: Plan, manifest: Manifest, artifact: Artifact, sources: Sequence[CopySource]
) -> Plan:
    """Return a plan that says how much of its upload the store has."""
    if planned.wants("upload") is None:
        return planned
    from clarifai_build.storage.upload.copy_sources import may_copy, reuse_of

    usable = sources if may_copy(manifest.destination) else ()
    return replace(planned, reuse=reuse_of(artifact, usable))


def _compare(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    *,
    adopt: bool,
) -> Plan:
    model, versions = read_model(registry, manifest.model.id)
    size = _registered_size(artifact, versions) or artifact.size
    registration = Registration.of(manifest, artifact.digest, size)
    stored = store.stat(registration.key(manifest.destination.prefix))
    return make_plan(registration, Observed(model, versions, stored), adopt=adopt)


def apply(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    registry: ModelRegistry,
    options: ApplyOptions = ApplyOptions(),
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    contents: ContentSource | None = None,
    weights: WeightSources | None = None,
) -> Applied:
    """Plan and carry it out. Each step leaves a state that the next apply can continue from.

    What the store has, in earlier zips and in what `weights` returns, is copied there. Content that
    the artifact lacks is taken from `contents` if the plan needs it otherwise; without those, it is
    an error.
    """
    # Of builds that were killed, whose zips may be as large as the disk.
    remove_abandoned(manifest.path.parent / OUTPUT_FOLDER)
    planned, sources = _plan(
        *(manifest, artifact, store, registry, weights, progress), adopt=options.adopt
    )
    if planned.writes and _needs_content(planned, manifest, artifact, sources):
        # What was known may have been wrong: what is read decides.
        artifact = _whole(artifact, contents)
        # Without `progress`: it would warn of the same once more.
        planned, sources = _plan(
            *(manifest, artifact, store, registry, weights), adopt=options.adopt
        )
    model_id, version = manifest.model.id, planned.live
    key = planned.registration.key(manifest.destination.prefix)
    if not planned.writes:
        options.approve(planned)
        if contents and contents.lacks_record(key, stored := planned.observed.stored) and stored:
            from clarifai_build.provenance import published_contents

            published_contents.publish(store, key, artifact, stored, progress)
    else:
        world = (store, registry, options, progress, cache, contents)
        try:
            planned, version = _carry_out(manifest, artifact, sources, *world)
        except AbsentContentError:
            if not artifact.missing:
                raise
            # What the store did not copy has to be sent, and to be here for it.
            whole = _whole(artifact, contents)
            if whole.digest == artifact.digest:
                options = replace(options, approve=_approved)
                world = (store, registry, options, progress, cache, contents)
            planned, version = _carry_out(manifest, whole, sources, *world)
        key = planned.registration.key(manifest.destination.prefix)
    cancel = options.cancel
    if version is None:
        raise RegistryError.of("no-version", f"model '{model_id}' has no version of ours")
    if options.waiting.wait:
        version = _ready_and_asked(registry, manifest, version, options.waiting, progress, cancel)
    if planned.actions:
        progress(Event("register", "done", f"version {version.id} is {version.health}"))
    return Applied(planned, version, store.url(key))


def _approved(_plan: Plan) -> None:
    """Ask no second time about the same plan."""


def _whole(artifact: Artifact, contents: ContentSource | None) -> Artifact:
    if contents is None:
        raise artifact.absence()
    return contents.fetch()


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
    # What only writing needs: with nothing to do, loading it would take a tenth of the time.
    from clarifai_build.artifact.packing.zip_checksum import ZipSum
    from clarifai_build.deploy.executor import ExecutionContext, execute
    from clarifai_build.provenance import published_contents, records
    from clarifai_build.storage import claims, leases
    from clarifai_build.storage.keys import artifact_key

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
        planned = _compare(manifest, artifact, store, registry, adopt=options.adopt)
        planned = _with_reuse(planned, manifest, artifact, sources)
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


def roll_back(
    manifest: Manifest,
    earlier: RemoteVersion,
    store: ObjectStore,
    registry: ModelRegistry,
    waiting: Waiting = Waiting(),
    progress: ProgressCallback = no_progress,
    *,
    cancel: CancelToken = NEVER,
) -> RemoteVersion:
    """Make an earlier version the newest again, while no apply can run, and return the new one.

    Older versions of the same content go once it is ready: where it is not waited for, they stay.
    """
    from clarifai_build.deploy import rollback, versions
    from clarifai_build.storage import leases

    model_id, destination = manifest.model.id, manifest.destination
    model, purpose = (destination.prefix, registry.scope, model_id), f"rollback {model_id}"
    with leases.for_model(store, *model, purpose, progress) as lease:
        context = rollback.RollbackContext(model_id, store, registry, lease.check, progress, cancel)
        key = versions.key_of(earlier, manifest, destination)
        version = rollback.roll_back(context, earlier, key)
        if waiting.wait:
            version = _ready_and_asked(registry, manifest, version, waiting, progress, cancel)
            # The new one serves by now: the older may go.
            rollback.delete_duplicates(context, version)
    return version


def _ready_and_asked(
    registry: ModelRegistry,
    manifest: Manifest,
    version: RemoteVersion,
    waiting: Waiting,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> RemoteVersion:
    """Follow a version until it is ready, and see that it answers."""
    version = wait_until_ready(
        registry, manifest.model.id, version, waiting.timeout, progress, cancel=cancel
    )
    if version.recorded.canary == "":
        return version
    # What only a new version needs: loading it would slow an apply with nothing to do.
    from clarifai_build.deploy import canary

    return canary.settle(registry, manifest, version, waiting.timeout, progress, cancel=cancel)


def live_url(planned: Plan, manifest: Manifest, store: ObjectStore) -> str:
    """Return the URL of the live version's artifact, if it is in the bucket of the manifest."""
    live, registration = planned.live, planned.registration
    digest = str(live.artifact_digest) if live else registration.artifact_digest
    there = replace(registration, artifact_digest=digest)
    return store.url(there.key(manifest.destination.prefix))


def _needs_content(
    planned: Plan, manifest: Manifest, artifact: Artifact, sources: Sequence[CopySource]
) -> bool:
    """Return whether a plan can't be carried out without the content that an artifact lacks."""
    if not artifact.missing:
        return False
    stored = planned.observed.stored
    if stored is None or planned.wants("upload"):
        from clarifai_build.storage.upload.copy_sources import covers, may_copy

        return not (may_copy(manifest.destination) and covers(artifact, sources))
    # A zip that is there serves a new version, if it is the one by the store's own checksum.
    return planned.wants("create-version") is not None and not is_proven(stored, artifact)


def _registered_size(artifact: Artifact, versions: tuple[RemoteVersion, ...]) -> int:
    """Return the size of the zip from a version that holds it, without laying it out; else 0."""
    sizes = (version.size for version in versions if version.artifact_digest == artifact.digest)
    return next(sizes, 0)


def _origin(manifest: Manifest, artifact: Artifact, progress: ProgressCallback) -> VersionMetadata:
    from clarifai_build.provenance.source_commit import source_commit
    from clarifai_build.storage import leases

    checkout = source_commit(manifest, artifact, progress)
    origin = VersionMetadata(by=leases.user())
    return replace(origin, commit=checkout.commit, dirty=checkout.dirty) if checkout else origin


__all__ = [
    "Applied",
    "ApplyOptions",
    "Plan",
    "Waiting",
    "apply",
    "build",
    "build_to",
    "plan",
    "roll_back",
]
