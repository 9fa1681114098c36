"""`clarifai-build test`: the model's own tests in its environment, and through a real Triton."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clarifai_build.model_tests import NoPythonError, make_environment
from clarifai_build.model_types import MODEL_TYPES

OF_THE_USER = """
    def test_mine(self):
        (output,) = self.predict(["two words"])
        assert output.predicted_text == "TWO WORDS"
"""
INFERENCE = """
from clarifai_runtime import get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data):
        {body}
"""
RETURNING = "return [config.inference.return_type(text.upper()) for text in input_data]"
STREAMING = "yield from input_data[0].upper().partition(' ')"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `clarifai-build` in a folder."""
    command = [sys.executable, "-m", "clarifai_build", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def model(folder: Path, body: str, triton: str = "{}", target: str = "triton") -> Path:
    """Write a model with a test of the user's own."""
    template = Path(__file__).parents[2] / "cookiecutter-template" / "{{cookiecutter.model_name}}"
    (folder / "inference.py").write_text(INFERENCE.format(body=body))
    (folder / "test.py").write_text((template / "1" / "test.py").read_text() + OF_THE_USER)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "clarifai.yaml").write_text(
        f"version: 1\ntarget: {target}\nmodel: {{id: words, type: text-to-text}}\n"
        f"code: {{python: '{version}'}}\ntriton: {triton}\n"
    )
    return folder


@pytest.mark.parametrize("options", [[], ["--triton"]], ids=["python", "triton"])
@pytest.mark.parametrize(
    ("body", "triton"),
    [(RETURNING, "{}"), (STREAMING, "{streaming: true}")],
    ids=["list", "stream"],
)
def test_predefined_and_own_tests_run(
    tmp_path: Path, body: str, triton: str, options: list[str]
) -> None:
    """Six predefined tests and one of the user's, with and without a server, streamed or not."""
    done = run(model(tmp_path, body, triton), "test", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


@pytest.mark.parametrize("options", [[], ["--triton"]], ids=["python", "triton"])
def test_failures_are_failures(tmp_path: Path, options: list[str]) -> None:
    """A model that answers too little exits with 1, and the report says why."""
    done = run(model(tmp_path, "return []"), "test", *options)
    assert done.returncode == 1
    assert "0 outputs for 1 items" in done.stdout
    assert "see above" in done.stderr


@pytest.mark.parametrize("options", [[], ["--runner"]], ids=["python", "server"])
@pytest.mark.parametrize(
    ("body", "triton"),
    [(RETURNING, "{max_batch_size: 4}"), (STREAMING, "{streaming: true}")],
    ids=["list", "stream"],
)
def test_the_same_tests_run_on_the_path_of_a_runner(
    tmp_path: Path, body: str, triton: str, options: list[str]
) -> None:
    """In this process, and through Clarifai's own server, which loads the rendered model.py."""
    done = run(model(tmp_path, body, triton, "runner"), "test", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


@pytest.mark.parametrize("options", [[], ["--runner"]], ids=["python", "server"])
def test_failures_of_a_runner_are_failures(tmp_path: Path, options: list[str]) -> None:
    done = run(model(tmp_path, "return []", target="runner"), "test", *options)
    assert done.returncode == 1
    assert "0 outputs for 1 items" in done.stdout


@pytest.mark.parametrize(("target", "option"), [("triton", "--runner"), ("runner", "--triton")])
def test_a_server_of_the_other_target_is_refused(tmp_path: Path, target: str, option: str) -> None:
    done = run(model(tmp_path, RETURNING, target=target), "test", option)
    assert done.returncode == 64
    assert f"{option}: the manifest has target {target}" in done.stderr


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_every_starter_passes_in_the_runners_server(tmp_path: Path, model_type: str) -> None:
    """What `init` writes passes its tests there, too, for one word changed."""
    started = run(tmp_path, "init", "m", "--type", model_type, "--bucket", "my-bucket")
    assert started.returncode == 0, started.stderr
    manifest = tmp_path / "m" / "clarifai.yaml"
    moved = manifest.read_text().replace("version: 1\n", "version: 1\ntarget: runner\n")
    manifest.write_text(moved)
    done = run(tmp_path / "m", "test", "--runner")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_every_starter_passes_in_triton(tmp_path: Path, model_type: str) -> None:
    """What `init` writes passes its tests through a real server as it is."""
    started = run(tmp_path, "init", "m", "--type", model_type, "--bucket", "my-bucket")
    assert started.returncode == 0, started.stderr
    done = run(tmp_path / "m", "test", "--triton")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_a_python_that_is_not_here_is_named(tmp_path: Path) -> None:
    """A model may ask for a Python that this machine lacks."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy\n")
    with pytest.raises(NoPythonError, match=r"Python 3\.99"):
        make_environment(requirements, "3.99")
