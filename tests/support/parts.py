"""How an artifact is cut into parts, in one step."""

from __future__ import annotations

from collections.abc import Sequence

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.storage.upload.copy_sources import CopySource
from clarifai_build.storage.upload.parts import Part, cut_runs, parts_of


def cut(
    artifact: Artifact, sources: Sequence[CopySource] = (), *, even: bool = False
) -> list[Part]:
    """Return the parts of an upload, as `cut_runs` and `parts_of` make them."""
    return parts_of(artifact, cut_runs(artifact, sources, even=even))
