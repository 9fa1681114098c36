"""A manifest and all it needs as they were at a Git revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Manifest, Weight
from clarifai_build.util import git
from clarifai_build.validation.load import load


@contextmanager
def manifest_at(
    manifest: Manifest, revision: str, environ: Mapping[str, str]
) -> Iterator[Manifest]:
    """Give the manifest as it was at a revision, with its files in a folder that then goes.

    Where it publishes and registers stays as it is now. Weights that are not in Git are taken from
    where they are now: their digests say whether they are the ones that were meant.
    """
    now = manifest.path.parent
    with git.files_at(now, revision) as folder:
        path = folder / manifest.path.name
        if not path.is_file():
            raise SourceError.of(
                "manifest-not-there",
                f"there was no {manifest.path.name} in this folder at {revision}",
                hint=f"`git log -- {manifest.path.name}` shows the commits that have it",
            )
        # Offline: storage and account are taken from the manifest of today.
        then = load(path, environ, offline=True)
        yield replace(
            then,
            storage=manifest.storage,
            published_to=manifest.published_to,
            clarifai=manifest.clarifai,
            weights=tuple(_found(weight, folder, now) for weight in then.weights),
        )


def _found(weight: Weight, then: Path, now: Path) -> Weight:
    if "://" in weight.source or (then / weight.source).is_file():
        return weight
    return replace(weight, source=str((now / weight.source).resolve()))
