"""The records beside a zip on disk: what they are called, and which were written by a build."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.problem import ArtifactError

PROVENANCE, SBOM = SUFFIXES = (".provenance.json", ".sbom.json")
"""What follows the name of the zip."""

STATEMENT = "https://in-toto.io/Statement/v1"
BUILD_TYPE = "urn:clarifai-build:zip:1"

_BEGINNING = 4096


def is_statement(file: str | Path) -> bool:
    """Tell a statement of ours by its beginning: its keys are sorted, and its types come first."""
    try:
        with Path(file).open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    except OSError:
        return False
    return all(f'"{mark}"'.encode() in beginning for mark in (STATEMENT, BUILD_TYPE))


def refuse_foreign(target: Path) -> None:
    """Raise ArtifactError where what lies in the place of a zip's records was written by others.

    An SBOM is a build's where the provenance beside it is.
    """
    if is_statement(f"{target}{PROVENANCE}"):
        return
    for suffix in SUFFIXES:
        place = target.with_name(target.name + suffix)
        if place.exists() or place.is_symlink():
            raise ArtifactError.of(
                "output-target",
                f"{place} is there already, and no build wrote it",
                file=str(place),
                hint="move it, or name another zip",
            )
