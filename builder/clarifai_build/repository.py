"""The generated part of the Triton repository: what a manifest gives without the user's code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from clarifai_build.artifact.tree import inspector
from clarifai_build.errors import SourceError
from clarifai_build.manifest.labels import labels_of
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock
from clarifai_build.source.source_file import Found, Stamp
from clarifai_build.targets.triton.render import RenderContext
from clarifai_build.targets.triton.render_cache import render_once


def repository(manifest: Manifest, renders: Path | None = None) -> dict[str, bytes]:
    """Render the generated files of the Triton repository: path to content.

    With `renders`, a folder, what was rendered before is taken from there.
    """
    files = render_once(RenderContext.of(manifest, labels_of(manifest)), renders)
    if (requirements := lock.requirements_of(manifest)) is not None:
        files["requirements.txt"] = requirements
    _refuse_secrets(manifest, files)
    return files


def _refuse_secrets(manifest: Manifest, generated: Mapping[str, bytes]) -> None:
    """Look at the user's files that are laid at the root as at all others."""
    inspect = inspector(replace(manifest, weights=()))  # these are laid elsewhere
    sources = {"labels.txt": manifest.model.labels, "requirements.txt": manifest.code.requirements}
    problems = []
    for name, file in sources.items():
        if isinstance(file, Path):
            path = os.path.relpath(file, manifest.code.path)
            found = Found(path, str(file), Stamp(0, 0, 0, 0), executable=False)
            problems.append(inspect(found, generated.get(name, b"")))
    if any(problems):
        raise SourceError(*filter(None, problems))
