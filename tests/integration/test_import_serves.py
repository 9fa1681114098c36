"""What is imported from clarifai 9.x and 10.x builds, deploys and predicts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool
from support.sandbox_client import Api, text

CONFIG = """
name: "{name}"
max_batch_size: 4
input {{ name: "text" data_type: TYPE_STRING dims: 1 }}
output {{ name: "text" data_type: TYPE_STRING dims: 1 }}
instance_group {{ count: 1 kind: KIND_GPU }}
dynamic_batching {{ max_queue_delay_microseconds: 500 }}
backend: "python"
"""

SEED = """
from clarifai.models.model_serving.model_config import ModelTypes, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
  @config.inference.wrap_func
  def get_predictions(self, input_data: list, **kwargs) -> list:
    return [config.inference.return_type(predicted_text=x.upper()) for x in input_data]
"""

SEED_MODEL = (
    "from clarifai.models.model_serving.models import output\n\nclass TritonPythonModel: ...\n"
)

GENERATION_2 = """
from clarifai.models.model_serving.model_config import TextToText
from clarifai.models.model_serving.model_config.output import TextOutput


class InferenceModel(TextToText):
  def predict(self, input_data, inference_parameters):
    return [TextOutput(predicted_text=x.upper()) for x in input_data]
"""


def seed_repository(folder: Path, name: str) -> None:
    """Write a repository as clarifai 9.11 makes them."""
    (folder / "1").mkdir()
    (folder / "config.pbtxt").write_text(CONFIG.format(name=name))
    (folder / "requirements.txt").write_text("clarifai>9.10.4\ntritonclient[all]")
    (folder / "1" / "__init__.py").touch()
    (folder / "1" / "inference.py").write_text(SEED)
    (folder / "1" / "model.py").write_text(SEED_MODEL)


def generation_2_folder(folder: Path, name: str) -> None:
    """Write a folder as clarifai 10.x wants them."""
    (folder / "clarifai_config.yaml").write_text(
        f"clarifai_model:\n  type: text-to-text\n  clarifai_model_id: {name}\n"
        "serving_backend:\n  triton:\n    max_batch_size: 4\n"
    )
    (folder / "inference.py").write_text(GENERATION_2)
    (folder / "requirements.txt").write_text("clarifai>=10.1\n")


@pytest.mark.parametrize("write", [seed_repository, generation_2_folder])
def test_an_imported_model_predicts(
    tool: Tool, sandbox: Endpoints, tmp_path: Path, write: Callable[[Path, str], None]
) -> None:
    """Import, apply into the sandbox, predict: nothing in between is edited."""
    name = f"imported-{uuid.uuid4().hex[:8]}"
    write(tmp_path, name)
    imported = tool("import", tmp_path)
    assert imported.returncode == 0, imported.stderr
    assert "requirements.txt: clarifai" in imported.stderr
    applied = tool("apply", tmp_path / "clarifai.yaml", "--sandbox")
    assert applied.returncode == 0, applied.stderr
    answer = Api(sandbox).predict(name, text("hello"))
    assert answer.outputs[0].data.text.raw == "HELLO"
