"""Rendered runner folders under the official SDK, which reads them as it does at an upload."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from clarifai_build.building import generated_files
from clarifai_build.manifest.labels import labels_of
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.targets.runner.declaration import RunnerDeclaration
from clarifai_build.validation.load import load
from support.runner_folders import GOLDEN_SIGNATURES, SIGNED, signatures_by_sdk, write_folder
from support.trees import write_files

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_signatures_are_the_sdks(tmp_path: Path) -> None:
    """Of every type, with parameters of each kind: what the goldens hold."""
    for name, manifest in SIGNED.items():
        write_folder(tmp_path / "folders" / name, manifest)
    found = signatures_by_sdk(tmp_path / "folders", tmp_path)
    assert found == json.loads(GOLDEN_SIGNATURES.read_text(encoding="utf-8"))


def test_every_example_moves_by_one_word(tmp_path: Path) -> None:
    """With `target: runner`, all nine are rendered, and the SDK reads what the platform is told."""
    declared = {}
    for model_type in MODEL_TYPES:
        folder = EXAMPLES / model_type
        moved = tmp_path / "examples" / model_type
        write_files(moved, {file.name: file.read_bytes() for file in folder.iterdir()})
        file = moved / "clarifai.yaml"
        file.write_text(f"target: runner\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
        manifest = load(file, {})
        write_files(tmp_path / "folders" / model_type, generated_files(manifest))
        declaration = RunnerDeclaration.of(manifest, labels_of(manifest))
        declared[model_type] = json.loads(json.dumps(asdict(declaration)))["signatures"]
    assert signatures_by_sdk(tmp_path / "folders", tmp_path) == declared
