"""How the artifact of a target reaches the platform: by a URL that it downloads, or by a stream."""

from __future__ import annotations

from typing import Protocol

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.apply.context import ExecutionContext
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration
from clarifai_build.deploy.runner.kept_nowhere import KEPT_NOWHERE
from clarifai_build.progress import Event
from clarifai_build.registry import NoAnswerError, RemoteVersion
from clarifai_build.registry.runners.protocol import NewRunnerVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, StoredObject
from clarifai_build.storage.public_download import prove_downloadable


class Publication(Protocol):
    """What a plan's artifact goes through. `key` is where it lies in the bucket."""

    def keep(self, artifact: Artifact, key: str, context: ExecutionContext) -> StoredObject | None:
        """Put the artifact into the bucket, if there is one; return what lies there."""

    def post(
        self,
        registration: Registration,
        artifact: Artifact,
        key: str,
        metadata: VersionMetadata,
        context: ExecutionContext,
    ) -> RemoteVersion:
        """Make the version; raises NoAnswerError where it may or may not have been made."""


class ByUrl:
    """Triton's: the platform downloads the zip, like any anonymous client."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def keep(self, artifact: Artifact, key: str, context: ExecutionContext) -> StoredObject:
        """Upload what is missing, and prove that it is public before it is registered."""
        stored = put(self._store, artifact, key, context)
        prove_downloadable(self._store.url(key), artifact)
        context.published(stored)
        done = f"{key} can be downloaded without credentials"
        context.progress(Event("upload", "done", done))
        return stored

    def post(
        self,
        registration: Registration,
        _artifact: Artifact,
        key: str,
        metadata: VersionMetadata,
        context: ExecutionContext,
    ) -> RemoteVersion:
        """Register the URL."""
        new = registration.new_version(self._store.url(key), metadata)
        return context.registry.create_version(registration.model.id, new)


class ByStream:
    """A runner's: the platform is sent the tar.gz, of which a bucket keeps a copy, if there is one.

    Nobody but this tool reads that copy: it need not be public.
    """

    def __init__(self, store: ObjectStore | None) -> None:
        self._store = store

    def keep(self, artifact: Artifact, key: str, context: ExecutionContext) -> StoredObject | None:
        """Upload what is missing, if there is a bucket."""
        if self._store is None:
            return None
        stored = put(self._store, artifact, key, context)
        context.published(stored)
        context.progress(Event("upload", "done", f"{key} is kept"))
        return stored

    def post(
        self,
        registration: Registration,
        artifact: Artifact,
        _key: str,
        metadata: VersionMetadata,
        context: ExecutionContext,
    ) -> RemoteVersion:
        """Send it to the platform."""
        assert registration.declaration
        new = NewRunnerVersion(
            declaration=registration.declaration,
            params=registration.params,
            description=registration.description,
            visibility=registration.visibility,
            metadata=registration.metadata(metadata),
            unpacked_size=sum(entry.size for entry in artifact.tree.entries),
            git=context.git,
        )
        model_id, progress = registration.model.id, context.progress
        if self._store is None:
            context.say(KEPT_NOWHERE)
        progress(Event("upload", "started", f"{artifact.size} bytes to the platform"))
        runners = context.registry.runners
        version_id = runners.upload_version(model_id, new, artifact, progress, context.cancel)
        progress(Event("upload", "done", f"the platform has taken version {version_id}"))
        version = context.registry.version(model_id, version_id)
        if version is None:
            raise NoAnswerError.of(
                "version-gone",
                f"the platform took version {version_id} of '{model_id}', and does not have it",
                hint="apply again",
            )
        return version


def publication_of(registration: Registration, store: ObjectStore | None) -> Publication:
    """Return how what is to be registered gets to the platform."""
    if registration.declaration or store is None:
        return ByStream(store)
    return ByUrl(store)


def put(
    store: ObjectStore, artifact: Artifact, key: str, context: ExecutionContext
) -> StoredObject:
    """Upload an artifact, as far as it is not there."""
    return store.put_artifact(
        *(key, artifact, {ARTIFACT_DIGEST: artifact.digest}, context.progress),
        sent=context.sent,
        cancel=context.cancel,
        sources=context.sources,
    )
