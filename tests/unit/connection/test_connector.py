"""Connecting manifests in the environment that is handed in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clarifai_build.connection import connect, connect_all
from clarifai_build.digests.cache import digests_file
from clarifai_build.errors import (
    BuilderError,
    ManifestError,
    NotAuthorisedError,
    UsageError,
)
from support.connections import PAT, environ_of, model_in
from support.fakes import manifest_of
from support.trees import write_files


@pytest.mark.parametrize("at", ["lines", "lines/clarifai.yaml"])
def test_a_path_is_connected_by_the_environment_that_is_handed_in(tmp_path: Path, at: str) -> None:
    """Account, bucket and caches follow from it, and this process's plays no part."""
    model_in(tmp_path)
    before = dict(os.environ)
    connection = connect(tmp_path / at, environ_of(tmp_path))
    assert connection.manifest.model.id == "lines"
    assert connection.registry.scope == "me/main"
    assert "models.s3.eu-central-1.amazonaws.com" in connection.store().url("mine/x")
    assert connection.cache().path == digests_file({"HOME": str(tmp_path / "home")})
    assert dict(os.environ) == before


def test_what_the_environment_leaves_open_comes_from_the_context(tmp_path: Path) -> None:
    """The official CLI's current context names the account; the environment wins over it."""
    context = "current_context: mine\ncontexts:\n  mine:\n    CLARIFAI_APP_ID: staging\n"
    context += f"    CLARIFAI_PAT: {PAT}\n    CLARIFAI_USER_ID: somebody-else\n"
    write_files(tmp_path / "home" / ".config", {"clarifai/config": context.encode()})
    environ = {"HOME": str(tmp_path / "home"), "CLARIFAI_USER_ID": "me"}
    assert connect(model_in(tmp_path), environ).registry.scope == "me/staging"


def test_a_manifest_that_is_a_value_is_connected(tmp_path: Path) -> None:
    """One that was made in Python, or loaded before, is taken as it is."""
    made = manifest_of("words")
    connection = connect(made, environ_of(tmp_path))
    assert connection.manifest is made
    assert connection.name == str(made.path)


def test_without_credentials_it_is_said_what_is_missing(tmp_path: Path) -> None:
    """All of it at once."""
    with pytest.raises(NotAuthorisedError) as raised:
        connect(model_in(tmp_path), {})
    assert len(raised.value.problems) == 3


def test_many_manifests_where_one_is_meant(tmp_path: Path) -> None:
    """A folder with several is refused, and they are named."""
    model_in(tmp_path, "lines")
    model_in(tmp_path, "words")
    with pytest.raises(UsageError, match=r"lines/clarifai\.yaml, .*words/clarifai\.yaml"):
        connect(tmp_path, environ_of(tmp_path))


def test_one_that_does_not_load_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is an error among the results, by the name of its file; they share one channel."""
    names = [
        str(model_in(tmp_path, name) / "clarifai.yaml") for name in ("lines", "words", "zeros")
    ]
    Path(names[1]).write_text("model: {}\n")
    found = connect_all([tmp_path], environ_of(tmp_path))
    assert [connection.name for connection in found.connections] == [names[0], names[2]]
    assert list(found.errors) == [names[1]]
    assert isinstance(found.errors[names[1]], ManifestError)
    first, second = found.connections
    assert first.registry is second.registry
    with pytest.raises(BuilderError, match="id"):
        connect(names[1], environ_of(tmp_path))


@pytest.mark.parametrize("apart", [False, True])
def test_two_manifests_of_one_model(tmp_path: Path, apart: bool) -> None:
    """They would undo each other's work, unless they are registered in different apps."""
    names = []
    for app in ("main", "staging" if apart else "main"):
        folder = model_in(tmp_path / str(len(names)))
        text = (folder / "clarifai.yaml").read_text() + f"clarifai: {{app_id: {app}}}\n"
        (folder / "clarifai.yaml").write_text(text)
        names.append(str(folder / "clarifai.yaml"))
    found = connect_all(names, environ_of(tmp_path))
    codes = {name: error.problems[0].code for name, error in found.errors.items()}
    assert codes == ({} if apart else {names[1]: "model-twice"})
    assert len(found.connections) == (2 if apart else 1)


def test_models_of_one_account_share_a_channel(tmp_path: Path) -> None:
    """Whether they are private or public; those of another app do not."""
    for name, more in (("a", ""), ("b", "visibility: public"), ("c", "app_id: other")):
        manifest = model_in(tmp_path, name) / "clarifai.yaml"
        manifest.write_text(f"{manifest.read_text()}clarifai: {{{more}}}\n")
    found = connect_all([tmp_path], environ_of(tmp_path))
    assert found.errors == {}
    one, other, foreign = found.connections
    assert one.registry is other.registry
    assert foreign.registry is not one.registry


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    """It is no result, but an error of the call."""
    with pytest.raises(UsageError, match="no clarifai"):
        connect_all([tmp_path], environ_of(tmp_path))
