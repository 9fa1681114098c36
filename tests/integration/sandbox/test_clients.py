"""The official clients, unmodified, against the sandbox."""

from __future__ import annotations

import io
import json
import os
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.progress import no_progress
from clarifai_build.sandbox.engines import install
from clarifai_build.sandbox.engines.venvs import Recipe, provision
from clarifai_build.util.cache_dir import cache_folder
from support.sandbox_client import Api, model_files, s3, zipped

CLIENTS = Path(__file__).parent / "clients"


def installed(requirements: Path) -> Path:
    """Install a pinned client into an environment in the user's cache, once."""
    python = install.find_interpreter()
    key = install.digest_of(requirements)
    target = cache_folder() / "clients" / f"{requirements.stem}-{key}-py{python.version}"
    arguments = ("-r", str(requirements))
    recipe = Recipe(
        requirements.stem, python.executable, arguments, "see its log", install.install().python
    )
    return provision(target, recipe, no_progress)


def run(api: Api, command: list[str], home: Path) -> str:
    """Run a client's program as the sandbox's user; returns its output."""
    environment = {**os.environ, **api.endpoints.environ(), "HOME": str(home), "COLUMNS": "300"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def last_json(output: str) -> Any:
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def zip_url(api: Api) -> str:
    """The URL of a text-embedder."""
    return api.publish(zipped(model_files("text-embedder")))


@pytest.fixture(scope="module")
def sdk_9() -> Path:
    """The environment of clarifai 9.11."""
    return installed(CLIENTS / "clarifai-9.txt")


@pytest.fixture(scope="module")
def sdk_12() -> Path:
    """The environment of clarifai 12.5."""
    return installed(CLIENTS / "clarifai-12.txt")


def test_sdk_9(api: Api, sdk_9: Path, zip_url: str, tmp_path: Path) -> None:
    """The seed system's SDK makes apps, models and versions, predicts, lists and deletes."""
    model_id = f"nine-{uuid.uuid4().hex[:6]}"
    program = [str(sdk_9 / "bin/python"), str(CLIENTS / "sdk_9.py"), zip_url, model_id]
    found = last_json(run(api, program, tmp_path))
    assert f"app-{model_id}" in found["apps"]
    assert model_id in found["models"]
    assert found["versions"] == [found["version"]]
    assert found["vector"] == [3, 2, 3]
    assert model_id not in found["left"]


def test_upload_cli_9(api: Api, sdk_9: Path, zip_url: str, tmp_path: Path) -> None:
    """The seed system's upload command makes a version that gets ready."""
    model_id = f"cli-{uuid.uuid4().hex[:6]}"
    program = [str(sdk_9 / "bin/python"), str(sdk_9 / "bin/clarifai-upload-model")]
    options = ["--url", zip_url, "--model_id", model_id, "--model_type", "text-embedder"]
    output = run(api, [*program, *options, "--desc", "by the old command"], tmp_path)
    version_id = output.split("Model version:")[1].split()[0]
    assert api.settled(model_id, version_id).status.code == 21100


def test_sdk_12(api: Api, sdk_12: Path, zip_url: str, tmp_path: Path) -> None:
    """The current SDK makes versions by URL and by file, predicts in every way, and patches."""
    model_id = f"twelve-{uuid.uuid4().hex[:6]}"
    s3(api.endpoints).put_object(Bucket="public", Key="hello.txt", Body=b"hello")
    text_url = f"{api.endpoints.s3_endpoint}/public/hello.txt"
    file = tmp_path / "model.zip"
    file.write_bytes(padded(zipped(model_files("text-embedder")), 23_000_000))
    program = [str(sdk_12 / "bin/python"), str(CLIENTS / "sdk_12.py")]
    found = last_json(run(api, [*program, zip_url, text_url, str(file), model_id], tmp_path))
    assert found["bytes"] == found["no type"] == [3, 2, 3]
    assert found["url"] == [5, 2, 3]
    assert found["generate"] == [[4, 2, 3]]
    assert found["stream"] == [[2, 2, 3], [1, 2, 3]]
    assert found["file"] == [6, 2, 3]
    assert (found["versions"], found["left"]) == (2, 1)
    model = api.call("GetModel", model_id=model_id).model
    assert model.description == "patched"


def test_cli_12(api: Api, sdk_12: Path, zip_url: str, tmp_path: Path) -> None:
    """The current command line logs in, says who it is, and lists apps and models."""
    clarifai = [str(sdk_12 / "bin/python"), str(sdk_12 / "bin/clarifai")]
    model_id, _ = api.deploy("text-embedder")
    endpoints = api.endpoints
    login = ["login", endpoints.api_base, "--pat", endpoints.pat]
    assert endpoints.user_id in run(api, [*clarifai, *login], tmp_path)
    assert endpoints.user_id in run(api, [*clarifai, "whoami"], tmp_path)
    assert endpoints.app_id in run(api, [*clarifai, "app", "list"], tmp_path)
    assert model_id in run(api, [*clarifai, "model", "list"], tmp_path)
    reference = f"{endpoints.user_id}/{endpoints.app_id}/models/{model_id}"
    assert "No deployments" in run(api, [*clarifai, "model", "status", reference], tmp_path)


def padded(content: bytes, size: int) -> bytes:
    """Add a file to a zip, so that it is sent in more than one part."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("1/weights.bin", os.urandom(size))
    return buffer.getvalue()
