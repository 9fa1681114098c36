"""Fetching one weight into a cache of its own, and looking at what came of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from clarifai_build.errors import BuilderError, Problem
from clarifai_build.manifest.types import Manifest
from clarifai_build.util.cache_dir import is_mark
from clarifai_build.weights.locate import locate
from support.trees import manifest_of, weight_of

CONTENT = random.Random(5).randbytes((6 << 20) + 5)


def weights_in(environ: dict[str, str]) -> list[Path]:
    """Return what lies in the cache of weights, but for the marks of their use."""
    folder = Path(environ["XDG_CACHE_HOME"]) / "clarifai-build" / "weights"
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(file for file in files if not is_mark(file))


def one_weight(folder: Path, url: str, content: bytes = CONTENT) -> Manifest:
    """Return a manifest with one weight."""
    return manifest_of(folder, (weight_of("w.bin", url, content),))


def problem_of(manifest: Manifest, environ: dict[str, str]) -> Problem:
    """Return what is wrong with the one weight."""
    with pytest.raises(BuilderError) as raised:
        locate(manifest, environ=environ)
    (problem,) = raised.value.problems
    return problem
