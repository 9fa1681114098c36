"""The way of the data, as straight calls: build, plan, apply. Store and registry are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.building import build, build_to
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.actions import AFTER_ALL
from clarifai_build.deploy.apply.options import ApplyOptions
from clarifai_build.deploy.comparison import compare
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.reuse.content_source import (
    ContentSource,
    WeightSources,
    needs_content,
    whole,
)
from clarifai_build.deploy.runner.build_output import NO_OUTPUT, BuildOutput
from clarifai_build.deploy.wait import Waiting, wait_until_ready
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress, warn
from clarifai_build.registry import ModelRegistry, RemoteVersion
from clarifai_build.source.build_records import OUTPUT_FOLDER
from clarifai_build.storage import ObjectStore
from clarifai_build.util.atomic_file import remove_abandoned

if TYPE_CHECKING:
    from clarifai_build.storage.upload.copy_sources import CopySource


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did: the plan it carried out (empty: nothing to do), and what is live now.

    `url` is where the artifact lies; empty where it is kept nowhere but on the platform.
    """

    plan: Plan
    version: RemoteVersion
    url: str


def plan(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore | None,
    registry: ModelRegistry,
    *,
    adopt: bool = False,
    weights: WeightSources | None = None,
) -> Plan:
    """Compare the artifact and the manifest with what the bucket and the platform say now.

    Of an upload it says how much the store has: in earlier zips, and in what `weights` returns.
    Without a store, a runner's artifact goes to the platform alone.
    """
    return _plan(manifest, artifact, store, registry, weights, adopt=adopt)[0]


def _plan(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore | None,
    registry: ModelRegistry,
    weights: WeightSources | None,
    progress: ProgressCallback = no_progress,
    *,
    adopt: bool,
) -> tuple[Plan, Sequence[CopySource]]:
    """Return the plan, and the objects that its upload may be copied from."""
    planned = compare(manifest, artifact, store, registry, adopt=adopt)
    if store is None or planned.wants("upload") is None:
        return planned, ()
    # What only an upload needs, as `apply` has it.
    from clarifai_build.deploy.reuse.copies import find_sources, with_reuse

    sources = find_sources(planned, manifest, artifact, store, weights, progress)
    return with_reuse(planned, manifest, artifact, sources), sources


def apply(
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore | None,
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
    if needs_content(planned, manifest, artifact, sources):
        # What was known may have been wrong: what is read decides.
        artifact = whole(artifact, contents)
        # Without `progress`: it would warn of the same once more.
        planned, sources = _plan(
            *(manifest, artifact, store, registry, weights), adopt=options.adopt
        )
    if planned.writes and not planned.only_deploys:
        # What only writing needs: with nothing to do, loading it would take a tenth of the time.
        from clarifai_build.deploy.apply.leased import apply_leased

        world = (store, registry, options, progress, cache, contents)
        planned, version = apply_leased(manifest, artifact, sources, *world)
    else:
        version = planned.live
        options.approve(planned)
        _record_contents(planned, manifest, artifact, store, contents, progress)
    if version is None:
        model_id = manifest.model.id
        raise RegistryError.of("no-version", f"model '{model_id}' has no version of ours")
    if options.waiting.wait:
        followed = (registry, manifest, version, options.waiting, progress)
        version = _ready_and_asked(*followed, options.cancel)
    elif any(map(planned.wants, AFTER_ALL)):
        _say_not_deployed(version, progress)
    if planned.actions:
        progress(Event("register", "done", f"version {version.id} is {version.health}"))
    url = store.url(planned.registration.key(manifest.destination.prefix)) if store else ""
    return Applied(planned, version, url)


def _say_not_deployed(version: RemoteVersion, progress: ProgressCallback) -> None:
    words = f"version {version.id} is not deployed: nobody waits until it is ready"
    hint = "apply again, without --no-wait"
    warn(progress, "not-deployed", words, stage="deploy", hint=hint)


def _record_contents(
    planned: Plan,
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore | None,
    contents: ContentSource | None,
    progress: ProgressCallback,
) -> None:
    """Write the record of a zip that is as it should be, where that was looked for in vain."""
    if store is None:
        return
    key, stored = planned.registration.key(manifest.destination.prefix), planned.observed.stored
    if contents and stored and contents.lacks_record(key, stored):
        from clarifai_build.provenance import published_contents

        published_contents.publish(store, key, artifact, stored, progress)


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
    """Follow a version until it is ready, see that it answers, and let a deployment serve it."""
    output = _output_of(version, manifest, registry, progress)
    version = wait_until_ready(
        *(registry, manifest.model.id, version, waiting.timeout, progress),
        cancel=cancel,
        output=output,
    )
    spec = manifest.runner.deployment if manifest.runner else None
    # What only a new version needs, or a deployment: loading it would slow an apply with nothing
    # to do.
    if spec:
        from clarifai_build.deploy.rollout import Rollout

        followed = (waiting.timeout, progress, cancel)
        return Rollout(registry, manifest, spec, *followed).run(version)
    if version.recorded.canary == "":
        return version
    from clarifai_build.deploy import canary

    return canary.settle(registry, manifest, version, waiting.timeout, progress, cancel=cancel)


def _output_of(
    version: RemoteVersion,
    manifest: Manifest,
    registry: ModelRegistry,
    progress: ProgressCallback,
) -> BuildOutput:
    """Return what the platform's builder prints: of a runner that is not ready yet."""
    if manifest.runner is None or version.health == "ready":
        return NO_OUTPUT
    return BuildOutput(registry.runners.build_log(manifest.model.id, version.id), progress)


__all__ = [
    "Applied",
    "ApplyOptions",
    "ContentSource",
    "Plan",
    "Waiting",
    "WeightSources",
    "apply",
    "build",
    "build_to",
    "plan",
    "roll_back",
]
