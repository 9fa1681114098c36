"""The examples as files: one a model type, valid, pinned, and their shared modules the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from clarifai_build.validation.load import load
from clarifai_runtime import MODEL_TYPES

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MANIFESTS = sorted(EXAMPLES.glob("*/clarifai.yaml"))

each_manifest = pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)


def test_there_is_one_a_model_type() -> None:
    """Each model type has a folder of its name."""
    assert {path.parent.name for path in MANIFESTS} == set(MODEL_TYPES)


@each_manifest
def test_manifest_is_valid_as_it_is(path: Path) -> None:
    """A manifest needs nothing of the environment, and is of the type its folder is named for."""
    assert load(path, {}).model.type == path.parent.name


@each_manifest
def test_requirements_are_pinned(path: Path) -> None:
    """Every requirement names one version."""
    lines = (path.parent / "requirements.txt").read_text(encoding="utf-8").split()
    assert lines
    assert all(str(Requirement(line).specifier).startswith("==") for line in lines)


@each_manifest
def test_readme_asks_the_model_by_its_id(path: Path) -> None:
    """What a README tells to type names the manifest's model and files that exist."""
    text = (path.parent / "README.md").read_text(encoding="utf-8")
    commands = [line.split() for line in text.splitlines() if "examples/client.py" in line]
    assert commands
    for words in commands:
        assert words[words.index("examples/client.py") + 1] == load(path, {}).model.id
        files = [word for word in words if word.startswith("examples/")]
        assert all((EXAMPLES.parent / file).is_file() for file in files)


@pytest.mark.parametrize("name", ["dbnet.py", "reader.py", "minilm.py"])
def test_shared_modules_are_the_same(name: str) -> None:
    """A module that several examples carry is one and the same text."""
    copies = {path.read_text(encoding="utf-8") for path in EXAMPLES.glob(f"*/{name}")}
    assert len(copies) == 1
