"""A model's life through five commits: apply each, look back, go back, prove, clean up, destroy."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.manifest.types import Clarifai, Storage
from clarifai_build.registry import NewVersion
from clarifai_build.registry.clarifai import open_registry
from clarifai_build.registry.version_metadata import NO_METADATA
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import leases
from clarifai_build.storage.keys import lease_key
from clarifai_build.storage.s3_store import S3Store, open_store
from conftest import Tool

INFERENCE = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text.upper() + "{end}") for text in input_data]
"""
MANIFEST = """\
model: {{id: {model}, type: text-to-text, description: Says it louder.}}
storage: {{bucket: my-models, prefix: {model}}}
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git with an identity, and return what it prints."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Life:
    """A model folder under Git, and the tool in it."""

    def __init__(self, folder: Path, tool: Tool, sandbox: Endpoints) -> None:
        self.folder, self.tool = folder, tool
        self.model = f"loud-{uuid.uuid4().hex[:8]}"
        self.store: S3Store = open_store(
            Storage(sandbox.bucket, endpoint_url=sandbox.s3_endpoint, region=sandbox.region),
            sandbox.environ(),
        )
        (folder / "clarifai.yaml").write_text(MANIFEST.format(model=self.model))
        git(folder, "init", "-q")

    def commit(self, end: str) -> str:
        """Change the model, commit it, and return the commit."""
        (self.folder / "inference.py").write_text(INFERENCE.replace("{end}", end))
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-qm", f"ends with {end}")
        return git(self.folder, "rev-parse", "HEAD")

    def run(self, *arguments: str, fails: int = 0) -> str:
        """Run a command in the sandbox; returns what it prints."""
        done = self.tool(*arguments, "--sandbox", cwd=self.folder)
        assert done.returncode == fails, done.stdout + done.stderr
        return done.stdout + (done.stderr if fails else "")

    def json(self, *arguments: str, fails: int = 0) -> Any:
        """Run a command, and return its JSON."""
        done = self.tool(*arguments, "--sandbox", "--json", cwd=self.folder)
        assert done.returncode == fails, done.stdout + done.stderr
        return json.loads(done.stdout)

    def versions(self) -> list[dict[str, Any]]:
        """Return the versions, newest first."""
        found: list[dict[str, Any]] = self.json("versions")["versions"]
        return found

    def stored(self) -> list[str]:
        """Return every key of this model's prefix."""
        return [found.key for found in self.store.find(f"{self.model}/")]

    def spoil(self, key: str, body: bytes) -> None:
        """Replace an object by hand."""
        self.store.write(key, body)

    def content(self, key: str) -> bytes:
        """Return all of an object."""
        found = self.store.get(key)
        assert found
        return found.body


@pytest.fixture
def life(tmp_path: Path, tool: Tool, sandbox: Endpoints) -> Life:
    """A model folder that is not applied yet."""
    return Life(tmp_path, tool, sandbox)


def test_five_commits(life: Life) -> None:
    """Apply each, list, go back to the second, verify it against its commit, collect the rest."""
    commits = []
    for end in "abcde":
        commits.append(life.commit(end))
        life.run("apply")
    versions = life.versions()
    assert [version["revision"] for version in versions] == [5, 4, 3, 2, 1]
    assert [version["commit"] for version in versions] == commits[::-1]
    assert [version["live"] for version in versions] == [True] + [False] * 4
    assert {version["status"] for version in versions} == {"ready"}
    life.run("verify")
    life.run("verify", "--url")
    life.run("verify", "--version", "v2", "--commit")
    assert "TextOutput" in life.run("diff", "v3", "v5")
    assert [file["path"] for file in life.json("diff", "v4", "HEAD~1")["files"]] == []
    assert [file["path"] for file in life.json("diff", "HEAD~1")["files"]] == ["1/inference.py"]

    refused = life.run("rollback", "v2", fails=64)
    assert "--yes" in refused
    back = life.json("rollback", "v2", "--yes")
    assert (back["revision"], back["rollback_of"]) == (6, "v2")
    again = life.json("rollback", back["version"])
    assert again == back | {"rollback_of": None}
    versions = life.versions()
    assert [version["revision"] for version in versions] == [6, 5, 4, 3, 1]
    assert versions[0]["commit"] == commits[1]
    life.run("verify", "--commit", commits[1])
    life.run("verify", "--commit")
    differing = life.json("verify", fails=1)["models"][0]
    assert [file["path"] for file in differing["files"]] == ["1/inference.py"]

    git(life.folder, "checkout", "-q", commits[1])
    assert "nothing to do" in life.run("apply")

    kept = life.json("gc", "--grace", "0s", "--dry-run")["artifacts"]
    assert [artifact["action"] for artifact in kept] == ["used"] * 5
    life.run("destroy", "--yes")
    assert life.versions() == []
    young = life.json("gc", "--yes")["artifacts"]
    assert [artifact["action"] for artifact in young] == ["young"] * 5
    gone = life.json("gc", "--grace", "0s", "--yes")["artifacts"]
    assert [artifact["action"] for artifact in gone] == ["removed"] * 5
    assert life.stored() == []


def test_damage_is_named(life: Life) -> None:
    """A changed byte, a cut, a lost object and foreign provenance are each found and named."""
    life.commit("a")
    life.run("apply")
    (key,) = (key for key in life.stored() if key.endswith(".zip"))
    whole = life.content(key)

    at = whole.index(b"TextOutput(predicted_text")
    life.spoil(key, whole[:at] + b"t" + whole[at + 1 :])
    (changed,) = life.json("verify", fails=1)["models"]
    assert [file["path"] for file in changed["files"]] == ["1/inference.py"]
    assert "1/inference.py" in life.run("verify", "--url", fails=1)
    life.commit("b")
    life.run("apply")
    assert "not what was published" in life.run("rollback", "v1", "--yes", fails=5)
    git(life.folder, "checkout", "-q", "HEAD~1")

    life.spoil(key, whole[:-100])
    cut = life.run("verify", "--version", "v1", fails=1)
    assert f"has {len(whole) - 100} bytes, {len(whole)} were published" in cut
    life.store.delete(key)
    assert "is gone from the bucket" in life.run("verify", "--version", "v1", fails=5)
    assert "is gone from the bucket" in life.run("rollback", "v1", "--yes", fails=5)
    life.spoil(key, whole)
    life.run("verify", "--version", "v1")

    life.spoil(f"{key}.provenance.json", b"{}")
    (forged,) = life.json("verify", "--version", "v1", fails=1)["models"]
    failed = [check["name"] for check in forged["checks"] if not check["ok"]]
    assert failed == ["provenance"]


def test_inspect_shows_origin(life: Life) -> None:
    """Files, commit and tool are read from beside the published zip, by its URL alone."""
    commit = life.commit("a")
    life.run("apply")
    url = life.versions()[0]["url"]
    shown = life.tool("inspect", url)
    assert shown.returncode == 0, shown.stderr
    assert "1/inference.py" in shown.stdout
    assert f"gitCommit:{commit}" in shown.stdout


def test_locked_from_end_to_end(life: Life) -> None:
    """Pins reach the artifact and its SBOM, the platform installs them, and drift is refused."""
    (life.folder / "requirements.txt").write_text("numpy<2\nregex\n")
    life.commit("a")
    assert "no lock" in life.run("apply", "--locked", fails=3)
    locked = life.tool("lock", cwd=life.folder)
    assert locked.returncode == 0, locked.stderr
    life.commit("b")
    life.run("apply", "--locked")
    life.run("verify")
    (version,) = life.versions()
    shown = json.loads(life.tool("inspect", version["url"], "--json").stdout)
    names = {component["name"] for component in shown["sbom"]["components"]}
    assert names == {"numpy", "regex"}
    (key,) = (key for key in life.stored() if key.endswith(".zip"))
    assert b"--hash=sha256:" in life.content(key)
    (life.folder / "requirements.txt").write_text("numpy<1.26\n")
    assert "requirements.txt has changed" in life.run("apply", fails=3)


def test_foreign_versions_survive(life: Life, sandbox: Endpoints) -> None:
    """Destroy takes our versions, and leaves those of another tool, and the model with them."""
    life.commit("a")
    life.run("apply")
    registry = open_registry(
        Clarifai(sandbox.user_id, sandbox.app_id, sandbox.api_base), sandbox.environ()
    )
    (ours,) = registry.versions(life.model)
    foreign = NewVersion(
        ours.zip_url,
        ours.input_fields_map,
        ours.output_fields_map,
        ours.params,
        "by hand",
        "private",
        NO_METADATA,
    )
    theirs = registry.create_version(life.model, foreign)
    assert "--yes" in life.run("destroy", fails=64)
    life.run("destroy", "--yes")
    assert [version.id for version in registry.versions(life.model)] == [theirs.id]
    used = life.json("gc", "--grace", "0s", "--yes")["artifacts"]
    assert [artifact["action"] for artifact in used] == ["used"]
    assert "nothing to destroy" in life.run("destroy", "--yes")
    registry.delete_model(life.model)


def test_a_shallow_clone_says_so(life: Life, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A commit that a clone does not have is named, with the way to get it; so is no Git at all."""
    life.commit("a")
    life.run("apply")
    life.commit("b")
    clone = tmp_path_factory.mktemp("clone") / "model"
    git(life.folder, "clone", "-q", "--depth", "1", life.folder.as_uri(), str(clone))
    shallow = life.tool("verify", "--sandbox", "--commit", cwd=clone)
    assert shallow.returncode == 3
    assert "git fetch --unshallow" in shallow.stderr
    shutil.rmtree(clone / ".git")
    bare = life.tool("verify", "--sandbox", "--commit", cwd=clone)
    assert bare.returncode == 3
    assert "in no Git repository" in bare.stderr
    differs = life.tool("verify", "--sandbox", cwd=clone)
    assert differs.returncode == 1
    assert "--commit" in differs.stdout


def test_what_is_leased_is_left_alone(life: Life, sandbox: Endpoints) -> None:
    """While an apply is at work, nothing is rolled back, destroyed or collected."""
    life.commit("a")
    life.run("apply")
    life.commit("b")
    life.run("apply")
    scope = f"{sandbox.user_id}/{sandbox.app_id}"
    key = lease_key(life.model, scope, life.model)
    with leases.held(life.store, key, leases.Holder.here("a test")):
        assert "a test" in life.run("rollback", "v1", "--yes", fails=6)
        assert "a test" in life.run("destroy", "--yes", fails=6)
    assert len(life.versions()) == 2
    life.run("destroy", "--yes")
    with leases.held(life.store, key, leases.Holder.here("a test")):
        kept = life.json("gc", "--grace", "0s", "--yes", fails=6)["artifacts"]
    assert [artifact["action"] for artifact in kept] == ["leased"] * 2
    assert len([key for key in life.stored() if key.endswith(".zip")]) == 2


def test_rollback_brings_parameters_back(life: Life, sandbox: Endpoints) -> None:
    """What is registered anew is what was registered then, parameters and all."""
    manifest = life.folder / "clarifai.yaml"
    plain = manifest.read_text()
    manifest.write_text(
        plain
        + "params:\n"
        + "  - {name: loud, type: boolean, default: true, description: How loud.}\n"
        + "  - {name: times, type: number, default: 2}\n"
        + "  - {name: key, type: secret}\n"
    )
    life.commit("a")
    life.run("apply")
    registry = open_registry(
        Clarifai(sandbox.user_id, sandbox.app_id, sandbox.api_base), sandbox.environ()
    )
    (first,) = registry.versions(life.model)
    assert [param.name for param in first.params] == ["loud", "times", "key"]
    manifest.write_text(plain)
    life.commit("b")
    life.run("apply")
    assert "params[loud].default: true → none" in life.run("diff", "v1", "v2")
    life.run("rollback", "v1", "--yes", "--no-wait")
    again = registry.versions(life.model)[0]
    assert again.params == first.params
    assert again.registration_digest == first.registration_digest
    assert (again.description, again.visibility) == (first.description, first.visibility)
    assert len(registry.versions(life.model)) == 3
    life.run("verify", "--commit")


def test_verify_all_of_a_folder(tool: Tool, sandbox: Endpoints, tmp_path: Path) -> None:
    """A nightly job proves every live model of a folder, and leaves out what is not live yet."""
    lives = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        lives.append(Life(tmp_path / name, tool, sandbox))
        lives[-1].commit("a")
    for life in lives[:2]:
        life.run("apply", "--no-wait")
    every = tool("verify", "--all", "--sandbox", "--json", cwd=tmp_path)
    assert every.returncode == 0, every.stdout + every.stderr
    models = {model["model"]: model["ok"] for model in json.loads(every.stdout)["models"]}
    assert models == {life.model: True for life in lives[:2]}
    (lives[1].folder / "inference.py").write_text(INFERENCE)
    differing = tool("verify", "--all", "--sandbox", cwd=tmp_path)
    assert differing.returncode == 1
    assert f"{lives[1].model}: v1" in differing.stdout
    missing = tool("verify", "three", "--sandbox", cwd=tmp_path)
    assert missing.returncode == 64
    assert "no version 'live'" in missing.stderr
