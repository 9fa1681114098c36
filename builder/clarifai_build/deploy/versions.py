"""The versions of a model that this tool made, and the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from clarifai_build.errors import UsageError
from clarifai_build.manifest.types import Manifest, Storage
from clarifai_build.registry import RemoteVersion
from clarifai_build.storage.keys import artifact_key

LIVE = "live"
_REVISION = re.compile(r"v(\d+)")
# Fewer digits would often mean several versions.
_DIGITS = re.compile(r"[0-9a-f]{6,}")


def built(versions: Iterable[RemoteVersion]) -> tuple[RemoteVersion, ...]:
    """Return the versions whose artifacts this tool built, in their order."""
    return tuple(version for version in versions if version.has_artifact)


def label(version: RemoteVersion) -> str:
    """Return the short name of a version: `v3`, or its id where this tool did not make it."""
    return f"v{version.revision}" if version.revision else version.id


def is_version_name(name: str) -> bool:
    """Return whether a name can only mean a version: `live` or `v3`."""
    return name == LIVE or bool(_REVISION.fullmatch(name))


def find(versions: Sequence[RemoteVersion], name: str, model: str) -> RemoteVersion:
    """Return the version that a name means, of those that this tool built, newest first.

    A name is `live`, `v3`, the version's id, or how its id or its artifact's digest begins.
    """
    known = built(versions)
    found = [version for version in known if _is_called(version, name)]
    if name == LIVE:
        found = list(known[:1])
    if len(found) == 1:
        return found[0]
    there = ", ".join(label(version) for version in known) or "none of ours"
    if found:
        matches = ", ".join(version.id for version in found)
        raise UsageError.of(
            "version-ambiguous", f"'{name}' means several versions of '{model}': {matches}"
        )
    raise UsageError.of(
        "no-such-version",
        f"model '{model}' has no version '{name}'; there are: {there}",
        hint="`clarifai-build versions` lists them",
    )


def key_of(version: RemoteVersion, manifest: Manifest, storage: Storage) -> str:
    """Return where the zip of a version lies in the bucket."""
    model = manifest.model
    target = version.recorded.target or "triton"
    return artifact_key(storage.prefix, str(version.artifact_digest), model.id, model.type, target)


def zips_of(versions: Iterable[RemoteVersion], manifest: Manifest) -> dict[str, str]:
    """Return where the zip of each artifact lies that was published, by digest, the newest first.

    Versions may share an artifact.
    """
    zips: dict[str, str] = {}
    for version in built(versions):
        zips.setdefault(
            str(version.artifact_digest), key_of(version, manifest, manifest.destination)
        )
    return zips


def _is_called(version: RemoteVersion, name: str) -> bool:
    if match := _REVISION.fullmatch(name):
        return version.revision == int(match[1])
    if name == version.id:
        return True
    begins = bool(_DIGITS.fullmatch(name))
    return begins and (version.id.startswith(name) or str(version.artifact_digest).startswith(name))
