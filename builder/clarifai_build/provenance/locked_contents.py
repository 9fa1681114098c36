"""What the lock carries of weights beside their SHA-256: enough to know a zip without them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.digests.known import KnownContent, format_chunks, parse_content
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.weights import locate


def gather(
    manifest: Manifest,
    previous: Mapping[str, KnownContent],
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, KnownContent]:
    """Return what is known of the manifest's weights by their SHA-256: from the lock before, or by
    reading those that are on this machine. Nothing is fetched, and no other content is taken."""
    wanted = {weight.to: weight.sha256 for weight in manifest.weights}
    found = {sha256: previous[sha256] for sha256 in wanted.values() if sha256 in previous}
    files = [f for f in locate.present(manifest, environ) if wanted[f.path] not in found]
    # What a build has read is not read again; and it is left as that build kept it.
    facts = cache.plan(str(manifest.path), files).read(progress)
    for file in files:
        digest = facts.digests.get(file.file)
        if digest and digest.sha256 == wanted[file.path]:
            found[digest.sha256] = KnownContent(digest.sha256, file.stamp.size, digest.chunks)
    return found


def to_json(contents: Mapping[str, KnownContent]) -> dict[str, Any]:
    """Return contents as they stand in a lock."""
    return {
        sha256: {"size": one.size, "chunks": format_chunks(one.chunks)}
        for sha256, one in contents.items()
    }


def from_json(value: Mapping[str, Any]) -> dict[str, KnownContent]:
    """Read contents from a lock; raises ValueError, KeyError or TypeError for anything else."""
    return {
        sha256: parse_content(sha256, one["size"], one["chunks"]) for sha256, one in value.items()
    }
