"""Folders of files, and the manifests over them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clarifai_build.artifact.absent import Absent
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree
from clarifai_build.digests import files as digests
from clarifai_build.errors import Problem
from clarifai_build.manifest.types import Code, Manifest, Model, Triton, Weight

GENERATED = {"config.pbtxt": b"name: 'm'\n", "1/model.py": b"# generated\n"}


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder, and return it."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def manifest_of(folder: Path, weights: tuple[Weight, ...] = (), **code: Any) -> Manifest:
    """Return a manifest at the top of a folder."""
    return Manifest(
        path=folder / "clarifai.yaml",
        model=Model("m", "text-to-text"),
        code=Code(folder, **code),
        triton=Triton(1, ragged=False),
        weights=weights,
    )


def weight_of(to: str, source: str, content: bytes) -> Weight:
    """Return a weight pinned to a content."""
    return Weight(to, source, hashlib.sha256(content).hexdigest())


def entry_of(path: str, content: bytes, mode: int = 0o644) -> Entry:
    """Return an entry whose content is in memory."""
    digest = digests.of_bytes(content)
    return Entry(path, mode, len(content), digest.sha256, digest.chunks, content)


def without_content(artifact: Artifact, *paths: str, sums: bool = True) -> Artifact:
    """Return an artifact as a machine has it on which these files, or all, are not; without `sums`,
    their CRC-32s are not known either."""

    def absent(entry: Entry) -> Entry:
        problem = Problem("content-absent", f"{entry.path} is not on this machine", file=entry.path)
        source = Absent(entry.sha256, entry.size, problem)
        return entry._replace(source=source, chunks=entry.chunks if sums else (), stamp=None)

    entries = artifact.tree.entries
    return Artifact(
        FileTree(tuple(absent(e) if e.path in paths or not paths else e for e in entries))
    )


def artifact_of(files: Mapping[str, bytes]) -> Artifact:
    """Return an artifact whose content is in memory."""
    return Artifact(FileTree.of(entry_of(path, content) for path, content in files.items()))
