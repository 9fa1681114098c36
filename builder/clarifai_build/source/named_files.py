"""Files in the user's folder that are not code, by their paths: what manifest and builds name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from clarifai_build.repository_layout import LABELS, REQUIREMENTS
from clarifai_build.source.build_records import OUTPUT_FOLDER, SUFFIXES
from clarifai_build.source.ignoring.ignore import IGNORE_FILE


def lock_of(manifest: Path) -> Path:
    """Return where the lock of a manifest lies: `clarifai.lock` beside `clarifai.yaml`."""
    return manifest.with_suffix(".lock")


class ReferencedFiles(NamedTuple):
    """The files that a manifest names; `weights` maps where they come from to where they go."""

    manifest: Path
    folder: Path
    zip_name: str
    labels: Path | None
    requirements: Path | None
    weights: Sequence[tuple[str, str]]

    @property
    def elsewhere(self) -> dict[str, str]:
        """Paths below the folder that are laid elsewhere or not at all, and what they are."""
        files = {
            self.manifest: "the manifest",
            lock_of(self.manifest): "the lock",
            self.folder / IGNORE_FILE: "ignore rules",
        }
        if self.labels is not None:
            files[self.labels] = f"laid at the root as {LABELS}"
        if self.requirements is not None:
            files[self.requirements] = f"laid at the root as {REQUIREMENTS}"
        for source, to in self.weights:
            if "://" not in source:
                files[self.manifest.parent / source] = f"a weight, laid at {to}"
        root = self.folder.absolute()
        return {_below(root, path): what for path, what in files.items()}

    def built(self, output: Path | None) -> dict[str, str]:
        """Paths below the folder that builds write, and what they are; `output` is one of them."""
        beside = self.manifest.parent
        found = {beside / OUTPUT_FOLDER: "built artifacts"}
        for zipped in (beside / self.zip_name, output):
            # The zip may be a link: then both it and its target stay out.
            for place in {_parent_resolved(zipped), _resolved(zipped)} if zipped else ():
                found[place] = "a built artifact"
                for record in SUFFIXES:
                    found[place.with_name(place.name + record)] = "a record of a built artifact"
        root = _resolved(self.folder)
        # Nearly all lie in one folder: to resolve it takes longer than all else here.
        parents = {parent: _resolved(parent) for parent in {path.parent for path in found}}
        return {
            _below(root, parents[path.parent] / path.name): what for path, what in found.items()
        }


def _resolved(path: Path) -> Path:
    """Follow links; unlike Path.resolve this takes a link that leads in a circle as it is."""
    return Path(os.path.realpath(path))


def _parent_resolved(path: Path) -> Path:
    return _resolved(path.parent) / path.name


def _below(root: Path, path: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
