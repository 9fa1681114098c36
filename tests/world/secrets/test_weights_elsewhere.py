"""A manifest can't say of files outside its folder that they hold no secret."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clarifai_build.building import build
from clarifai_build.errors import SourceError
from clarifai_build.validation.load import load
from support.light_platform import INFERENCE
from support.trees import write_files

SECRET = b'{"token": "ghp_' + b"a1B2" * 9 + b'"}'
MANIFEST = """
model: {{id: m, type: text-to-text}}
code: {{allow_secrets: [w.json]}}
weights: [{{to: w.json, from: "{source}", sha256: {sha256}}}]
"""


def built(folder: Path, source: str) -> None:
    """Build a model with this weight."""
    sha256 = hashlib.sha256(SECRET).hexdigest()
    manifest = MANIFEST.format(source=source, sha256=sha256).encode()
    write_files(folder, {"clarifai.yaml": manifest, "inference.py": INFERENCE.encode()})
    build(load(folder, {}, offline=True))


@pytest.mark.parametrize("way", ["absolute", "above"])
def test_a_file_elsewhere_is_not_the_manifests_to_allow(tmp_path: Path, way: str) -> None:
    """By whatever path it is reached; the way out is told."""
    outside, folder = tmp_path / "home.json", tmp_path / "model"
    outside.write_bytes(SECRET)
    folder.mkdir()
    source = {"absolute": str(outside), "above": "../home.json"}[way]
    with pytest.raises(SourceError) as caught:
        built(folder, source)
    assert "secret" in [problem.code for problem in caught.value.problems]
    assert "copy it into the manifest's folder" in str([p.hint for p in caught.value.problems])


def test_a_file_of_its_own_folder_is(tmp_path: Path) -> None:
    """It lies in the repository, for whoever reviews it."""
    (tmp_path / "mine.json").write_bytes(SECRET)
    built(tmp_path, "mine.json")
