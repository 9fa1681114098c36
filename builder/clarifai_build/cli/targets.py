"""What several commands take: manifests, and whether the cloud or the sandbox is meant."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.errors import BuilderError, ManifestError, UsageError
from clarifai_build.manifest import settings
from clarifai_build.manifest.types import Clarifai, Manifest, Storage
from clarifai_build.progress import ProgressCallback
from clarifai_build.provenance.lock import check_lock
from clarifai_build.validation.load import load

if TYPE_CHECKING:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.digests.cache import DigestCache
    from clarifai_build.registry import ModelRegistry
    from clarifai_build.sandbox.endpoints import Endpoints
    from clarifai_build.storage import ObjectStore


@dataclass(frozen=True, slots=True)
class Target:
    """A manifest, what it is called on the command line, and what it is applied with."""

    name: str
    manifest: Manifest
    registry: ModelRegistry = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    def store(self) -> ObjectStore:
        """Return the manifest's bucket; nothing is sent to it yet."""
        from clarifai_build.storage.lazy_store import connect

        return connect(self.manifest.destination, self.environ)

    def cache(self) -> DigestCache:
        """Return the digests that are kept on this machine."""
        from clarifai_build.digests.cache import DigestCache
        from clarifai_build.util import cache_dir

        return DigestCache(cache_dir.digests_file(self.environ))

    def build(self, progress: ProgressCallback) -> Artifact:
        """Make the artifact; what did not change since the last time is not read again."""
        from clarifai_build import pipeline
        from clarifai_build.util import cache_dir

        renders = cache_dir.renders_folder(self.environ)
        return pipeline.build(self.manifest, progress, self.cache(), renders)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The manifests that a command line names: those that load, and the errors of the others."""

    targets: tuple[Target, ...]
    errors: Mapping[str, BuilderError]


def keep_to_lock(args: Namespace, manifest: Manifest) -> None:
    """Raise LockError, where `--locked` asks for it, when the lock is not up to date."""
    if args.locked:
        check_lock(manifest)


def load_targets(names: Sequence[str], progress: ProgressCallback, *, sandbox: bool) -> Loaded:
    """Load manifests, point them at the sandbox when that is asked for, and connect them.

    Raises UsageError where a name leads nowhere; a manifest that does not load is an error among
    the results.
    """
    from clarifai_build.deploy.fleet import failure
    from clarifai_build.manifest.discovery import find_manifests

    endpoints = _sandbox(progress) if sandbox else None
    environ = settings.merged(os.environ)
    environ = endpoints.leading(environ) if endpoints else environ
    connections = _Connections(environ)
    targets: list[Target] = []
    errors: dict[str, BuilderError] = {}

    def take(path: Path) -> None:
        manifest = load(path, environ, offline=sandbox)
        manifest = in_sandbox(manifest, endpoints) if endpoints else manifest
        registry = connections.to(manifest.clarifai)
        _refuse_second(manifest, registry, targets)
        targets.append(Target(str(path), manifest, registry, environ))

    for path in find_manifests(map(Path, names)):
        if error := failure(take, path):
            errors[str(path)] = error
    return Loaded(tuple(targets), errors)


def load_target(manifest: Path, progress: ProgressCallback, *, sandbox: bool) -> Target:
    """Load one manifest, and connect it as `load_targets` does."""
    loaded = load_targets([str(manifest)], progress, sandbox=sandbox)
    for error in loaded.errors.values():
        raise error
    if len(loaded.targets) > 1:
        names = ", ".join(target.name for target in loaded.targets)
        raise UsageError.of("many-manifests", f"one manifest is meant, {manifest} has {names}")
    return loaded.targets[0]


def in_sandbox(manifest: Manifest, endpoints: Endpoints) -> Manifest:
    """Return the same manifest, to be published and registered in the sandbox.

    Weights are still fetched from where it says.
    """
    return replace(
        manifest,
        published_to=Storage(
            bucket=endpoints.bucket,
            prefix=manifest.storage.prefix if manifest.storage else "",
            endpoint_url=endpoints.s3_endpoint,
            region=endpoints.region,
        ),
        clarifai=Clarifai(
            user_id=endpoints.user_id,
            app_id=endpoints.app_id,
            api_base=endpoints.api_base,
            visibility=manifest.clarifai.visibility,
        ),
    )


def _sandbox(progress: ProgressCallback) -> Endpoints:
    from clarifai_build.sandbox import lifecycle
    from clarifai_build.sandbox.engines.processes import past_proxies

    os.environ.update(past_proxies())  # gRPC and urllib look nowhere else
    return lifecycle.ensure(progress=progress)


class _Connections:
    """One connection an account, for all manifests that are registered there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[Clarifai, ModelRegistry] = {}

    def to(self, clarifai: Clarifai) -> ModelRegistry:
        from clarifai_build.registry.clarifai import open_registry

        account = replace(clarifai, visibility="private")
        if account not in self._open:
            self._open[account] = open_registry(account, self._environ)
        return self._open[account]


def _refuse_second(manifest: Manifest, registry: ModelRegistry, targets: Sequence[Target]) -> None:
    """Two manifests of one model would undo each other's work for ever."""
    for other in targets:
        if other.registry is registry and other.manifest.model.id == manifest.model.id:
            raise ManifestError.of(
                "model-twice",
                f"model '{manifest.model.id}' is also the model of {other.name}",
                file=str(manifest.path),
                hint="give each manifest a model.id of its own, or apply one of them alone",
            )
