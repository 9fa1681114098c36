"""The quick start of clarifai 9.11, steps 1 to 7, by its own commands, against the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool
from support.sandbox_client import Api, s3, text

SEED_INFERENCE = '''
from clarifai.models.model_serving.model_config import ModelTypes, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
  """User model inference class."""

  def __init__(self) -> None:
    self.ending = "!"

  @config.inference.wrap_func
  def get_predictions(self, input_data: list, **kwargs) -> list:
    times = int(kwargs.get("times", 1))
    answers = [text + times * self.ending for text in input_data]
    return [config.inference.return_type(predicted_text=answer) for answer in answers]
'''

PARAMETERS = [{"path": "times", "field_type": 3, "default_value": 2, "description": "How often."}]


class Scripts:
    """The old console scripts as processes, in the sandbox's environment."""

    def __init__(self, tool: Tool) -> None:
        self.environ = tool.environ

    def __call__(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name(name)), *map(str, arguments)],
            env=self.environ,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def scripts(tool: Tool) -> Scripts:
    """Run the old console scripts."""
    return Scripts(tool)


def publish(sandbox: Endpoints, archive: Path) -> str:
    """Step 5: put the archive where everyone can download it."""
    s3(sandbox).put_object(Bucket="public", Key=archive.name, Body=archive.read_bytes())
    return f"{sandbox.s3_endpoint}/public/{archive.name}"


def test_the_quick_start_from_init_to_prediction(
    scripts: Scripts, sandbox: Endpoints, tmp_path: Path
) -> None:
    """Steps 1 to 7 end in a model that predicts, and a second upload needs --update_version."""
    name = f"old-{uuid.uuid4().hex[:8]}"
    made = scripts(
        "clarifai-model-upload-init",
        *("--model_name", name, "--model_type", "text-to-text", "--repo_dir", tmp_path),
        *("--max_bs", "4"),
    )
    assert made.returncode == 0, made.stderr
    repository = tmp_path / name
    (repository / "1" / "inference.py").write_text(SEED_INFERENCE)
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "1/test.py"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0, tested.stdout

    archive = tmp_path / f"{name}_text-to-text"
    zipped = scripts(
        "clarifai-triton-zip",
        *("--triton_model_repository", repository, "--zipfile_name", archive),
    )
    assert zipped.returncode == 0, zipped.stderr
    url = publish(sandbox, archive.with_name(f"{archive.name}.zip"))

    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps(PARAMETERS))
    arguments = ("--url", url, "--desc", "Shouts.", "--infer_param", parameters)
    uploaded = scripts("clarifai-upload-model", *arguments)
    assert uploaded.returncode == 0, uploaded.stderr
    answer = Api(sandbox).predict(name, text("hello"))
    assert answer.outputs[0].data.text.raw == "hello!"

    again = scripts("clarifai-upload-model", *arguments)
    assert again.returncode == 64
    assert "model-exists" in again.stderr
    assert "--update_version" in again.stderr
    assert scripts("clarifai-upload-model", *arguments, "--update_version").returncode == 0


def test_init_again_keeps_what_the_user_wrote(scripts: Scripts, tmp_path: Path) -> None:
    """The generated config follows options that are given; inference.py stays as it is."""
    common = ("--model_name", "twice", "--model_type", "visual-embedder", "--repo_dir", tmp_path)
    assert scripts("clarifai-model-upload-init", *common).returncode == 0
    inference = tmp_path / "twice" / "1" / "inference.py"
    inference.write_text("# mine\n")
    shape = ("--image_shape", "(224, 196)")
    assert scripts("clarifai-model-upload-init", *common, *shape).returncode == 0
    assert inference.read_text() == "# mine\n"
    assert "224, 196, 3" in (tmp_path / "twice" / "config.pbtxt").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model_name", "../escape"),
        ("--model_name", "a", "--image_shape", "[0, 64]"),
        ("--model_name", "a", "--image_shape", "1025, 64"),
        ("--model_name", "a", "--max_bs", "0"),
        ("--model_name", "a", "--model_version", "2"),
    ],
)
def test_init_refuses_what_can_not_be_served(
    scripts: Scripts, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Bad names, shapes, batch sizes and versions are usage errors, and leave nothing behind."""
    common = ("--model_type", "visual-embedder", "--repo_dir", tmp_path / "repositories")
    refused = scripts("clarifai-model-upload-init", *common, *arguments)
    assert refused.returncode == 64, refused.stderr
    assert list(tmp_path.iterdir()) == []
