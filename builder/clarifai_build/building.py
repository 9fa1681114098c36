"""Manifest to artifact: in memory, as what is published, or on disk with its records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import collect, make_tree
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests.cache import NO_CACHE, DigestCache
from clarifai_build.errors import Problem, SourceError
from clarifai_build.manifest.labels import labels_of
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.provenance.lock_drift import requirements_of
from clarifai_build.repository_layout import LABELS, REQUIREMENTS
from clarifai_build.source.content_checks import RULES, content_problem, dvc_pointer, is_dvc
from clarifai_build.targets.rendering import generated_files_of

if TYPE_CHECKING:
    from clarifai_build.artifact.packing.zip_writer import WrittenZip
    from clarifai_build.digests.known import KnownContents


def build(
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    renders: Path | None = None,
    output: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    known: KnownContents | None = None,
    *,
    cancel: CancelToken = NEVER,
) -> Artifact:
    """Make the artifact of a manifest; nothing is written but what the caches keep.

    `output` is where it will be written, if anywhere: it is not part of itself. `environ` says
    where weights are kept, and holds what fetches them. With `known`, what is not on this machine
    may be missing from the artifact, as `make_tree` says.
    """
    generated = _generated(manifest, progress, renders)
    tree = make_tree(generated, manifest, progress, cache, output, environ, known, cancel=cancel)
    if manifest.target == "runner":
        return Artifact.tar_gz(tree)
    if manifest.artifact.compression == "deflate":
        from clarifai_build.artifact.deflate import deflated, encoder
        from clarifai_build.util import cache_dir

        if known and (packed := Artifact(tree, encoder=encoder())).missing:
            return packed
        # Without a cache, compressed files live as long as the artifact.
        kept = cache_dir.deflated_folder(environ) if cache.path else None
        return deflated(tree, progress, cache, kept, cancel=cancel)
    return Artifact(tree)


def build_to(
    target: Path,
    manifest: Manifest,
    progress: ProgressCallback = no_progress,
    cache: DigestCache = NO_CACHE,
    renders: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    cancel: CancelToken = NEVER,
) -> tuple[Artifact, WrittenZip]:
    """Make the artifact of a manifest, and write it to `target`, its records beside it.

    `environ` is as for `build`.
    """
    from clarifai_build.artifact.packing.one_pass import hash_and_write
    from clarifai_build.artifact.packing.zip_writer import write_zip
    from clarifai_build.provenance import records

    beside = partial(records.beside, manifest, progress=progress)
    # Offsets of stored files are known before they are read; sizes of compressed ones are not.
    if manifest.artifact.compression == "stored":
        generated = _generated(manifest, progress, renders)
        layout = collect(generated, manifest, progress, target, environ, cancel=cancel)
        make = Artifact.tar_gz if manifest.target == "runner" else Artifact
        return hash_and_write(layout, target, progress, cache, beside, make, cancel=cancel)
    artifact = build(manifest, progress, cache, renders, target, environ, cancel=cancel)
    return artifact, write_zip(artifact, target, progress, cache, beside, cancel=cancel)


def _generated(
    manifest: Manifest, progress: ProgressCallback, renders: Path | None
) -> dict[str, bytes]:
    progress(Event("render", "started"))
    generated = generated_files(manifest, renders)
    progress(Event("render", "done"))
    return generated


def generated_files(manifest: Manifest, renders: Path | None = None) -> dict[str, bytes]:
    """Render the generated files of the artifact: path to content.

    With `renders`, a folder, what was rendered before is taken from there.
    """
    files = generated_files_of(manifest, labels_of(manifest), renders)
    # After rendering: it replaces the file of the template.
    if (requirements := requirements_of(manifest)) is not None:
        files[REQUIREMENTS] = requirements
    _refuse_secrets(manifest, files)
    return files


def _refuse_secrets(manifest: Manifest, generated: Mapping[str, bytes]) -> None:
    """Check the user's files that are laid at the root as all others are checked."""
    sources = {LABELS: manifest.model.labels, REQUIREMENTS: manifest.code.requirements}
    problems = [
        problem
        for name, file in sources.items()
        if isinstance(file, Path)
        for problem in _suspicions(manifest, file, generated.get(name, b""))
    ]
    if problems:
        raise SourceError(*problems)


def _suspicions(manifest: Manifest, file: Path, content: bytes) -> Iterator[Problem]:
    path = os.path.relpath(file, manifest.code.path)
    if is_dvc(path):
        yield dvc_pointer(path, str(file))
    elif finding := RULES.finding(content):
        problem = content_problem(finding, path, str(file), manifest.code.allow_secrets)
        yield from [problem] if problem else []
