"""A manifest and its files as they were at a revision; where it goes is as it is now."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.inspection.git_revision import manifest_at
from clarifai_build.manifest.types import Clarifai, Manifest, Storage
from clarifai_build.util import git
from clarifai_build.validation.load import load
from support.trees import write_files

INFERENCE = b"class InferenceModel:\n    def predict(self): ...\n"
DIGEST = "0f" * 32
THEN = f"""\
model: {{id: m, type: text-to-text, description: then}}
storage: {{bucket: then}}
clarifai: {{user_id: '${{env:UNSET}}'}}
weights:
  - {{to: kept, from: store/kept, sha256: {DIGEST}}}
  - {{to: large, from: store/large, sha256: {DIGEST}}}
  - {{to: far, from: "https://h/far", sha256: {DIGEST}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that has changed since its one commit; one weight is not in Git."""
    model = tmp_path / "models" / "one"
    files = {"clarifai.yaml": THEN.encode(), "inference.py": INFERENCE, "store/kept": b"then"}
    write_files(model, {**files, ".gitignore": b"large\n", "store/large": b"large"})
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True, capture_output=True)
    (model / "clarifai.yaml").write_text("model: {id: m, type: text-to-text, description: now}\n")
    (model / "store" / "kept").write_bytes(b"now")
    return model


def now(folder: Path) -> Manifest:
    """Return the manifest as it is now, published and registered somewhere."""
    return replace(
        load(folder, {}),
        storage=Storage("now"),
        published_to=Storage("sandbox"),
        clarifai=Clarifai("me", "main"),
    )


def test_files_are_those_of_the_revision(folder: Path) -> None:
    """The manifest and the code; they go when the block ends."""
    with manifest_at(now(folder), "HEAD", {}) as then:
        assert then.model.description == "then"
        assert (then.code.path / "inference.py").read_bytes() == INFERENCE
        assert folder not in (then.path.parent, *then.path.parents)
    assert not then.path.exists()


def test_where_it_goes_is_as_it_is_now(folder: Path) -> None:
    """Then it was another bucket, and an account that nobody knows any more."""
    with manifest_at(now(folder), "HEAD", {}) as then:
        assert then.storage == Storage("now")
        assert then.published_to == Storage("sandbox")
        assert then.clarifai == Clarifai("me", "main")


def test_weights_that_are_not_in_git_are_taken_from_where_they_are(folder: Path) -> None:
    """Those of the revision come first, and addresses stay."""
    with manifest_at(now(folder), "HEAD", {}) as then:
        sources = {weight.to: weight.source for weight in then.weights}
        kept = then.path.parent / sources["kept"]
        assert kept.read_bytes() == b"then"
    assert sources["large"] == str(folder / "store" / "large")
    assert sources["far"] == "https://h/far"
    assert {weight.sha256 for weight in then.weights} == {DIGEST}


def test_a_manifest_that_was_not_there_is_named(folder: Path) -> None:
    """With what shows the commits that have it."""
    (folder / "clarifai.yaml").rename(folder / "new.yaml")
    manifest = load(folder / "new.yaml", {})
    with pytest.raises(SourceError, match=r"there was no new\.yaml") as caught:
        manifest_at(manifest, "HEAD", {}).__enter__()
    assert caught.value.problems[0].code == "manifest-not-there"
    assert "git log -- new.yaml" in (caught.value.problems[0].hint or "")


def run(folder: Path, *arguments: str) -> None:
    """Run git with an identity."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    """A revision's files come out with their modes; work tree and index stay as they are."""
    model = tmp_path / "models" / "one"
    model.mkdir(parents=True)
    (model / "run.sh").write_text("old")
    (model / "run.sh").chmod(0o755)
    (tmp_path / "outside").write_text("")
    run(tmp_path, "init", "-q")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-qm", "first")
    (model / "run.sh").write_text("new")
    (model / "added").write_text("staged")
    run(tmp_path, "add", ".")
    before = git.checkout_of(model)
    with git.files_at(model, "HEAD") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["run.sh"]
        assert (folder / "run.sh").read_text() == "old"
        assert (folder / "run.sh").stat().st_mode & 0o100
    assert not folder.exists()
    assert git.checkout_of(model) == before
    assert (model / "run.sh").read_text() == "new"
    with pytest.raises(SourceError, match="no commit 'nonsense'"), git.files_at(model, "nonsense"):
        pass
    with pytest.raises(SourceError, match="no Git"), git.files_at(tmp_path.parent, "HEAD"):
        pass
