"""Apply, end to end, as a process against the sandbox: what works, and each way it can't."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.manifest.types import Manifest
from clarifai_build.registry.clarifai import ClarifaiRegistry, open_registry
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage.s3_store import open_store
from clarifai_build.validation.load import load
from conftest import Tool
from support.scripted_web import web

ROOT = Path(__file__).parents[2]

INFERENCE = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text.upper()) for text in input_data]
"""

MANIFEST = """\
model:
  id: {model}
  type: text-to-text
  description: Says it louder.
storage:
  bucket: ${{env:BUCKET:-public}}
  endpoint_url: {sandbox.s3_endpoint}
  region: us-east-1
  prefix: by-hand
clarifai:
  user_id: {sandbox.user_id}
  app_id: {sandbox.app_id}
  api_base: {sandbox.api_base}
"""


@pytest.fixture
def folder(tmp_path: Path, sandbox: Endpoints) -> Path:
    """A model folder whose manifest names the sandbox's addresses by hand."""
    manifest = MANIFEST.format(model=f"loud-{uuid.uuid4().hex[:8]}", sandbox=sandbox)
    (tmp_path / "clarifai.yaml").write_text(manifest)
    (tmp_path / "inference.py").write_text(INFERENCE)
    return tmp_path


def manifest_of(folder: Path) -> Manifest:
    """Load the folder's manifest."""
    return load(folder / "clarifai.yaml", {})


def registry_of(folder: Path, sandbox: Endpoints) -> ClarifaiRegistry:
    """Connect to the platform that the folder's manifest names."""
    return open_registry(manifest_of(folder).clarifai, sandbox.environ())


def nothing_registered(folder: Path, sandbox: Endpoints) -> bool:
    """Whether the platform knows nothing of the folder's model."""
    return registry_of(folder, sandbox).model(manifest_of(folder).model.id) is None


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read what `apply --json` says of its one model."""
    (model,) = json.loads(done.stdout)["models"]
    return dict(model)


def test_example_applies_and_then_there_is_nothing_to_do(tool: Tool) -> None:
    """`clarifai.yaml.example` as it is, twice."""
    first = tool("apply", "clarifai.yaml.example", "--sandbox", cwd=ROOT)
    assert first.returncode == 0, first.stderr
    assert "is ready" in first.stdout
    second = tool("apply", "clarifai.yaml.example", "--sandbox", cwd=ROOT)
    assert second.returncode == 0, second.stderr
    assert "nothing to do" in second.stdout


def test_addresses_by_hand_do_the_same(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """`endpoint_url` and `api_base` in the manifest lead to the same as --sandbox does."""
    applied = tool("apply", cwd=folder)
    assert applied.returncode == 0, applied.stderr
    again = tool("apply", "--json", cwd=folder)
    assert result(again)["actions"] == []
    (version,) = registry_of(folder, sandbox).versions(manifest_of(folder).model.id)
    assert version.health == "ready"
    assert version.description == "Says it louder."
    assert version.artifact_digest == result(again)["artifact_digest"]


def test_change_makes_a_version_and_the_way_back_too(
    tool: Tool, folder: Path, sandbox: Endpoints
) -> None:
    """A changed inference.py is another version."""
    tool("apply", cwd=folder)
    (folder / "inference.py").write_text(INFERENCE.replace("upper", "lower"))
    changed = tool("apply", cwd=folder)
    assert changed.returncode == 0, changed.stderr
    versions = registry_of(folder, sandbox).versions(manifest_of(folder).model.id)
    assert len({version.artifact_digest for version in versions}) == 2


def test_artifact_shows_the_known_layout(tool: Tool, folder: Path) -> None:
    """The zip's root holds config.pbtxt and `1/`, as it did with clarifai 9.x."""
    built = tool("build", "--json", cwd=folder)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(json.loads(built.stdout)["path"]) as archive:
        names = set(archive.namelist())
    assert {"config.pbtxt", "requirements.txt", "1/inference.py", "1/model.py"} <= names


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda folder: (folder / "inference.py").unlink(), "inference-missing"),
        (lambda folder: (folder / "clarifai.yaml").unlink(), "unreadable-file"),
        (lambda folder: (folder / "clarifai.yaml").write_text("model: {id: x"), "yaml-syntax"),
        (lambda folder: (folder / "clarifai.yaml").write_text("modle: 1"), "unknown-key"),
    ],
    ids=["no-inference", "no-manifest", "bad-yaml", "unknown-key"],
)
def test_invalid_manifest_exits_with_3(tool: Tool, folder: Path, change: object, code: str) -> None:
    """What is wrong with the files is said before anything is contacted."""
    assert callable(change)
    change(folder)
    refused = tool("apply", cwd=folder)
    assert refused.returncode == 3
    assert f"[{code}]" in refused.stderr


def test_missing_credentials_exit_with_4(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """No token: the message names the variable."""
    refused = tool("apply", cwd=folder, CLARIFAI_PAT="")
    assert refused.returncode == 4
    assert "CLARIFAI_PAT" in refused.stderr


def test_refused_token_exits_with_4(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """A wrong token: nothing is made, and the token is not repeated."""
    refused = tool("apply", cwd=folder, CLARIFAI_PAT="wrong-token-value")
    assert refused.returncode == 4
    assert "wrong-token-value" not in refused.stderr
    assert nothing_registered(folder, sandbox)


def test_private_bucket_exits_with_5(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """Strangers can't read it, so nothing is registered."""
    refused = tool("apply", cwd=folder, BUCKET="private")
    assert refused.returncode == 5
    assert "[not-public]" in refused.stderr
    assert nothing_registered(folder, sandbox)


def test_unreachable_store_exits_with_5(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """Nobody listens at the endpoint: the message names it."""
    manifest = folder / "clarifai.yaml"
    text = manifest.read_text().replace(sandbox.s3_endpoint, "http://127.0.0.1:9")
    manifest.write_text(text)
    refused = tool("apply", cwd=folder)
    assert refused.returncode == 5, refused.stderr
    assert "127.0.0.1:9" in refused.stderr
    assert nothing_registered(folder, sandbox)


def test_unreachable_api_exits_with_5(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """Nobody listens at the API's address: the message names it."""
    manifest = folder / "clarifai.yaml"
    text = manifest.read_text().replace(sandbox.api_base, "http://127.0.0.1:9")
    manifest.write_text(text)
    refused = tool("apply", cwd=folder)
    assert refused.returncode == 5
    assert "127.0.0.1:9" in refused.stderr


def test_failing_build_exits_with_1_and_heals(tool: Tool, folder: Path, sandbox: Endpoints) -> None:
    """The platform's own words are shown; mended, the next apply goes through."""
    (folder / "inference.py").write_text(INFERENCE + "\nraise RuntimeError('no weights here')\n")
    failed = tool("apply", cwd=folder)
    assert failed.returncode == 1
    assert "no weights here" in failed.stderr
    (folder / "inference.py").write_text(INFERENCE)
    mended = tool("apply", cwd=folder)
    assert mended.returncode == 0, mended.stderr
    newest, *_ = registry_of(folder, sandbox).versions(manifest_of(folder).model.id)
    assert newest.health == "ready"


def test_object_that_is_there_is_not_sent_again(
    tool: Tool, folder: Path, sandbox: Endpoints
) -> None:
    """A second model version of the same artifact leaves the object untouched."""
    tool("apply", cwd=folder)
    made = result(tool("apply", "--json", cwd=folder))
    storage = manifest_of(folder).storage
    assert storage is not None
    store = open_store(storage, sandbox.environ())
    key = f"by-hand/{made['artifact_digest']}/{made['model']}_text-to-text.zip"
    before = store.stat(key)
    registry_of(folder, sandbox).delete_version(made["model"], made["version"])
    again = tool("apply", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "upload: s3://" not in again.stderr
    assert store.stat(key) == before


def test_sandbox_needs_no_storage_and_no_account(tool: Tool, tmp_path: Path) -> None:
    """The same manifest as for the cloud, or one that names neither, applies with --sandbox."""
    model = f"plain-{uuid.uuid4().hex[:8]}"
    (tmp_path / "clarifai.yaml").write_text(
        f"model: {{id: {model}, type: text-to-text}}\n"
        "clarifai: {user_id: '${env:NOT_SET_HERE}', app_id: '${env:NOT_SET_EITHER}'}\n"
    )
    (tmp_path / "inference.py").write_text(INFERENCE)
    applied = tool("apply", "--sandbox", cwd=tmp_path, CLARIFAI_PAT="", CLARIFAI_USER_ID="")
    assert applied.returncode == 0, applied.stderr


@pytest.mark.parametrize(
    "misleading",
    [
        {"AWS_PROFILE": "not-there", "AWS_DEFAULT_PROFILE": "not-there"},
        {"AWS_SESSION_TOKEN": "of-another", "AWS_PROFILE": ""},
        {"http_proxy": "http://127.0.0.1:9"},
        {"https_proxy": "http://127.0.0.1:9", "no_grpc_proxy": "elsewhere"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_REGION": "eu-west-9"},
    ],
)
def test_what_leads_elsewhere_does_not_lead_out_of_the_sandbox(
    tool: Tool, folder: Path, misleading: dict[str, str]
) -> None:
    """A profile, a token, a proxy: everyday settings of whoever tries a model locally."""
    done = tool("apply", "--sandbox", folder, **misleading)
    assert done.returncode == 0, done.stderr


def test_weights_are_fetched_from_where_the_manifest_says(tool: Tool, folder: Path) -> None:
    """Not from the sandbox, which stands in for what is published alone."""
    with web(lambda asked, _: asked.send_error(404)) as store:
        manifest = (folder / "clarifai.yaml").read_text()
        manifest = re.sub("endpoint_url: .*", f"endpoint_url: {store.url}", manifest)
        weights = f"weights: [{{to: w, from: s3://weights/w, sha256: {'a' * 64}}}]\n"
        (folder / "clarifai.yaml").write_text(manifest + weights)
        done = tool("apply", "--sandbox", folder)
        assert done.returncode == 3, done.stderr
        assert "error[weight-refused]" in done.stderr
        assert store.requests
