"""References to the environment, contexts of the official CLI, and where values come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError
from clarifai_build.manifest import environment
from clarifai_build.manifest import settings as contexts
from clarifai_build.manifest.document import parse
from clarifai_build.validation.load import examine, load
from clarifai_build.validation.resolved_settings import settings

MANIFEST = """\
model:
  id: ${env:NAME:-example}
  type: text-to-text
storage:
  bucket: ${env:BUCKET}
clarifai:
  user_id: ${env:CLARIFAI_USER_ID}
"""
CONFIG = """\
current_context: work
contexts:
  default:
    CLARIFAI_USER_ID: home-user
  work:
    CLARIFAI_USER_ID: work-user
    CLARIFAI_APP_ID: ENVVAR
    CLARIFAI_PAT: 0123456789abcdef0123456789abcdef
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder that is a home folder with contexts, too."""
    (tmp_path / "clarifai.yaml").write_text(MANIFEST)
    (tmp_path / "inference.py").write_text(
        "class InferenceModel:\n    def predict(self, input_data): ...\n"
    )
    config = tmp_path / ".config" / "clarifai" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    return tmp_path


def test_set_variables_replace_references(folder: Path) -> None:
    """The environment fills in, and defaults step in where it does not."""
    manifest = load(folder, {"BUCKET": "my-models", "CLARIFAI_USER_ID": "someone"})
    assert manifest.model.id == "example"
    assert manifest.storage is not None
    assert manifest.storage.bucket == "my-models"
    assert manifest.clarifai.user_id == "someone"


def test_unset_variables_are_errors_with_places(folder: Path) -> None:
    """Each is told where it is used."""
    with pytest.raises(ManifestError) as caught:
        load(folder, {})
    found = [(problem.line, problem.column, problem.code) for problem in caught.value.problems]
    assert found == [(5, 11, "env-unset"), (7, 12, "env-unset")]


def test_offline_only_warns_of_what_the_network_needs(folder: Path) -> None:
    """Building needs no bucket and no account."""
    examined = examine(folder, {}, offline=True)
    assert [problem.severity for problem in examined.problems] == ["warning", "warning"]
    assert examined.manifest is not None
    document = parse("model:\n  id: ${env:UNSET}\n  type: text-to-text\n")
    (problem,) = environment.resolve(document, {}, offline=True).problems
    assert problem.severity == "error"


def test_a_value_from_the_environment_is_checked_like_any_other(folder: Path) -> None:
    """A bad bucket name is told at the reference."""
    with pytest.raises(ManifestError) as caught:
        load(folder, {"BUCKET": "No_Bucket", "CLARIFAI_USER_ID": "a b"})
    found = [(problem.line, problem.code) for problem in caught.value.problems]
    assert found == [(5, "bucket-name"), (7, "bad-value")]


def test_contexts_fill_in_what_the_environment_leaves_open(folder: Path) -> None:
    """The environment wins, ENVVAR defers to it, and other variables are not looked up there."""
    home = {"HOME": str(folder)}
    found = contexts.setting("CLARIFAI_USER_ID", home)
    assert found is not None
    assert (found.value, "context 'work'" in found.origin) == ("work-user", True)
    assert contexts.setting("CLARIFAI_APP_ID", home) is None
    assert contexts.setting("BUCKET", home) is None
    mine = contexts.setting("CLARIFAI_USER_ID", {**home, "CLARIFAI_USER_ID": "me"})
    assert mine is not None
    assert mine.value == "me"
    chosen = contexts.merged({**home, "CLARIFAI_CONTEXT": "default"})
    assert chosen["CLARIFAI_USER_ID"] == "home-user"


def test_a_broken_context_file_sets_nothing(folder: Path) -> None:
    """It belongs to another tool."""
    (folder / ".config" / "clarifai" / "config").write_text("contexts: [")
    assert contexts.setting("CLARIFAI_USER_ID", {"HOME": str(folder)}) is None


def test_every_setting_says_where_it_came_from(folder: Path) -> None:
    """File, environment, context or default; secrets are masked."""
    environ = {"HOME": str(folder), "BUCKET": "my-models", "AWS_SECRET_ACCESS_KEY": "hush"}
    environ["CLARIFAI_API_BASE"] = "https://me:hush@api.example.com"
    shown = {one.path: one for one in settings(examine(folder, environ), environ)}
    name = str(folder / "clarifai.yaml")
    assert shown["model", "type"].origin == f"{name}:3"
    assert shown["model", "id"].origin == "default of ${env:NAME}"
    assert shown["storage", "bucket"].origin == "environment variable BUCKET"
    assert shown["clarifai", "user_id"].origin.startswith("context 'work' in ")
    assert shown["triton", "max_batch_size"] == (("triton", "max_batch_size"), 1, "default")
    assert shown["clarifai", "api_base"].value == "https://api.example.com"
    assert shown[("CLARIFAI_PAT",)].value == "***"
    assert shown[("AWS_SECRET_ACCESS_KEY",)].value == "***"
    assert "hush" not in repr(shown)
    assert "0123456789abcdef" not in repr(contexts.setting("CLARIFAI_PAT", environ))
