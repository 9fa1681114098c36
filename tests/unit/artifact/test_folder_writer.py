"""A tree to a folder: all of it, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.artifact.tree import make_tree
from clarifai_build.errors import SourceError
from support.trees import GENERATED, manifest_of, write_files


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    """Its digest would not be that of what is written."""
    code = write_files(tmp_path / "code", {"inference.py": b"pass\n", "a.txt": b"one"})
    tree = make_tree(GENERATED, manifest_of(code))
    (code / "inference.py").write_bytes(b"other\n")
    with pytest.raises(SourceError, match=r"inference\.py"):
        write_folder(tree, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["code"]
