"""A manifest together with what it is applied with: its bucket, its platform, and the caches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.deploy.destroy import Deletion
    from clarifai_build.deploy.planning import Plan
    from clarifai_build.deploy.reuse.known_contents import KnownByRecords
    from clarifai_build.digests.cache import DigestCache
    from clarifai_build.pipeline import Applied, ApplyOptions, ContentSource, Waiting
    from clarifai_build.registry import ModelRegistry, RemoteVersion
    from clarifai_build.storage import ObjectStore
    from clarifai_build.storage.leases import Holder
    from clarifai_build.storage.weight_records import WeightRecords


@dataclass(frozen=True, slots=True)
class Connection:
    """A manifest, the name it was given by, and what it is applied with.

    `environ` is what weights are fetched with, and says where the caches lie; `store_environ` leads
    to the bucket: to the sandbox's, where the manifest is to be applied there. Connections with the
    same ones share sessions and clients of stores.
    """

    name: str
    manifest: Manifest
    registry: ModelRegistry = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    store_environ: Mapping[str, str] = field(repr=False)

    def store(self) -> ObjectStore:
        """Return the manifest's bucket; nothing is sent to it yet."""
        # Imported on use, here and below: to load a manifest has to take no longer than it must.
        from clarifai_build.storage.lazy_store import connect

        return connect(self.manifest.destination, self.store_environ)

    def kept_in(self) -> ObjectStore | None:
        """Return the manifest's bucket; None where the artifact goes to the platform alone."""
        return self.store() if self.manifest.is_kept else None

    def other_bucket(self, name: str) -> ObjectStore:
        """Return another bucket of the same store, to look at what lies in it."""
        from clarifai_build.storage.lazy_store import connect

        destination = replace(self.manifest.destination, bucket=name, access="public")
        return connect(destination, self.store_environ)

    def weight_records(self) -> WeightRecords:
        """Return what is on record of weights in the manifest's bucket; nothing is read yet."""
        from clarifai_build.net.s3_endpoints import normal_endpoint
        from clarifai_build.storage.weight_records import WeightRecords
        from clarifai_build.util import cache_dir

        destination = self.manifest.destination
        return WeightRecords(
            self.store(),
            destination.prefix,
            normal_endpoint(destination, self.store_environ),
            lru_cache(self.other_bucket),
            cache_dir.weights_folder(self.environ),
        )

    def cache(self) -> DigestCache:
        """Return the digests that are kept on this machine."""
        from clarifai_build.digests.cache import DigestCache, digests_file

        return DigestCache(digests_file(self.environ))

    def build(
        self,
        progress: ProgressCallback = no_progress,
        known: KnownByRecords | None = None,
        *,
        cancel: CancelToken = NEVER,
    ) -> Artifact:
        """Make the artifact; what did not change since the last time is not read again.

        With `known`, what it tells of content that is not on this machine is enough: the artifact
        can be compared with what is published, and lacks that content. See `known_contents`.
        """
        from clarifai_build import pipeline
        from clarifai_build.util import cache_dir

        renders = cache_dir.renders_folder(self.environ)
        build = partial(pipeline.build, self.manifest, progress, self.cache(), renders)
        artifact = build(environ=self.environ, known=known, cancel=cancel)
        # How large a compressed zip is shows only when it is made, or was published.
        unsized = known and artifact.encoder and artifact.missing
        if known and unsized and not known.is_registered(artifact.digest):
            return build(environ=self.environ, cancel=cancel)
        return artifact

    def known_contents(self, progress: ProgressCallback = no_progress) -> KnownByRecords | None:
        """Return what tells of content that is not on this machine; it connects when it is asked.

        None where the manifest wants nothing reused, or has no bucket. Made anew for each command:
        what is published changes.
        """
        from clarifai_build.deploy.reuse.known_contents import KnownByRecords

        if not self.manifest.is_kept or self.manifest.destination.reuse == "never":
            return None
        opened = (self.store, self.weight_records)
        return KnownByRecords(self.manifest, *opened, self.registry, progress)

    def plan(
        self,
        artifact: Artifact | None = None,
        known: KnownByRecords | None = None,
        *,
        adopt: bool = False,
        cancel: CancelToken = NEVER,
    ) -> Plan:
        """Say what `apply` would do with this artifact, or with the one that is built now.

        `known` is what the artifact was built with: what it has read is not read again.
        """
        from clarifai_build import pipeline

        known = known or self.known_contents()
        if artifact is None:
            artifact = self.build(known=known, cancel=cancel)
        target = (self.manifest, artifact, self.kept_in(), self.registry)
        return pipeline.plan(*target, adopt=adopt, weights=known.weight_sources if known else None)

    def apply(
        self,
        options: ApplyOptions | None = None,
        progress: ProgressCallback = no_progress,
        artifact: Artifact | None = None,
    ) -> Applied:
        """Make this artifact live, or the one that is built now."""
        from clarifai_build import pipeline

        options = options or pipeline.ApplyOptions()
        known = self.known_contents(progress)
        if artifact is None:
            artifact = self.build(progress, known, cancel=options.cancel)
        return pipeline.apply(
            *(self.manifest, artifact, self.kept_in(), self.registry),
            options,
            progress,
            self.cache(),
            _contents(partial(self.build, progress, cancel=options.cancel), known),
            known.weight_sources if known else None,
        )

    def roll_back(
        self,
        earlier: RemoteVersion,
        waiting: Waiting | None = None,
        progress: ProgressCallback = no_progress,
        *,
        cancel: CancelToken = NEVER,
    ) -> RemoteVersion:
        """Make an earlier version of the model the newest again, and return the new one.

        Raises UsageError where its artifact was kept nowhere.
        """
        from clarifai_build import pipeline
        from clarifai_build.deploy.runner.kept_nowhere import nothing_kept

        if not self.manifest.is_kept:
            raise nothing_kept(self.manifest.model.id)
        return pipeline.roll_back(
            *(self.manifest, earlier, self.store(), self.registry),
            waiting or pipeline.Waiting(),
            progress,
            cancel=cancel,
        )

    def live_url(self, plan: Plan) -> str:
        """Return the URL of the live version's artifact, if it is in the manifest's bucket."""
        from clarifai_build.deploy.versions import key_of

        if not self.manifest.is_kept:
            return ""

        manifest, destination = self.manifest, self.manifest.destination
        planned = plan.registration.key(destination.prefix)
        key = key_of(plan.live, manifest, destination) if plan.live else planned
        return self.store().url(key)

    def canary(self, plan: Plan) -> str | None:
        """Return whether the live version of a plan answers: empty, or why it does not.

        What an apply found out is taken from its record. None where nobody can ask it.
        """
        live = plan.live
        if live is None or live.health != "ready" or live.recorded.canary is not None:
            return live.recorded.canary if live else None
        from clarifai_build.deploy import canary

        with suppress(RegistryError):
            request = canary.canary_of(self.manifest, live)
            return canary.outcome(self.registry, self.manifest.model.id, live.id, request)
        return None

    def destroy(
        self,
        deletion: Deletion,
        progress: ProgressCallback = no_progress,
        *,
        lease: bool = True,
        cancel: CancelToken = NEVER,
    ) -> None:
        """Destroy a model of the same app whose lease lies in the same bucket."""
        from clarifai_build.deploy.destroy import destroy_leased

        store = self.kept_in()
        prefix = self.manifest.destination.prefix if store else ""
        destroy_leased(
            *(store, prefix, self.registry, deletion, progress), lease=lease, cancel=cancel
        )

    def unlock(self) -> Holder | None:
        """Remove the model's lease, whatever process holds it, and return its holder."""
        from clarifai_build.storage import leases

        manifest = self.manifest
        prefix, model_id = manifest.destination.prefix, manifest.model.id
        return leases.unlock(self.store(), prefix, self.registry.scope, model_id)


def _contents(fetch: Callable[[], Artifact], known: KnownByRecords | None) -> ContentSource:
    from clarifai_build import pipeline

    if known is None:
        return pipeline.ContentSource(fetch)
    return pipeline.ContentSource(fetch, known.lacks_record, known.settle_weights)
