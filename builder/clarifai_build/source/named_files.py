"""Files in the user's folder that are not code, by their paths: what manifest and builds name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from clarifai_build.repository_layout import LABELS, REQUIREMENTS
from clarifai_build.source.build_records import OUTPUT_FOLDER, SUFFIXES
from clarifai_build.source.ignoring.ignore import IGNORE_FILE
from clarifai_build.util.real_paths import path_below, real_in


def lock_of(manifest: Path) -> Path:
    """Return where the lock of a manifest lies: `clarifai.lock` beside `clarifai.yaml`."""
    return manifest.with_suffix(".lock")


class ReferencedFiles(NamedTuple):
    """The files that a manifest names; `weights` maps where they come from to where they go."""

    manifest: Path
    folder: Path
    artifact_names: Sequence[str]
    labels: Path | None
    requirements: Path | None
    weights: Sequence[tuple[str, str]]

    @property
    def elsewhere(self) -> dict[str, str]:
        """Paths below the folder that are laid elsewhere or not at all, and what they are."""
        files = [
            (self.manifest, "the manifest"),
            (lock_of(self.manifest), "the lock"),
            (self.folder / IGNORE_FILE, "ignore rules"),
        ]
        if self.labels is not None:
            files.append((self.labels, f"laid at the root as {LABELS}"))
        if self.requirements is not None:
            files.append((self.requirements, f"laid at the root as {REQUIREMENTS}"))
        for source, to in self.weights:
            if "://" not in source:
                files.append((self.manifest.parent / source, f"a weight, laid at {to}"))
        root = os.path.abspath(self.folder)  # noqa: PTH100 - text, and without `..`
        return {path_below(root, os.path.abspath(path)): what for path, what in files}  # noqa: PTH100

    def built(self, output: Path | None, root: str) -> dict[str, str]:
        """Paths below the folder that builds write, and what they are; `output` is one of them.

        `root` is the folder's real path.
        """
        above = self.manifest.parent
        beside = root if above == self.folder else os.path.realpath(above)
        found = {_in(beside, OUTPUT_FOLDER): "built artifacts"}
        for folder, name in (*((beside, one) for one in self.artifact_names), *_resolved(output)):
            # The artifact may be a link: then both it and its target stay out.
            for place in {_in(folder, name), real_in(folder, name)}:
                found[place] = "a built artifact"
                for record in SUFFIXES:
                    found[place + record] = "a record of a built artifact"
        return {path_below(root, place): what for place, what in found.items()}


def _resolved(path: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the real path of the folder of a file, and its name there."""
    if path is not None:
        yield os.path.realpath(path.parent), path.name


def _in(folder: str, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118 - text: for each manifest
