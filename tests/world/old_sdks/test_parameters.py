"""Parameters of an imported model get their values while it is tested: a secret is in no file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from clarifai_build.cli.main import main
from support.old_sdks import MODULES, write_repository

PREFIX = "CLARIFAI_BUILD_PARAM_"
CODE = f"""
from {MODULES}.models.model_types import text_to_text
from {MODULES}.models.output import TextOutput


class InferenceModel:
  @text_to_text
  def get_predictions(self, input_data, **kwargs):
    sent = [kwargs["_token"], kwargs["top_k"], kwargs["strict"], kwargs["mode"], kwargs["warmth"]]
    assert sent == ["made up", 3, True, "", 0.5], "the values are others"
    return TextOutput(predicted_text=input_data)
"""
PARAMETERS = [
    {"path": "_token", "field_type": 21, "default_value": "", "description": ""},
    {"path": "top_k", "field_type": 3, "description": ""},
    {"path": "strict", "field_type": 1},
    {"path": "mode", "field_type": 2, "default_value": ""},
    {"path": "warmth", "field_type": 3, "default_value": 0.5},
]
GIVEN = {"_token": "made up", "top_k": "3", "strict": "true"}


def run_tests(folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    """Run an imported model's tests with values for its parameters."""
    given = {PREFIX + name: value for name, value in values.items()}
    command = [sys.executable, "-m", "clarifai_build", "test"]
    environ = {**os.environ, **given}
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def imported(folder: Path) -> Path:
    """Write and import a model of clarifai 9.10 with parameters of every type."""
    write_repository(folder, "9.10.4", "text-to-text")
    (folder / "1" / "inference.py").write_text(CODE)
    (folder / "inference_parameters.json").write_text(json.dumps(PARAMETERS))
    assert main(["import", str(folder)]) == 0
    return folder


def test_the_environment_gives_what_no_file_has(tmp_path: Path) -> None:
    """As the parameter's type, and to declared names alone; the value is not shown."""
    done = run_tests(imported(tmp_path), **GIVEN, other="not declared")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    assert "made up" not in done.stdout + done.stderr


def test_what_is_missing_is_named_with_the_way_to_give_it(tmp_path: Path) -> None:
    """One message for all of them, without the values of those that were given."""
    done = run_tests(imported(tmp_path), _token="made up")
    assert done.returncode == 1
    assert "no default: top_k (number), strict (boolean)" in done.stdout
    assert f"Set the environment variable {PREFIX}top_k, or" in done.stdout
    assert "made up" not in done.stdout + done.stderr


def test_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    """By the variable's name."""
    done = run_tests(imported(tmp_path), **{**GIVEN, "top_k": "three"})
    assert done.returncode == 1
    assert f"{PREFIX}top_k must be a number" in done.stdout
