"""The commit that an artifact is made from, as far as Git says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress, warn
from clarifai_build.repository_layout import CODE
from clarifai_build.util import git
from clarifai_build.util.git import Checkout
from clarifai_build.util.vcs.process import GitError


def source_commit(
    manifest: Manifest, artifact: Artifact, progress: ProgressCallback = no_progress
) -> Checkout | None:
    """Return the commit of the manifest's folder, or None outside a repository.

    Where Git gives no answer, that is a warning, and None: the artifact is what it is without.
    What Git ignores and the artifact holds makes a checkout dirty: the commit alone lacks it.
    """
    folder = manifest.path.parent
    try:
        checkout = git.checkout_of(folder)
        if checkout is None or checkout.dirty:
            return checkout
        known = {folder / path for path in git.names(folder)}
    except GitError as error:
        code, message, *_ = problem = error.problems[0]
        words = f"the commit is not recorded: {message}"
        warn(progress, code, words, stage="git", hint=problem.hint)
        return None
    files = (file for file in _files(manifest, artifact) if file.is_relative_to(folder))
    return replace(checkout, dirty=not all(_is_known(file, known) for file in files))


def _files(manifest: Manifest, artifact: Artifact) -> Iterator[Path]:
    """Yield the user's files that the artifact is made from, but for weights, which are pinned."""
    weights = {CODE + weight.to for weight in manifest.weights}
    for entry in artifact.tree.entries:
        source = entry.source
        if isinstance(source, bytes) or entry.path in weights:
            continue
        # Of what is absent, the pointer lies there.
        yield Path(os.path.normpath(source if isinstance(source, str) else source.file))
    named = (manifest.path, manifest.model.labels, manifest.code.requirements)
    yield from (file for file in named if isinstance(file, Path))


def _is_known(file: Path, known: set[Path]) -> bool:
    # Through a link of the folder: then the link is tracked, and so is what it leads to.
    return file in known or Path(os.path.realpath(file)) in known
