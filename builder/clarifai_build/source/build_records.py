"""The records beside a zip on disk: what they are called, and which were written by a build."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from clarifai_build.errors import ArtifactError
from clarifai_build.util.small_files import MIB, parse_json, read_start

PROVENANCE, SBOM = SUFFIXES = (".provenance.json", ".sbom.json")
"""What follows the name of the zip."""

OUTPUT_FOLDER = "dist"
"""Where builds go that are told nowhere else, beside the manifest."""

STATEMENT = "https://in-toto.io/Statement/v1"
BUILD_TYPE = "urn:clarifai-build:zip:1"

REPLACED = (
    "something replaced it: restore it from an older version of the object; the next change that "
    "is applied has records of its own"
)
"""The way out of one that is published and is not what was written."""

MAX_BYTES = 64 * MIB
"""Of a record: a provenance names what an artifact was made from."""

# Bytes. Both marks stand in the first few hundred: the manifest comes after `buildType`.
_BEGINNING = 4096


def is_statement(file: str | Path) -> bool:
    """Return whether a build wrote a file: its keys are sorted, and its types come first."""
    beginning = beginning_of(file, _BEGINNING)
    return all(f'"{mark}"'.encode() in beginning for mark in (STATEMENT, BUILD_TYPE))


def check_existing_records(target: Path) -> None:
    """Raise ArtifactError where a file that no build wrote lies in the place of a zip's records."""
    provenance, sbom = (Path(f"{target}{suffix}") for suffix in SUFFIXES)
    # lexists: a link that leads nowhere would be overwritten, too.
    if os.path.lexists(provenance) and not is_statement(provenance):
        raise _foreign(provenance)
    if os.path.lexists(sbom) and not _is_byproduct(sbom, provenance):
        raise _foreign(sbom)


def _is_byproduct(sbom: Path, provenance: Path) -> bool:
    """Return whether a provenance that a build wrote names this SBOM."""
    import hashlib

    try:
        made = parse_json(beginning_of(provenance))["predicate"]["runDetails"]["byproducts"]
        digests = {one["digest"]["sha256"] for one in made if one["name"] == "sbom"}
    except (ValueError, KeyError, TypeError):
        return False
    return hashlib.sha256(beginning_of(sbom)).hexdigest() in digests


def beginning_of(file: str | Path, length: int = MAX_BYTES) -> bytes:
    """Return how a regular file begins; nothing of what can't be read, or might never end."""
    with suppress(OSError):
        return read_start(file, length)
    return b""


def _foreign(place: Path) -> ArtifactError:
    return ArtifactError.of(
        "output-target",
        f"{place} is there already, and no build wrote it",
        file=str(place),
        hint="move it, or name another zip",
    )
