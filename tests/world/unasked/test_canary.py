"""A model that loads and answers nothing: in the real sandbox, through the real API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool

MODEL = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        {body}
"""
ANSWERS = "return [TextOutput(predicted_text=text[::-1]) for text in input_data]"
FAILS = "raise ValueError('no vocabulary was loaded')"
ASKS = "assert input_data == ['from the manifest'], input_data; return [TextOutput('')]"


def write(folder: Path, body: str, more: str = "") -> None:
    """Write a model whose predictions do this."""
    (folder / "inference.py").write_text(MODEL.format(body=body))
    manifest = f"model: {{id: {folder.name}, type: text-to-text}}\n{more}"
    (folder / "clarifai.yaml").write_text(manifest)


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder for a model of the test's own."""
    folder = tmp_path / f"canary-{request.node.name.replace('_', '-')[5:30].strip('-')}"
    folder.mkdir()
    return folder


def health(tool: Tool, folder: Path) -> tuple[str, str]:
    """Return what `status` says of the model: its health, and why."""
    done = tool("status", "--sandbox", "-o", "json", cwd=folder)
    (model,) = json.loads(done.stdout)["models"]
    return model["health"], " ".join(one["message"] for one in model["conditions"])


def test_a_model_that_only_raises_is_degraded(tool: Tool, folder: Path) -> None:
    """apply fails with its words, status keeps them, and the next version is well."""
    write(folder, FAILS)
    failed = tool("apply", "--sandbox", cwd=folder)
    assert failed.returncode == 1
    assert "canary-failed" in failed.stderr
    assert "no vocabulary was loaded" in failed.stderr
    state, why = health(tool, folder)
    assert state == "Degraded"
    assert "no vocabulary was loaded" in why
    again = tool("apply", "--sandbox", cwd=folder)
    assert again.returncode == 1
    write(folder, ANSWERS)
    assert tool("apply", "--sandbox", cwd=folder).returncode == 0
    assert health(tool, folder) == ("Healthy", "")


def test_one_that_was_not_waited_for_is_asked_by_status(
    tool: Tool, sandbox: Endpoints, folder: Path
) -> None:
    """Nobody has heard it, so nobody calls it healthy before."""
    write(folder, FAILS)
    assert tool("apply", "--sandbox", "--no-wait", cwd=folder).returncode == 0
    while (found := health(tool, folder))[0] == "Progressing":
        pass
    assert found[0] == "Degraded"
    assert "no vocabulary was loaded" in found[1]


def test_inputs_and_required_parameters_are_the_manifests(tool: Tool, folder: Path) -> None:
    """Without a value for the parameter nobody can ask, which is a warning."""
    asks = "params: [{name: token, type: secret}]\n"
    write(folder, ASKS, asks + "test: {inputs: [{text: from the manifest}]}\n")
    unasked = tool("apply", "--sandbox", "--json", cwd=folder)
    assert unasked.returncode == 0
    assert health(tool, folder)[0] == "Unknown"
    asked = tool("apply", "--sandbox", cwd=folder, CLARIFAI_BUILD_PARAM_token="s3cr3t")
    assert asked.returncode == 0
    assert health(tool, folder) == ("Healthy", "")
