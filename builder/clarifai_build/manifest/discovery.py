"""Finds the manifests that a command line means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from clarifai_build.errors import UsageError
from clarifai_build.manifest.types import FILE_NAME

# What package managers and builds fill: no manifest in there is the user's own.
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "dist", "build"})


def find_manifests(paths: Iterable[Path]) -> list[Path]:
    """Return the files as they are, and for each folder the manifests in it, sorted.

    A path that is not there and has wildcards (`*`, `?`, `[…]`, `**`) stands for what it matches.
    """
    found: dict[Path, None] = {}
    for path in paths:
        manifests = [manifest for match in _matches(path) for manifest in _at(match)]
        if not manifests:
            raise UsageError.of(
                "no-manifest",
                f"no {FILE_NAME} at '{path}'",
                hint="name a manifest or its folder; `clarifai-build init` writes one",
            )
        found.update(dict.fromkeys(manifests))
    return list(found)


def is_manifest(name: str) -> bool:
    """Return whether a file of this name is taken for a manifest when a folder is searched."""
    return name == FILE_NAME or name.endswith(f".{FILE_NAME}")


def _refuse(exc: OSError) -> None:
    """Raise instead of skipping: `--prune` would destroy the models of manifests not seen."""
    raise UsageError.of(
        "unreadable-file",
        f"the folder {exc.filename} can't be searched for manifests: {exc.strerror}",
        hint="fix its permissions, or name the manifests",
    ) from exc


def _matches(path: Path) -> list[Path]:
    # Unlike Path.exists, this is False without access, too: the error comes when it is read.
    # A path that exists is no pattern: a folder may be called `[old]`.
    if os.path.exists(path) or not glob.has_magic(str(path)):  # noqa: PTH110 - as said
        return [path]
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - `path` may be absolute
    return [Path(match) for match in sorted(matches)]


def _at(path: Path) -> list[Path]:
    return list(_in_folder(path)) if os.path.isdir(path) else [path]  # noqa: PTH112 - as above


def _in_folder(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED and not name.startswith(".")
        )
        yield from (Path(parent, name) for name in sorted(files) if is_manifest(name))
