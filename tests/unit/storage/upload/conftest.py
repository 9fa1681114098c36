"""Artifacts for uploads: the smallest that travel in parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import make_tree
from clarifai_build.digests.files import CHUNK
from support.trees import manifest_of, write_files


@pytest.fixture(scope="session")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of a chunk and a bit, which takes no room on the disk."""
    code = write_files(tmp_path_factory.mktemp("large"), {"a.txt": b"a"})
    with (code / "w.bin").open("wb") as file:
        file.seek(CHUNK + 777)
        file.write(b"end")
    return code


@pytest.fixture(scope="session")
def large(large_folder: Path) -> Artifact:
    """An artifact of two parts: up to the end of the chunk, and the rest."""
    return Artifact(make_tree({}, manifest_of(large_folder)))
