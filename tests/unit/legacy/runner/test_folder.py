"""A runner's folder as a manifest: what it says is carried field by field, and the rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.building import generated_files
from clarifai_build.legacy.importer import import_folder
from clarifai_build.manifest.types import Compute, Manifest
from clarifai_build.manifest.yaml_writer import block
from clarifai_build.validation.load import examine, load
from support.trees import write_files

CONFIG = """\
model:
  id: lines
  model_type_id: visual-classifier
  user_id: someone
  app_id: main
  notes: of the model
build_info: {python_version: "3.11", platform: "linux/amd64,linux/arm64", node_version: 20}
inference_compute_info:
  cpu_limit: 2
  cpu_memory: 8Gi
  cpu_requests: "1"
  num_accelerators: 1
  accelerator_type: ["NVIDIA-*"]
compute: {instance: g5.xlarge, cloud: aws}
num_threads: 8
secrets:
  - {id: search, env_var: SEARCH_KEY, type: env, value: hush-hush}
checkpoints: {type: huggingface, repo_id: org/model, when: upload, hf_token: hush-hush}
concepts:
  - {id: "0", name: cat}
  - {id: dog, name: dog}
toolkit: {provider: x}
"""
MODEL = """\
from typing import List
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Concept, Image
from clarifai.runners.utils.data_utils import Param


class Mine(ModelClass):
    def load_model(self):
        raise AssertionError("nobody runs this")

    @ModelClass.method
    def predict(
        self,
        image: Image,
        threshold: float = Param(default=0.5, description="Lowest score."),
        count: int = 3,
        words: List[str] = None,
        needed: str = Param(None),
    ) -> List[Concept]:
        return []
"""
INFERENCE = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A runner's folder as people have them."""
    files = {
        "config.yaml": CONFIG,
        "requirements.txt": "clarifai==12.5.0\nnumpy==2.2.6\n",
        "Dockerfile": "FROM x\n",
        "README.md": "# hello\n",
        "1/model.py": MODEL,
        "1/helpers.py": "",
        "1/checkpoints/w.bin": "",
    }
    return write_files(tmp_path / "lines", {name: text.encode() for name, text in files.items()})


def test_what_config_yaml_says_is_carried(folder: Path) -> None:
    """Into the section of the manifest that it belongs to."""
    assert import_folder(folder).manifest == {
        "version": 1,
        "target": "runner",
        "model": {"id": "lines", "type": "visual-classifier", "labels": ["cat", "dog"]},
        "code": {
            "path": "1",
            "requirements": "requirements.serving.txt",
            "exclude": ["/model.py", "/checkpoints/"],
        },
        "runner": {
            "python": "3.11",
            "compute": {
                "cpu_limit": 2,
                "cpu_memory": "8Gi",
                "num_accelerators": 1,
                "accelerator_type": ["NVIDIA-*"],
            },
            "num_threads": 8,
            "secrets": [{"id": "search", "env_var": "SEARCH_KEY"}],
            "checkpoints": {"type": "huggingface", "repo_id": "org/model", "when": "runtime"},
        },
        "params": [
            {
                "name": "threshold",
                "type": "number",
                "default": 0.5,
                "description": "Lowest score.",
            },
            {"name": "count", "type": "number", "default": 3},
            {"name": "needed", "type": "string"},
        ],
        "clarifai": {"user_id": "someone", "app_id": "main"},
    }


@pytest.mark.parametrize(
    "told",
    [
        "config.yaml: toolkit",
        "config.yaml: model.notes",
        "Dockerfile",
        "README.md",
        "build_info: node_version",
        "build_info.platform",
        "inference_compute_info: cpu_requests",
        "compute: cloud",
        "compute.instance 'g5.xlarge'",
        "the value of the secret 'search'",
        "checkpoints.hf_token",
        "checkpoints.when 'upload'",
        "the id '0' of concept 1",
        "1/checkpoints",
        "the argument 'words: List[str]'",
        "model.py: what its class does (predict())",
        "clarifai==12.5.0",
    ],
)
def test_what_is_not_carried_is_told(folder: Path, told: str) -> None:
    """Each by its name; no secret is among what is told."""
    imported = import_folder(folder)
    assert [note for note in imported.notes if told in note]
    assert "hush" not in "".join((*imported.notes, *imported.all_files().values()))


def written(folder: Path) -> Path:
    """Write what an import makes."""
    files = import_folder(folder).all_files()
    return write_files(folder, {name: text.encode() for name, text in files.items()})


def test_the_class_is_the_users_to_move(folder: Path) -> None:
    """The manifest says so until there is an inference.py, and then loads."""
    found = examine(written(folder), {}, offline=True).problems
    assert [problem.code for problem in found] == ["inference-missing"]
    (folder / "1" / "inference.py").write_text(INFERENCE)
    assert examine(folder, {}, offline=True).problems == ()


def test_a_folder_of_this_tools_own_comes_back(tmp_path: Path) -> None:
    """Rendered and imported, it is the same model, and nothing is said of its class."""
    text = """\
version: 1
target: runner
model: {id: m, type: text-classifier, labels: [cat, "dög"]}
runner: {python: "3.11", num_threads: 4, compute: {cpu_limit: 500m}}
params: [{name: limit, type: number, default: 2, description: How many.}]
"""
    files = {"clarifai.yaml": text.encode(), "inference.py": INFERENCE.encode()}
    first = load(write_files(tmp_path / "first", files), {})
    rendered = {**generated_files(first), "1/inference.py": INFERENCE.encode()}
    imported = import_folder(write_files(tmp_path / "m", rendered))
    assert not [note for note in imported.notes if "class" in note]
    second = load(written(tmp_path / "m"), {})
    assert second.runner is not None
    assert second.runner.compute == Compute("500m")
    for name in ("target", "runner", "params"):
        assert getattr(second, name) == getattr(first, name)
    assert (second.model.id, second.model.labels) == ("m", ("cat", "dög"))
    assert isinstance(second, Manifest)
    assert list(block(imported.manifest))
