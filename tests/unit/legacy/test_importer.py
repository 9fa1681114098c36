"""Manifests from what clarifai 9.x and 10.x left, and notes on what could not be carried over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.errors import ManifestError, UsageError
from clarifai_build.legacy import commands
from clarifai_build.legacy.importer import import_folder
from clarifai_build.legacy.sdk_files import params
from clarifai_build.manifest import yaml_writer
from clarifai_build.manifest.document import parse
from clarifai_build.manifest.schema import matches
from clarifai_build.scaffold import id_from, write_missing
from clarifai_build.validation.load import load
from support.manifests import manifests

CONFIG = """
name: "my_detector"
max_batch_size: 16
input { name: "image" data_type: TYPE_UINT8 dims: 480 dims: 640 dims: 3 }
output { name: "predicted_bboxes" data_type: TYPE_FP32 dims: -1 dims: 4 }
output { name: "predicted_labels" data_type: TYPE_INT32 dims: -1 dims: 1
  label_filename: "names.txt" }
output { name: "predicted_scores" data_type: TYPE_FP32 dims: -1 dims: 1 }
instance_group { count: 2 kind: KIND_GPU }
dynamic_batching { max_queue_delay_microseconds: 500 preferred_batch_size: [4, 8] }
parameters { key: "threads" value { string_value: "4" } }
model_warmup { name: "zeros" batch_size: 1 }
backend: "python"
"""
DECORATED = """
from clarifai.models.model_serving.models.model_types import visual_detector

class InferenceModel:
  @visual_detector
  def get_predictions(self, input_data): ...
"""
PARAMETERS = [
    {"path": "threshold", "field_type": 3, "default_value": 0.5, "description": "Lowest."},
    {"path": "_key", "field_type": 21, "default_value": "hush", "description": ""},
    {"path": "mode", "field_type": 2, "default_value": "", "description": ""},
    {"path": "strict", "field_type": 1},
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Triton repository with edited shapes, batch sizes and parameters."""
    version = tmp_path / "1"
    version.mkdir()
    (tmp_path / "config.pbtxt").write_text(CONFIG)
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    (tmp_path / "requirements.txt").write_text("clarifai>9.10.4\nclarifai-grpc\nnumpy\n")
    (tmp_path / "inference_parameters.json").write_text(json.dumps(PARAMETERS))
    (version / "inference.py").write_text(DECORATED)
    (version / "model.py").write_text("import clarifai.models\n")
    (version / "test.py").write_text("from clarifai.models import x\n")
    return tmp_path


def test_what_a_repository_says_is_carried_over(repository: Path) -> None:
    """Type from the decorator, edited shapes and sizes, labels, parameters with their types."""
    imported = import_folder(repository)
    assert imported.manifest == {
        "version": 1,
        "model": {"id": "my_detector", "type": "visual-detector", "labels": "names.txt"},
        "code": {
            "path": "1",
            "requirements": "requirements.serving.txt",
            "exclude": ["/model.py", "/test.py"],
        },
        "shapes": {"image": [480, 640]},
        "triton": {
            "max_batch_size": 16,
            "dynamic_batching": {
                "max_queue_delay_microseconds": 500,
                "preferred_batch_size": [4, 8],
            },
            "instance_group": {"count": 2, "kind": "auto"},
            "parameters": {"threads": "4"},
        },
        "params": [
            {"name": "threshold", "type": "number", "default": 0.5, "description": "Lowest."},
            {"name": "_key", "type": "secret"},
            {"name": "mode", "type": "string", "default": ""},
            {"name": "strict", "type": "boolean"},
        ],
    }
    assert imported.files == {"requirements.serving.txt": "clarifai-grpc\nnumpy\n"}
    told = "\n".join(imported.notes)
    for lost in ("clarifai>9.10.4", "model.py", "test.py", "KIND_GPU", "_key", "model_warmup"):
        assert lost in told
    assert "hush" not in told


def test_an_imported_manifest_loads(repository: Path) -> None:
    """What is written is a manifest without problems, and nothing of the user's was changed."""
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    write_missing(repository, import_folder(repository).all_files())
    manifest = load(repository, {})
    assert manifest.code.path == repository / "1"
    assert manifest.triton.max_batch_size == 16
    assert {path: path.read_bytes() for path in before} == before


def test_the_type_shows_in_tensors_where_the_code_is_silent(repository: Path) -> None:
    """config.pbtxt alone tells most types; where it does not, the user has to."""
    (repository / "1" / "inference.py").write_text("class InferenceModel: ...\n")
    assert import_folder(repository).manifest["model"]["type"] == "visual-detector"
    (repository / "config.pbtxt").write_text('name: "x" backend: "python"')
    with pytest.raises(UsageError) as caught:
        import_folder(repository)
    assert caught.value.problems[0].code == "type-missing"
    assert import_folder(repository, "text-to-text").manifest["model"]["type"] == "text-to-text"


def test_a_model_of_ones_own_is_kept(repository: Path) -> None:
    """Only what the SDK generated stays behind."""
    (repository / "1" / "model.py").write_text("class TritonPythonModel: ...\n")
    assert import_folder(repository).manifest["code"]["exclude"] == ["/test.py"]


def test_a_broken_config_is_a_problem(repository: Path) -> None:
    """Not a traceback."""
    (repository / "config.pbtxt").write_text("input {")
    with pytest.raises(ManifestError) as caught:
        import_folder(repository)
    assert caught.value.problems[0].code == "config-pbtxt"


def test_generation_2_is_carried_over(tmp_path: Path) -> None:
    """Ids, labels in place, account, shapes; unknown keys and a malformed account are told."""
    (tmp_path / "inference.py").write_text("class InferenceModel(VisualDetector): ...\n")
    (tmp_path / "clarifai_config.yaml").write_text(
        "clarifai_model:\n  type: visual-detector\n  clarifai_model_id: my model\n"
        "  clarifai_user_app_id: me/app\n  labels: [a, 1]\n"
        "serving_backend:\n  triton: {max_batch_size: 2, image_shape: [64, 64]}\n  docker: {}\n"
    )
    imported = import_folder(tmp_path)
    assert imported.manifest["model"] == {
        "id": "my-model",
        "type": "visual-detector",
        "labels": ["a", "1"],
    }
    assert imported.manifest["clarifai"] == {"user_id": "me", "app_id": "app"}
    assert imported.manifest["shapes"] == {"image": [64, 64]}
    assert any("serving_backend.docker" in note for note in imported.notes)
    assert any("'my model'" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("{clarifai_model: {type: text-to-text}, serving_backend: 3}", "serving_backend"),
        ("clarifai_model: {type: visual-classifier, labels: 5}", "labels: 5"),
        ("clarifai_model: {type: text-to-text, inference_parameters: 5}", "parameters: 5"),
        ("clarifai_model: {type: [a]}", "no model type"),
        ("- 1", "no model type"),
    ],
)
def test_what_has_another_form_is_told(tmp_path: Path, config: str, told: str) -> None:
    """A note where the rest can be carried over, a problem where it can't."""
    (tmp_path / "clarifai_config.yaml").write_text(config)
    try:
        said = " ".join(import_folder(tmp_path).notes)
    except ManifestError as error:
        said = str(error)
    assert told in said


def test_requirements_in_another_encoding_are_a_problem(repository: Path) -> None:
    """The file is named, with the way out."""
    (repository / "requirements.txt").write_bytes("# caf\xe9\nnumpy\n".encode("latin-1"))
    with pytest.raises(ManifestError) as caught:
        import_folder(repository)
    assert caught.value.problems[0].code == "not-utf8"


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "a", "field_type": 99, "default_value": 1},
        {"field_type": 3},
        {"path": "a", "field_type": [1]},
        {"path": "a", "field_type": {}},
        {"path": "a", "field_type": 3, "default_value": True},
        {"path": "a", "field_type": 3, "default_value": "0.5"},
        {"path": "a", "field_type": 1, "default_value": "yes"},
        "text",
    ],
)
def test_parameters_that_can_not_be_are_told(entry: Any) -> None:
    """Unknown types and defaults of another type are left out, never guessed at."""
    notes: list[str] = []
    assert all("default" not in param for param in params([entry], notes))
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://x.s3.amazonaws.com/a/yolo_visual-detector.zip", ("yolo", "visual-detector")),
        (
            "https://x/my_model_v1.2_text-to-text.zip?X-Amz=1&b=/c.zip",
            ("my_model_v1.2", "text-to-text"),
        ),
        ("https://x/caf%C3%A9_text-embedder.zip#top", ("café", "text-embedder")),
        ("https://x/model.zip", ("", "")),
        ("https://x/", ("", "")),
    ],
)
def test_names_are_read_from_the_last_part_of_a_path(url: str, names: tuple[str, str]) -> None:
    """Dots, queries and escapes do not mislead."""
    assert commands.names_in(url) == names


@given(st.text())
def test_any_folder_name_gives_an_id(name: str) -> None:
    """The id is one that Clarifai takes."""
    assert matches("id", id_from(name))


@given(manifests())
def test_yaml_text_reads_back_the_same(data: Any) -> None:
    """What is written for people is read as what was meant."""
    assert parse("\n".join(yaml_writer.block(data))).data == data


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_scalars_read_back_the_same(text: str) -> None:
    """Quotes stand wherever plain text would be something else."""
    assert parse(f"key: {yaml_writer.scalar(text)}").data == {"key": text}
