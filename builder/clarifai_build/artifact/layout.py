"""Which files go where in an artifact, before any of them is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import Problem, SourceError
from clarifai_build.repository_layout import CODE, artifact_names
from clarifai_build.source.conflicts import conflicts
from clarifai_build.source.content_checks import content_problem, suspicious_names
from clarifai_build.source.named_files import ReferencedFiles
from clarifai_build.source.selection import place_of, select_files
from clarifai_build.source.source_file import SourceFile
from clarifai_build.source.walk import WalkResult
from clarifai_build.weights.content_checks import dvc_weights, weight_problem

if TYPE_CHECKING:
    from clarifai_build.digests.known import KnownContent, KnownContents
    from clarifai_build.manifest.types import Manifest, Weight


class Layout(NamedTuple):
    """Which files go where, before any is read, and the rules that their content is checked by.

    `manifest_path` is what digests are kept under; `allow_secrets` are paths of files that
    hold none, whatever they look like. With `known`, content that is not on this machine may be
    absent: `absent` are weights, by path.
    """

    manifest_path: str
    generated: Mapping[str, bytes]
    files: Mapping[str, SourceFile]
    allow_secrets: tuple[str, ...]
    weights: tuple[Weight, ...]
    absent: Mapping[str, KnownContent] = {}
    known: KnownContents | None = None

    def with_weights(
        self, located: Sequence[SourceFile], absent: Mapping[str, KnownContent]
    ) -> Layout:
        """Lay weights below the code, too, whose names `gather` has checked."""
        files = {**self.files, **{CODE + file.path: file for file in located}}
        return self._replace(files=files, absent={CODE + to: one for to, one in absent.items()})

    def weight_at(self, path: str) -> Weight | None:
        """Return the weight that is laid at a path below the code."""
        return next((weight for weight in self.weights if weight.to == path), None)

    def problem_of(self, file: SourceFile, finding: str) -> Problem | None:
        """Return what is wrong with a file in which something was found, if anything is."""
        if weight := self.weight_at(file.path):
            base = os.path.dirname(self.manifest_path)  # noqa: PTH120 - text, as all of a layout
            return weight_problem(weight, finding, file.file, self.allow_secrets, base)
        return content_problem(finding, file.path, file.file, self.allow_secrets)

    @property
    def found(self) -> list[SourceFile]:
        """The files that are read."""
        return list(self.files.values())


def gather(
    generated: Mapping[str, bytes],
    manifest: Manifest,
    output: Path | None = None,
) -> Layout:
    """Find the user's files, and refuse all that shows without reading them.

    Weights are known by their names alone, so that nothing is fetched in vain.
    """
    walked = walk_source(manifest, output)
    sources = {CODE + file.path: file for file in walked.files}
    weights = {CODE + weight.to for weight in manifest.weights}
    problems = [
        *walked.problems,
        *conflicts(generated.keys(), sources, weights),
        *suspicious_names(walked.files, manifest.code.allow_secrets),
        *dvc_weights(manifest.weights),
    ]
    if problems:
        raise SourceError(*sorted(problems, key=place_of))
    # What is left in both is the user's to replace: `conflicts` has refused reserved paths.
    written = {path: data for path, data in generated.items() if path not in sources}
    code = manifest.code
    return Layout(str(manifest.path), written, sources, code.allow_secrets, manifest.weights)


def walk_source(manifest: Manifest, output: Path | None = None) -> WalkResult:
    """Walk the user's folder: what goes in, what stays out and why, and what can't go in.

    `output` is the zip that is about to be written.
    """
    return select_files(files_named_by(manifest), manifest.code.exclude, output)


def files_named_by(manifest: Manifest) -> ReferencedFiles:
    """Return the files that a manifest names, and its source folder."""
    model = manifest.model
    return ReferencedFiles(
        manifest.path,
        manifest.code.path,
        artifact_names(model.id, model.type),
        model.labels if isinstance(model.labels, Path) else None,
        manifest.code.requirements,
        [(weight.source, weight.to) for weight in manifest.weights],
    )
