"""Connecting manifests: one, or all that some paths name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.connection.connection import Connection
from clarifai_build.connection.sandboxed import in_sandbox, start
from clarifai_build.errors import (
    BuilderError,
    ManifestError,
    Problem,
    UsageError,
)
from clarifai_build.manifest import settings
from clarifai_build.manifest.types import Clarifai, Manifest
from clarifai_build.net.shared_environ import SharedEnviron
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.validation.load import load

if TYPE_CHECKING:
    from clarifai_build.registry import ModelRegistry
    from clarifai_build.sandbox.endpoints import Endpoints


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


class _Connector:
    """Connects manifests in one environment; all that one account has share one channel."""

    def __init__(
        self, environ: Mapping[str, str], sandbox: bool | Endpoints, progress: ProgressCallback
    ) -> None:
        self._progress = progress
        self._sandbox = start(environ, progress) if sandbox is True else sandbox or None
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
