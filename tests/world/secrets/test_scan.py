"""What people leave in repositories is refused; what only looks like it goes in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.artifact.tree import make_tree
from clarifai_build.errors import SourceError
from support.planted_secrets import BY_CONTENT, BY_NAME, INNOCENT, LEFT_OUT, as_bytes
from support.token_samples import HEX
from support.trees import GENERATED, manifest_of, write_files


def refused(folder: Path) -> set[str]:
    """Return the files that a build refuses as secrets, by their paths in the folder."""
    with pytest.raises(SourceError) as caught:
        make_tree(GENERATED, manifest_of(folder))
    assert {problem.code for problem in caught.value.problems} == {"secret"}
    return {
        Path(problem.file or "").relative_to(folder).as_posix() for problem in caught.value.problems
    }


def test_planted_secrets_are_refused_by_content(tmp_path: Path) -> None:
    """Each of them, in code, settings, scripts, notebooks and other encodings."""
    assert len(BY_CONTENT) > 60
    write_files(tmp_path, as_bytes(BY_CONTENT))
    assert sorted(set(BY_CONTENT) - refused(tmp_path)) == []


def test_planted_secrets_are_refused_by_name(tmp_path: Path) -> None:
    """Though they are empty, in any folder and in any case."""
    assert len(BY_NAME) > 50
    write_files(tmp_path, dict.fromkeys(BY_NAME, b""))
    assert sorted(set(BY_NAME) - refused(tmp_path)) == []


def test_credentials_of_a_home_folder_stay_out(tmp_path: Path) -> None:
    """Nobody has to be told."""
    write_files(tmp_path, dict.fromkeys((*LEFT_OUT, "keep.py"), b""))
    paths = {entry.path for entry in make_tree(GENERATED, manifest_of(tmp_path)).entries}
    assert paths - set(GENERATED) == {"1/keep.py"}


def test_innocent_files_go_in(tmp_path: Path) -> None:
    """Code, tokenizers, READMEs with placeholders, public certificates, fixtures, notebooks."""
    write_files(tmp_path, as_bytes(INNOCENT))
    paths = {entry.path for entry in make_tree(GENERATED, manifest_of(tmp_path)).entries}
    assert paths >= {f"1/{name}" for name in INNOCENT}


def test_a_notebook_with_pictures_is_looked_into(tmp_path: Path) -> None:
    """It is larger than code ever is."""
    picture = {"image/png": "iVBORw0KGgo" * 200_000}
    cell = {"source": [f'os.environ["CLARIFAI_PAT"] = "{HEX}"\\n'], "outputs": [{"data": picture}]}
    write_files(tmp_path, {"a.ipynb": json.dumps({"cells": [cell]}).encode()})
    assert refused(tmp_path) == {"a.ipynb"}
