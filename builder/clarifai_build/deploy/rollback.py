"""An earlier version made the newest again: the same zip, registered anew, without a rebuild."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from clarifai_build.artifact.formats.zip_reader import ReadRange
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy.versions import built, label
from clarifai_build.errors import RegistryError, StorageError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.provenance import published_contents
from clarifai_build.provenance.published_contents import sha256_of
from clarifai_build.registry import ModelRegistry, NewVersion, RemoteVersion, next_revision
from clarifai_build.registry.consistent_reads import read_model
from clarifai_build.registry.runners.protocol import NewRunnerVersion
from clarifai_build.registry.status_codes import MODEL_BUILDING
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage import ObjectStore, claims, leases, stat_existing
from clarifai_build.storage.public_download import fetch_range


@dataclass(frozen=True, slots=True)
class RollbackContext:
    """A model and where its zips lie. `check` raises when the model's lease is lost."""

    model: str
    store: ObjectStore
    registry: ModelRegistry
    check: Callable[[], None] = lambda: None
    progress: ProgressCallback = no_progress
    cancel: CancelToken = NEVER

    def raise_if_stopped(self) -> None:
        """Raise when cancelled, or when the lease is lost: nothing may be changed any more."""
        self.cancel.check()
        self.check()


def roll_back(context: RollbackContext, target: RemoteVersion, key: str) -> RemoteVersion:
    """Register the zip of `target`, which lies at `key`, as the newest version.

    Nothing is registered before the zip is proven to be what was published. Where the newest
    version is registered like this already, that one is returned.
    """
    _, versions = read_model(context.registry, context.model)
    live = next(iter(built(versions)), None)
    if live is None:
        raise RegistryError.of(
            "no-version",
            f"model '{context.model}' has no version of ours any more",
            hint="apply registers one",
        )
    if live.registration_digest == target.registration_digest and live.health != "failed":
        return live
    if target.health == "failed":
        raise RegistryError.of(
            "version-failed",
            f"{label(target)} of '{context.model}' failed on the platform: {target.details}",
            hint="`clarifai-build versions` shows which ones are ready",
        )
    # Before the zip is looked at, so that a gc that has begun is noticed (see `claims`).
    claims.lay_claim(context.store, key, context.registry.scope, context.model)
    _prove_unchanged(context, target, key)
    # Read again: `target` may be from before the lease was held.
    source = context.registry.version(context.model, target.id) or target
    metadata = replace(
        source.recorded,
        rollback_of=label(target),
        canary=None,
        revision=next_revision(read_model(context.registry, context.model)[1]),
        apply=uuid.uuid4().hex,
        by=leases.user(),
    )
    context.raise_if_stopped()
    version = _register(context, source, key, metadata)
    context.progress(Event("register", "running", f"posted {label(version)} ({version.id})"))
    return version


def _register(
    context: RollbackContext, source: RemoteVersion, key: str, metadata: VersionMetadata
) -> RemoteVersion:
    """Register what lies at `key` as `source` was: by its URL, or sent from the bucket."""
    if source.declaration is None:
        new = NewVersion.of(source, context.store.url(key), metadata)
        return context.registry.create_version(context.model, new)
    content = _Kept(context.store, key, stat_existing(context.store, key).size)
    uploaded = NewRunnerVersion(
        declaration=source.declaration,
        params=source.params,
        description=source.description,
        visibility=source.visibility,
        metadata=metadata,
        # It is not compressed.
        unpacked_size=content.size,
    )
    version_id = context.registry.runners.upload_version(
        context.model, uploaded, content, context.progress, context.cancel
    )
    version = context.registry.version(context.model, version_id)
    return version or replace(source, id=version_id, metadata=metadata, status_code=MODEL_BUILDING)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An object of a bucket, read by ranges as it is sent."""

    store: ObjectStore
    key: str
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return self.store.read(self.key, offset, length)


def delete_duplicates(
    context: RollbackContext, version: RemoteVersion
) -> tuple[RemoteVersion, ...]:
    """Remove older versions of the same registration, and return them: one of a kind is kept."""
    twins = tuple(
        other
        for other in built(read_model(context.registry, context.model)[1])
        if other.id != version.id and other.registration_digest == version.registration_digest
    )
    for twin in twins:
        # Each time: the lease may be lost between two deletions.
        context.raise_if_stopped()
        context.registry.delete_version(context.model, twin.id)
    return twins


def _prove_unchanged(context: RollbackContext, target: RemoteVersion, key: str) -> None:
    """Read the whole zip, and compare it with what was recorded when it was published."""
    size = stat_existing(context.store, key).size
    expected, expected_size = target.recorded.sha256, target.size or size

    def read(offset: int, length: int) -> bytes:
        context.cancel.check()
        block = context.store.read(key, offset, length)
        context.progress(Event("check", "running", done=offset + length, total=size))
        return block

    # A zip of another size is another one: no need to read it.
    if size != expected_size:
        raise _differs(target, key, f"{size} bytes", f"{expected_size} bytes")
    if expected is None:
        _prove_by_contents(context, target, key, read, size)
    elif (found := sha256_of(read, 0, size)) != expected:
        raise _differs(target, key, f"SHA-256 {found}", f"bytes of {expected}")
    # Of Triton's, the platform downloads it, and has no credentials for the bucket.
    if target.declaration is None:
        fetch_range(context.store.url(key), 0, 1)
    context.progress(Event("check", "done", f"the zip of {label(target)} is as it was published"))


def _prove_by_contents(
    context: RollbackContext, target: RemoteVersion, key: str, read: ReadRange, size: int
) -> None:
    """Compare file by file: the SHA-256 of the zip was not known when it was published."""
    digest = str(target.artifact_digest)
    record = published_contents.read(context.store, key, digest, context.progress)
    if record is None or not published_contents.is_whole(record, read, size):
        raise _differs(target, key, "other files, or no record", f"those of {digest}")


def _differs(target: RemoteVersion, key: str, found: str, expected: str) -> StorageError:
    return StorageError.of(
        "published-differs",
        f"{key} is not what was published as {label(target)}: it has {found}, published were "
        f"{expected}",
        hint="it was cut, damaged or replaced: apply at the commit of that version instead",
    )
