"""The official tool of today, unmodified: it uploads a runner model, deploys it, and asks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import yaml
from PIL import Image

from clarifai_build.artifact.folder_writer import write_folder
from clarifai_build.building import build
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.sandbox.state import APP_ID
from clarifai_build.validation.load import load
from support.handmade_runners import runner_files, write_runner_folder
from support.runner_sdk import sdk_environ, sdk_python
from support.runner_uploads import deploy
from support.sandbox_client import Api

CLIENTS = Path(__file__).parent / "clients"
TRAINED, BUILD_FAILED = 21100, 21108
ANSWERS = {
    "predict": "cba",
    "with a parameter": "CBA",
    "generate": ["a", "b", "c"],
    "batch": ["cba", "!cba"],
    "methods": ["generate", "predict"],
    "predict_by_bytes": "cba",
    "inference_params": "CBA",
}


def environment(api: Api, home: Path) -> dict[str, str]:
    """Return the variables of a user of the sandbox who has what the tool looks for on PATH."""
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    # It asks for a resolution of the requirements first, and goes on when there is none.
    (tools / "uv").write_text("#!/bin/sh\nexit 1\n")
    (tools / "uv").chmod(0o755)
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    return {**sdk_environ(home), **api.endpoints.environ(), "PATH": path, "COLUMNS": "300"}


def run(api: Api, home: Path, *arguments: str) -> str:
    """Run a program of the SDK's environment; returns what it wrote."""
    done = subprocess.run(
        [str(sdk_python()), *arguments],
        env=environment(api, home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def clarifai(api: Api, home: Path, *arguments: str) -> str:
    """Run the official command line."""
    return run(api, home, str(sdk_python().with_name("clarifai")), *arguments)


def asked(
    api: Api, home: Path, model_id: str, *arguments: str, program: str = "runner_12.py"
) -> dict[str, object]:
    """Return what the official client is answered."""
    output = run(api, home, str(CLIENTS / program), model_id, *(arguments or ("abc",)))
    last = next(line for line in reversed(output.splitlines()) if line.startswith("{"))
    found: dict[str, object] = json.loads(last)
    return found


def new_folder(home: Path, **changed: str) -> tuple[str, Path]:
    model_id = f"r{uuid.uuid4().hex[:8]}"
    return model_id, write_runner_folder(home / model_id, runner_files(model_id, **changed))


def test_the_official_tool_uploads_and_the_official_client_asks(api: Api, tmp_path: Path) -> None:
    model_id, folder = new_folder(tmp_path)
    output = clarifai(api, tmp_path, "model", "upload", str(folder), "-v")
    assert "Model build complete!" in output
    assert "The model asks for work: built" in output
    (version,) = api.call("ListModelVersions", model_id=model_id).model_versions
    assert version.status.code == TRAINED
    assert {each.name for each in version.method_signatures} == {"generate", "predict"}
    assert deploy(api, model_id, version.id).deployments
    assert asked(api, tmp_path, model_id) == ANSWERS


def test_what_fails_in_the_sandbox_fails_for_the_official_tool(api: Api, tmp_path: Path) -> None:
    """Which ends with 0 all the same, so its words are looked at."""
    model_id, folder = new_folder(tmp_path, model="import nothing_of_the_kind\n" + MODEL_CODE)
    output = clarifai(api, tmp_path, "model", "upload", str(folder))
    assert "Upload failed" in output
    assert "No module named 'nothing_of_the_kind'" in output
    (version,) = api.call("ListModelVersions", model_id=model_id).model_versions
    assert version.status.code == BUILD_FAILED


MODEL_CODE = runner_files("x")["1/model.py"]


def test_the_official_tool_deploys(api: Api, tmp_path: Path) -> None:
    """It makes a cluster and a nodepool of its own, and waits until the model is ready."""
    model_id, folder = new_folder(tmp_path)
    options = ["--instance", "sandbox-cpu", "--min-replicas", "1"]
    output = clarifai(api, tmp_path, "model", "deploy", str(folder), *options)
    assert "Model is ready! Live replicas: 1" in output
    assert asked(api, tmp_path, model_id) == ANSWERS
    reference = f"{api.endpoints.user_id}/{api.endpoints.app_id}/models/{model_id}"
    assert "deploy-" in clarifai(api, tmp_path, "model", "status", reference)
    (deployment,) = [
        each for each in api.call("ListDeployments").deployments if each.worker.model.id == model_id
    ]
    options = ["--deployment", deployment.id, "--log-type", "model", "--no-follow"]
    assert "ModelServer initialized" in clarifai(api, tmp_path, "model", "logs", *options)


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_what_is_rendered_is_taken_and_answers_both_clients(
    api: Api, tmp_path: Path, model_type: str
) -> None:
    """The starter of each type: uploaded by the official tool, asked by today's way and the older.

    A file that no artifact has lies beside: the official tool sends it, and it changes nothing.
    """
    model_id = f"s{uuid.uuid4().hex[:8]}"
    folder = rendered(tmp_path, model_type, model_id)
    (folder / ".env").write_text("A=1\n")
    clarifai(api, tmp_path, "model", "upload", str(folder))
    (version,) = api.call("ListModelVersions", model_id=model_id).model_versions
    assert version.status.code == TRAINED, version.status.details
    deploy(api, model_id, version.id)
    picture = tmp_path / "picture.png"
    drawn = Image.new("RGB", (64, 48))
    drawn.paste("white", (20, 10, 50, 40))
    drawn.save(picture)
    kind = "text" if model_type.startswith("text") else "image"
    found = asked(api, tmp_path, model_id, kind, str(picture), program="runner_types.py")
    assert found["today"] == found["older"]
    assert found["today"]


def rendered(home: Path, model_type: str, model_id: str) -> Path:
    """Return the folder of a starter, as the official tool is given it."""
    starter, folder = home / "starter", home / model_id
    command = ["init", str(starter), "--type", model_type, "--target", "runner", "--id", model_id]
    subprocess.run([sys.executable, "-m", "clarifai_build", *command], check=True, cwd=home)
    manifest = load(starter / "clarifai.yaml", {}, offline=True)
    write_folder(build(manifest).tree, folder)
    # Which app, the official tool takes from there alone.
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    config["model"]["app_id"] = APP_ID
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder
