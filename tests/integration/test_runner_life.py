"""A runner in the sandbox: built, served, changed, gone back to, broken, mended, destroyed."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.sandbox.endpoints import Endpoints
from conftest import Tool
from support.sandbox_client import Api, text

INFERENCE = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text.upper() + "END") for text in input_data]
"""
MANIFEST = """\
target: runner
model: {{id: {model}, type: text-to-text}}
code: {{requirements: requirements.txt}}
runner: {{python: "3.11"}}
"""
STORAGE = "storage: {bucket: my-models, prefix: runners}\n"
# What the sandbox's environments of other tests have, so that one is made for all.
NUMPY = "numpy==2.4.6\n"


class Life:
    """A model's folder, the tool in it, and who asks the model."""

    def __init__(self, folder: Path, tool: Tool, sandbox: Endpoints) -> None:
        self.folder, self.tool, self.api = folder, tool, Api(sandbox)
        self.model = f"loud-{uuid.uuid4().hex[:8]}"
        self.write(storage=True)

    def write(self, *, end: str = "", storage: bool, requirements: str = NUMPY) -> None:
        """Write the model."""
        manifest = MANIFEST.format(model=self.model) + (STORAGE if storage else "")
        (self.folder / "clarifai.yaml").write_text(manifest)
        (self.folder / "inference.py").write_text(INFERENCE.replace("END", end))
        (self.folder / "requirements.txt").write_text(requirements)

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command in the sandbox; returns what it prints on either stream."""
        done = self.tool(*arguments, "--sandbox", cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def json(self, *arguments: str) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self.run(*arguments)[0])

    def kinds(self) -> list[str]:
        """Return what an apply would do."""
        actions = self.json("plan", "--json")["models"][0]["actions"]
        return [action["kind"] for action in actions]

    def says(self) -> str:
        """Ask what is deployed."""
        answer = self.api.predict(self.model, text("hi"))
        assert answer.status.code == 10000, answer.status
        return str(answer.outputs[0].data.text.raw)


@pytest.fixture
def life(tmp_path: Path, tool: Tool, sandbox: Endpoints) -> Life:
    """A model whose artifacts a bucket keeps."""
    return Life(tmp_path, tool, sandbox)


def test_a_runner_with_a_bucket(life: Life) -> None:
    """Every version answers before it is served, and an earlier one is sent from the bucket."""
    assert life.kinds() == ["upload", "create-model", "create-version", "create-deployment"]
    out, err = life.run("apply")
    assert "is ready" in out
    assert "builder: Loading the model" in err
    assert life.says() == "HI"
    assert life.kinds() == []
    life.write(end="!", storage=True)
    life.run("apply")
    assert life.says() == "HI!"
    life.run("rollback", "v1", "--yes")
    assert life.says() == "HI"
    listed = life.json("versions", "--json")["versions"]
    assert [(one["revision"], one["rollback_of"]) for one in listed] == [(3, "v1"), (2, None)]
    life.run("destroy", "--yes")
    assert life.api.predict(life.model, text("hi")).status.code == 21200


def test_a_build_that_fails_leaves_what_is_served(life: Life) -> None:
    """Without a bucket; the builder's last words end the error, and mending it is enough."""
    life.write(storage=False)
    life.run("apply")
    life.write(end="!", storage=False, requirements=f"{NUMPY}no-such-package-at-all==1.0\n")
    _, err = life.run("apply", code=1)
    assert "error[build-failed]" in err
    assert "    | ERROR: No matching distribution found for no-such-package-at-all==1.0" in err
    assert life.says() == "HI"
    life.write(end="?", storage=False)
    life.run("apply")
    assert life.says() == "HI?"
    status = life.json("status", "-o", "json")["models"][0]
    assert (status["sync"], status["health"]) == ("Synced", "Healthy")
