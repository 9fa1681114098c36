"""What of an upload the store can copy from what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.planning import Plan
from clarifai_build.deploy.reuse.content_source import WeightSources
from clarifai_build.deploy.versions import zips_of
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance import published_zips
from clarifai_build.storage import ObjectStore
from clarifai_build.storage.upload.copy_sources import CopySource, may_copy, reuse_of


def find_sources(
    planned: Plan,
    manifest: Manifest,
    artifact: Artifact,
    store: ObjectStore,
    weights: WeightSources | None = None,
    progress: ProgressCallback = no_progress,
) -> Sequence[CopySource]:
    """Return the objects that a planned upload may be copied from: earlier zips, and weights."""
    # Of what is within a tar.gz, nothing can be copied.
    if manifest.runner or manifest.destination.reuse == "never" or artifact.encoder:
        return ()
    zips = zips_of(planned.observed.versions, manifest)
    # What is to be replaced is no source.
    zips.pop(artifact.digest, None)
    found = published_zips.find(store, manifest.destination.bucket, zips, progress)
    return (*found, *(weights(artifact) if weights else ()))


def with_reuse(
    planned: Plan, manifest: Manifest, artifact: Artifact, sources: Sequence[CopySource]
) -> Plan:
    """Return a plan that says how much of its upload the store has."""
    if planned.wants("upload") is None:
        return planned
    usable = sources if may_copy(manifest.destination) else ()
    return replace(planned, reuse=reuse_of(artifact, usable))
