"""Manifest to artifact: in memory, as what is published, or as a zip on disk with its records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import lay_out
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.repository import repository

if TYPE_CHECKING:
    from clarifai_build.artifact.packing.zip_writer import WrittenZip


def build(
    manifest: Manifest,
    listen: Listener = silent,
    cache: DigestCache = NO_CACHE,
    renders: Path | None = None,
    output: Path | None = None,
) -> Artifact:
    """Make the artifact of a manifest; nothing is written but what the caches keep.

    `output` is where the zip will be written, if anywhere: it is no part of itself.
    """
    tree = lay_out(_generated(manifest, listen, renders), manifest, listen, cache, output)
    if manifest.artifact.compression == "deflate":
        from clarifai_build.artifact.deflate import deflated
        from clarifai_build.util import cache_dir

        kept = cache_dir.deflated_folder() if cache.path else None
        return deflated(tree, listen, cache, kept)
    return Artifact(tree)


def build_to(
    target: Path,
    manifest: Manifest,
    listen: Listener = silent,
    cache: DigestCache = NO_CACHE,
    renders: Path | None = None,
) -> tuple[Artifact, WrittenZip]:
    """Make the artifact of a manifest, and write its zip to `target`, its records beside it."""
    from clarifai_build.artifact.packing.one_pass import build_zip
    from clarifai_build.artifact.packing.zip_writer import write_zip
    from clarifai_build.provenance import records

    beside = partial(records.beside, manifest)
    if manifest.artifact.compression == "stored":
        generated = _generated(manifest, listen, renders)
        return build_zip(generated, manifest, target, listen, cache, beside)
    artifact = build(manifest, listen, cache, renders, target)
    return artifact, write_zip(artifact, target, listen, cache, beside)


def _generated(manifest: Manifest, listen: Listener, renders: Path | None) -> dict[str, bytes]:
    listen(Event("render", "started"))
    generated = repository(manifest, renders)
    listen(Event("render", "done"))
    return generated
