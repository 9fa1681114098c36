"""A manifest together with what it is applied with: its bucket, its platform, and the caches.

The entry point of the commands, and of Python programs in their place: `connect` one manifest,
or with `connect_all` all that some paths name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import (
    BuilderError,
    ManifestError,
    Problem,
    RegistryError,
    UsageError,
)
from clarifai_build.manifest import settings
from clarifai_build.manifest.types import Clarifai, Manifest, Storage
from clarifai_build.net.shared_environ import SharedEnviron
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.validation.load import load

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.deploy.destroy import Deletion
    from clarifai_build.deploy.planning import Plan
    from clarifai_build.deploy.reuse.known_contents import KnownByRecords
    from clarifai_build.digests.cache import DigestCache
    from clarifai_build.pipeline import Applied, ApplyOptions, ContentSource, Waiting
    from clarifai_build.registry import ModelRegistry, RemoteVersion
    from clarifai_build.sandbox.endpoints import Endpoints
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

        None where the manifest wants nothing reused. Made anew for each command: what is published
        changes.
        """
        from clarifai_build.deploy.reuse.known_contents import KnownByRecords

        if self.manifest.destination.reuse == "never":
            return None
        opened = (self.store, self.weight_records)
        return KnownByRecords(self.manifest, *opened, self.registry, progress)

    def plan(
        self,
        artifact: Artifact | None = None,
        *,
        adopt: bool = False,
        cancel: CancelToken = NEVER,
    ) -> Plan:
        """Say what `apply` would do with this artifact, or with the one that is built now."""
        from clarifai_build import pipeline

        known = self.known_contents()
        if artifact is None:
            artifact = self.build(known=known, cancel=cancel)
        target = (self.manifest, artifact, self.store(), self.registry)
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
            *(self.manifest, artifact, self.store(), self.registry),
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
        """Make an earlier version of the model the newest again, and return the new one."""
        from clarifai_build import pipeline

        return pipeline.roll_back(
            *(self.manifest, earlier, self.store(), self.registry),
            waiting or pipeline.Waiting(),
            progress,
            cancel=cancel,
        )

    def live_url(self, plan: Plan) -> str:
        """Return the URL of the live version's artifact, if it is in the manifest's bucket."""
        from clarifai_build.deploy.versions import key_of

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

        prefix = self.manifest.destination.prefix
        destroy_leased(
            *(self.store(), prefix, self.registry, deletion, progress), lease=lease, cancel=cancel
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


@dataclass(frozen=True, slots=True)
class Connected:
    """The manifests that some paths name: those that load, and the errors of the others.

    `passed_over` are problems of what may be or hold further ones; while there are any, a model
    that no manifest names may have one all the same.
    """

    connections: tuple[Connection, ...]
    errors: Mapping[str, BuilderError]
    passed_over: tuple[Problem, ...] = ()


def connect(
    manifest: Manifest | str | os.PathLike[str],
    environ: Mapping[str, str] = os.environ,
    *,
    sandbox: bool | Endpoints = False,
    progress: ProgressCallback = no_progress,
) -> Connection:
    """Connect a manifest, or the one at a path: a file, or a folder that holds one.

    `environ` is where references, credentials and the place of the caches are looked up; what it
    leaves open of Clarifai's is taken from the current context of the official CLI. With that of an
    earlier connection, clients of stores are shared with it.

    With `sandbox`, everything leads to the local engines, which are started if need be; or to
    those whose endpoints are given. Weights are still fetched from where the manifest says.
    """
    connector = _Connector(environ, sandbox, progress)
    if isinstance(manifest, Manifest):
        return connector.connect(manifest, str(manifest.path))
    connected = connector.connect_all([Path(manifest)])
    for error in connected.errors.values():
        raise error
    if len(connected.connections) > 1:
        names = ", ".join(connection.name for connection in connected.connections)
        raise UsageError.of(
            "many-manifests", f"one manifest is meant, {os.fspath(manifest)} has {names}"
        )
    return connected.connections[0]


def connect_all(
    paths: Iterable[str | os.PathLike[str]],
    environ: Mapping[str, str] = os.environ,
    *,
    sandbox: bool | Endpoints = False,
    progress: ProgressCallback = no_progress,
) -> Connected:
    """Connect every manifest that files, folders and globs name, as `connect` does.

    Raises UsageError where a path leads nowhere. A manifest that does not load, or whose model is
    that of another one, is an error among the results.
    """
    return _Connector(environ, sandbox, progress).connect_all(map(Path, paths))


def in_sandbox(manifest: Manifest, endpoints: Endpoints) -> Manifest:
    """Return the same manifest, to be published and registered in the sandbox."""
    # `storage` stays: weights are still fetched with its endpoint and credentials.
    return replace(
        manifest,
        published_to=Storage(
            bucket=endpoints.bucket,
            prefix=manifest.storage.prefix if manifest.storage else "",
            endpoint_url=endpoints.s3_endpoint,
            region=endpoints.region,
            reuse=manifest.storage.reuse if manifest.storage else "auto",
        ),
        clarifai=Clarifai(
            user_id=endpoints.user_id,
            app_id=endpoints.app_id,
            api_base=endpoints.api_base,
            visibility=manifest.clarifai.visibility,
        ),
    )


class _Connector:
    """Connects manifests in one environment; all that one account has share one channel."""

    def __init__(
        self, environ: Mapping[str, str], sandbox: bool | Endpoints, progress: ProgressCallback
    ) -> None:
        self._progress = progress
        self._sandbox = _running(environ, progress) if sandbox is True else sandbox or None
        # One of each: models that are reached in the same one share sessions and clients.
        self._environ = (
            environ
            if isinstance(environ, SharedEnviron)
            else SharedEnviron(settings.merged(environ))
        )
        self._target_environ = (
            SharedEnviron(self._sandbox.leading(self._environ)) if self._sandbox else self._environ
        )
        # One channel an account: each is a connection with threads of its own.
        self._registries: dict[Clarifai, ModelRegistry] = {}

    def connect_all(self, paths: Iterable[Path]) -> Connected:
        from clarifai_build.deploy.fleet import failure
        from clarifai_build.manifest.discovery import search

        connections: list[Connection] = []

        def take(path: Path) -> None:
            # The sandbox stands in for what only the network needs.
            manifest = load(path, self._target_environ, offline=self._sandbox is not None)
            connection = self.connect(manifest, str(path))
            _refuse_second(connection, connections)
            connections.append(connection)

        found = search(paths)
        unseen = [*found.passed_over, *_not_checked_out(found.folders)]
        for problem in unseen:
            if problem.severity == "warning":
                self._progress(Event("manifests", "running", problem.message, warning=problem))
        ended = [(str(path), failure(take, path)) for path in found.manifests]
        errors = {name: error for name, error in ended if error}
        return Connected(tuple(connections), errors, tuple(unseen))

    def connect(self, manifest: Manifest, name: str) -> Connection:
        manifest = in_sandbox(manifest, self._sandbox) if self._sandbox else manifest
        registry = self._registry(manifest.clarifai)
        return Connection(name, manifest, registry, self._environ, self._target_environ)

    def _registry(self, clarifai: Clarifai) -> ModelRegistry:
        from clarifai_build.registry.clarifai import open_registry

        # Visibility is the model's: it does not make another account.
        account = replace(clarifai, visibility="private")
        if account not in self._registries:
            self._registries[account] = open_registry(account, self._target_environ)
        return self._registries[account]


def _not_checked_out(folders: Sequence[Path]) -> Iterable[Problem]:
    """Return what Git has and the folders lack; that Git does not say keeps nothing but a prune."""
    if not folders:
        return []
    from clarifai_build.manifest.unseen import not_checked_out
    from clarifai_build.util.vcs.process import GitError

    try:
        return not_checked_out(folders)
    except GitError as error:
        return error.problems


def _running(environ: Mapping[str, str], progress: ProgressCallback) -> Endpoints:
    """Start the sandbox if need be. The one place that writes to this process's environment:
    gRPC and urllib look nowhere else for the addresses that no proxy is asked for."""
    from clarifai_build.sandbox import lifecycle
    from clarifai_build.sandbox.engines.processes import past_proxies

    os.environ.update(past_proxies())
    return lifecycle.ensure(lifecycle.default_state_dir(environ), progress)


def _refuse_second(connection: Connection, others: Iterable[Connection]) -> None:
    """Two manifests of one model would undo each other's work for ever."""
    manifest, registry = connection.manifest, connection.registry
    for other in others:
        # One registry an account: in another app, the same id is another model.
        if other.registry is registry and other.manifest.model.id == manifest.model.id:
            raise ManifestError.of(
                "model-twice",
                f"model '{manifest.model.id}' is also the model of {other.name}",
                file=str(manifest.path),
                hint="give each manifest a model.id of its own, or apply one of them alone",
            )
