"""Whether an imported model takes one item or a list is read from what its SDK left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.legacy.importer import Imported, import_folder
from clarifai_build.scaffold import write_missing
from clarifai_build.validation.load import examine
from support.old_sdks import ITEM_SDKS, LIST_SDKS, MODULES, types_of, write_repository

OPEN = """
class InferenceModel:
  def get_predictions(self, input_data, **kwargs):
    return self.model(input_data)
"""
DECORATED = f"from {MODULES}.models.model_types import text_to_text\n" + OPEN
ANNOTATED = OPEN.replace("input_data,", "input_data: list,")
ONE = OPEN.replace("self.model(input_data)", "config.inference.return_type(input_data)")
MANY = OPEN.replace("self.model(input_data)", "[self.model(item) for item in input_data]")
OWN_MODEL = """
import triton_python_backend_utils as pb_utils
from tritonclient.grpc.model_config_pb2 import ModelConfig
from inference import InferenceModel
import numpy as np

class TritonPythonModel: ...
"""


def imported(folder: Path, code: str, requirement: str = "numpy") -> Imported:
    """Import a repository of 9.10.4 with other code and requirements."""
    write_repository(folder, "9.10.4", "text-to-text")
    (folder / "1" / "inference.py").write_text(code)
    (folder / "requirements.txt").write_text(requirement + "\n")
    return import_folder(folder)


@pytest.mark.parametrize("sdk", ITEM_SDKS)
def test_models_of_before_9_11_are_called_with_an_item(tmp_path: Path, sdk: str) -> None:
    """The manifest says per_item for every type, and neither model.py nor test.py is taken over."""
    for model_type in types_of(sdk):
        folder = write_repository(tmp_path / model_type, sdk, model_type)
        found = import_folder(folder)
        code = found.manifest["code"]
        assert code["per_item"] is True, model_type
        left = [name for name in ("model.py", "test.py") if (folder / "1" / name).exists()]
        assert code["exclude"] == [f"/{name}" for name in left]
        write_missing(folder, found.all_files())
        assert examine(folder / "clarifai.yaml", {}, offline=True).problems == ()


@pytest.mark.parametrize("sdk", LIST_SDKS)
def test_models_of_9_11_and_later_are_called_with_a_list(tmp_path: Path, sdk: str) -> None:
    """Their manifests don't mention it."""
    for model_type in types_of(sdk):
        folder = write_repository(tmp_path / model_type, sdk, model_type)
        found = import_folder(folder)
        assert "per_item" not in found.manifest["code"], model_type
        write_missing(folder, found.all_files())
        assert examine(folder / "clarifai.yaml", {}, offline=True).problems == ()


@pytest.mark.parametrize(
    ("code", "requirement", "per_item"),
    [
        (MANY, "clarifai>9.5.3", False),  # adapted after the platform had moved on
        (ONE, "clarifai>9.10.4", True),
        (ANNOTATED, "clarifai>9.5.3", False),
        (OPEN, "clarifai>9.5.3", True),
        (OPEN, "clarifai>9.10.4", False),
        (OPEN, "clarifai==9.7.4", True),
        (OPEN, "Clarifai[all] >= 9.8, < 9.11  # for upload", True),
        (OPEN, "clarifai~=9.10.1", True),
        (OPEN, "clarifai==9.11.1", False),
        (OPEN, "clarifai>=10", False),
        (DECORATED, "clarifai>=9", True),
        (DECORATED, "clarifai>9.10.4", False),
    ],
)
def test_what_is_nearest_to_the_code_decides(
    tmp_path: Path, code: str, requirement: str, per_item: bool
) -> None:
    """What it returns, its annotations, the requirement, and last the decorator."""
    found = imported(tmp_path, code, requirement)
    assert found.manifest["code"].get("per_item", False) is per_item
    assert not any("per_item" in note for note in found.notes)


@pytest.mark.parametrize("requirement", ["numpy", "clarifai", "clarifai>=9.7", "clarifai-grpc>9"])
def test_import_says_where_nothing_tells(tmp_path: Path, requirement: str) -> None:
    """The way out is named, and stands in the manifest."""
    found = imported(tmp_path, OPEN, requirement)
    assert "per_item" not in found.manifest["code"]
    (note,) = [note for note in found.notes if "per_item" in note]
    assert "set code.per_item: true" in note
    assert note in found.all_files()["clarifai.yaml"]


def test_files_of_the_first_releases_tell(tmp_path: Path) -> None:
    """triton_conda.yaml, and a model.py without parameters, came with SDKs that gave one item."""
    (tmp_path / "triton_conda.yaml").touch()
    assert imported(tmp_path, OPEN).manifest["code"]["per_item"] is True
    other = tmp_path / "other"
    write_repository(other, "9.9.3", "text-to-text")
    (other / "requirements.txt").unlink()
    (other / "1" / "inference.py").write_text(OPEN)
    assert import_folder(other).manifest["code"]["per_item"] is True


def test_a_model_py_that_does_more_is_the_users(tmp_path: Path) -> None:
    """Only the imports of the SDK's own file are taken for it."""
    folder = write_repository(tmp_path, "9.9.3", "text-to-text")
    (folder / "1" / "model.py").write_text(OWN_MODEL)
    assert "/model.py" not in import_folder(folder).manifest["code"]["exclude"]
