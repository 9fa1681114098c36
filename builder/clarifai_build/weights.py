"""Weights that do not live in Git: found or fetched, and proven by their SHA-256."""

from __future__ import annotations

import os
from pathlib import Path

from clarifai_build import digests
from clarifai_build.manifest import Manifest, Weight
from clarifai_build.problem import SourceError
from clarifai_build.progress import Event, Listener, silent
from clarifai_build.walk import Found, Stamp


def fetch(manifest: Manifest, listen: Listener = silent) -> dict[Weight, Found]:
    """Return for each weight of the manifest the local file that holds it."""
    found = {}
    for weight in manifest.weights:
        listen(Event("weights", "running", weight.to))
        found[weight] = _local(weight, manifest.path.parent)
    return found


def _local(weight: Weight, folder: Path) -> Found:
    if "://" in weight.source:
        raise SourceError.of("weight", f"{weight.source}: this kind of source is not known.")
    file = folder / weight.source
    try:
        with file.open("rb") as stream:
            stamp = Stamp.of(os.fstat(stream.fileno()))
            digest = digests.of_stream(stream)
    except OSError as exc:
        raise SourceError.of(
            "weight", f"The weight {weight.source} can't be read: {exc.strerror}.", file=str(file)
        ) from exc
    if digest.sha256 != weight.sha256:
        raise SourceError.of(
            "weight-mismatch",
            f"The weight {weight.source} has SHA-256 {digest.sha256}, "
            f"the manifest says {weight.sha256}.",
            file=str(file),
            hint="Correct `sha256` if the new file is the one you mean.",
        )
    return Found(weight.to, str(file), stamp, executable=False)
