"""What this tool wrote or reads is never code, of whichever model and under whatever name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.artifact.file_list import listing
from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.building import build, build_to
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock
from clarifai_build.validation.load import load
from support.light_platform import INFERENCE
from support.trees import write_files

STAGING = b"model: {id: staging, type: text-to-text}\n"
PROD = b"# of production\nmodel:\n  id: prod\n  type: text-to-text\n  description: One.\n"


@pytest.fixture
def model(tmp_path: Path) -> Manifest:
    """A model in a folder of its own."""
    files = {"clarifai.yaml": STAGING, "inference.py": INFERENCE.encode(), "other.yaml": b"a: 1\n"}
    return load(write_files(tmp_path / "model", files), {}, offline=True)


def digest(manifest: Manifest) -> str:
    """Return what an artifact is known by."""
    return build(manifest).tree.digest


def reasons(manifest: Manifest) -> dict[str, str]:
    """Return why files stay out, by their paths."""
    return {item.path: item.reason for item in listing(manifest) if item.reason}


@pytest.mark.parametrize(
    "name",
    [
        "prod.clarifai.yaml",
        "clarifai.yml",
        "sub/clarifai.yaml",
        "production.yaml",
        "deploy/prod.yml",
        "PROD.CLARIFAI.YAML",
        "production.Yml",
    ],
)
def test_a_word_in_another_manifest_is_no_change(model: Manifest, name: str) -> None:
    """By the name that manifests have, or by what it says."""
    before = digest(model)
    folder = model.path.parent
    write_files(folder, {name: PROD})
    with_another = digest(model)
    write_files(folder, {name: PROD.replace(b"One.", b"Two, from now on.")})
    assert digest(model) == with_another
    assert with_another == before
    assert reasons(model)[name] == "a manifest"


@pytest.mark.parametrize(
    "content",
    [
        b"model: {id: m, type: resnet50}\n",
        b"model: text-to-text\n",
        b"training:\n  model: {id: a, type: text-to-text}\n",
        b"models: {type: text-to-text}\n",
        b"model: [text-to-text\n",
        b"- model: 1\n- type: text-to-text\n",
    ],
)
def test_settings_of_the_codes_own_go_in(model: Manifest, content: bytes) -> None:
    """Though they speak of models, too."""
    write_files(model.path.parent, {"settings.yaml": content})
    assert "settings.yaml" not in reasons(model)


def test_a_rule_brings_a_manifest_back(model: Manifest) -> None:
    """For code that reads one."""
    write_files(model.path.parent, {"prod.yaml": PROD, ".clarifaiignore": b"!/prod.yaml\n"})
    assert "prod.yaml" not in reasons(model)


def test_locks_of_other_manifests_stay_out(model: Manifest) -> None:
    """By what is in them: other tools call their files so, too."""
    made = lock.make(model)
    folder = model.path.parent
    lock.write(made, folder / "prod.clarifai.lock")
    write_files(folder, {"poetry.lock": b"[[package]]\n", "npm.lock": b'{"digest": 1}\n'})
    assert reasons(model) == {"clarifai.yaml": "the manifest", "prod.clarifai.lock": "a lock"}


def test_artifacts_and_what_is_rendered_stay_out(model: Manifest, tmp_path: Path) -> None:
    """With records beside them or without, and wherever they were moved."""
    before = digest(model)
    folder = model.path.parent
    build_to(tmp_path / "x.zip", model)
    (folder / "old").mkdir()
    (tmp_path / "x.zip").rename(folder / "old" / "moved.zip")
    (tmp_path / "x.zip.provenance.json").rename(folder / "said.provenance.json")
    write_folder(build(model).tree, folder / "out" / "staging")
    left = reasons(model)
    assert left["old/moved.zip"] == "a built artifact"
    assert left["said.provenance.json"] == "a record of a built artifact"
    assert left["out/staging/config.pbtxt"] == "a rendered repository"
    assert left["out/staging/1/inference.py"] == "a rendered repository"
    assert digest(model) == before


def test_zips_of_the_users_go_in(model: Manifest) -> None:
    """Whole or damaged: what they are for is not ours to know."""
    folder = model.path.parent
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        archive.writestr("1/model.py", "")
        archive.writestr("config.pbtxt", "")
    write_files(folder, {"broken.zip": b"PK\x03\x04 no more", "empty.zip": b""})
    assert reasons(model) == {"clarifai.yaml": "the manifest"}


PLAN: dict[str, Any] = {
    "adopt": False,
    "errors": [],
    "format_version": "1.0",
    "id": "0" * 32,
    "models": [],
    "prune": [],
    "sandbox": True,
    "summary": {"add": 0, "change": 0, "destroy": 0},
    "tool_version": "0.1.0",
}


@pytest.mark.parametrize("indent", [2, None])
def test_saved_plans_stay_out(model: Manifest, indent: int | None) -> None:
    """Also where a rule takes all files of that kind: packed, it would be stale at once."""
    before = digest(model)
    folder = model.path.parent
    write_files(folder, {"plans/next.json": json.dumps(PLAN, indent=indent).encode()})
    assert reasons(model)["plans/next.json"] == "a saved plan"
    assert digest(model) == before
    write_files(folder, {".clarifaiignore": b"!*.json\n", "adopt.json": b'{"adopt": true}\n'})
    left = reasons(model)
    assert left["plans/next.json"] == "a saved plan"
    assert "adopt.json" not in left
