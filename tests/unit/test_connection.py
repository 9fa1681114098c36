"""Connecting manifests: in the environment that is handed in, or in the sandbox."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.connection import connect, connect_all, in_sandbox
from clarifai_build.deploy.destroy import plan_deletion
from clarifai_build.digests.cache import digests_file
from clarifai_build.errors import (
    BuilderError,
    LeaseHeldError,
    ManifestError,
    NotAuthorisedError,
    UsageError,
)
from clarifai_build.manifest.types import Storage, Zip
from clarifai_build.pipeline import ApplyOptions, build_to
from clarifai_build.progress import Event
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.sandbox.endpoints import Endpoints
from clarifai_build.storage import leases
from clarifai_build.util import cache_dir
from support.connections import MANIFEST, PAT, environ_of, in_memory, model_in
from support.fakes import MemoryStore, ShortPauses, manifest_of, public_bucket
from support.trees import weight_of, write_files

ENDPOINTS = Endpoints(
    state_dir=Path("/nowhere"),
    s3_endpoint="http://127.0.0.1:1",
    region="us-east-1",
    access_key="key",
    secret_key="secret",
    bucket="public",
    private_bucket="private",
    api_base="http://127.0.0.1:2",
    user_id="sandbox",
    app_id="local",
    pat="local-token",
    triton="127.0.0.1:3",
)


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


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    """A connection can be logged."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    assert "lines" in repr(connection)
    assert PAT not in repr(connection)


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


def test_in_the_sandbox_nothing_leads_to_the_cloud(tmp_path: Path) -> None:
    """Bucket, account and token are the sandbox's, whatever manifest and environment say."""
    environ = {**environ_of(tmp_path), "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "cloud"}
    connection = connect(model_in(tmp_path), environ, sandbox=ENDPOINTS)
    assert connection.registry.scope == "sandbox/local"
    assert connection.store().url("mine/x") == "http://127.0.0.1:1/public/mine/x"
    assert connection.store_environ["AWS_ACCESS_KEY_ID"] == "key"
    assert "AWS_PROFILE" not in connection.store_environ
    assert connection.store_environ["CLARIFAI_PAT"] == "local-token"
    assert isinstance(connection.registry, ClarifaiRegistry)


def test_in_the_sandbox_the_manifest_stays_what_it_is() -> None:
    """Only where it is published and registered changes: weights come from where it says."""
    manifest = manifest_of()
    there = in_sandbox(manifest, ENDPOINTS)
    assert there.storage == manifest.storage
    assert there.destination.prefix == manifest.destination.prefix
    assert there.clarifai.visibility == manifest.clarifai.visibility
    prefixed = in_sandbox(replace(manifest, storage=Storage("cloud", "deep")), ENDPOINTS)
    assert (prefixed.destination.bucket, prefixed.destination.prefix) == ("public", "deep")
    assert (there.model, there.code, there.weights) == (
        manifest.model,
        manifest.code,
        manifest.weights,
    )


def test_references_may_be_open_in_the_sandbox(tmp_path: Path) -> None:
    """What only the cloud needs is not asked for."""
    folder = model_in(tmp_path)
    text = MANIFEST.format(model="lines").replace(" models,", " '${env:BUCKET}',")
    (folder / "clarifai.yaml").write_text(text)
    with pytest.raises(ManifestError, match="BUCKET"):
        connect(folder, environ_of(tmp_path))
    assert connect(folder, environ_of(tmp_path), sandbox=ENDPOINTS).manifest.model.id == "lines"


def test_apply_makes_live_what_plan_says(tmp_path: Path) -> None:
    """Build, plan and apply hang together, and a second apply has nothing to do."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        kinds = [action.kind for action in there.plan().actions]
        told: list[Event] = []
        applied = there.apply(ApplyOptions(cancel=ShortPauses()), told.append)
        assert [action.kind for action in applied.plan.actions] == kinds
        assert applied.version.artifact_digest == there.build().digest
        assert there.plan().actions == ()
        assert there.live_url(there.plan()) == applied.url
        assert "tree" in {event.stage for event in told}


def test_an_earlier_version_is_live_again(tmp_path: Path) -> None:
    """Rolling back takes bucket, platform and lease of the connection."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        first = there.apply().version
        code = tmp_path / "lines" / "inference.py"
        code.write_text(code.read_text() + "# other\n")
        second = there.apply().version
        third = there.roll_back(first)
    assert third.artifact_digest == first.artifact_digest
    assert there.registry.versions("lines") == (third, second)


def test_a_model_that_no_manifest_names_is_destroyed(tmp_path: Path) -> None:
    """With the lease that lies in the connection's bucket."""
    with public_bucket(MemoryStore()) as bucket:
        there = in_memory(tmp_path, bucket)
        there.apply()
        deletion = plan_deletion(there.registry, "lines")
        assert deletion is not None
        with leases.for_model(bucket, "mine", "me/main", "lines", "apply lines"):
            with pytest.raises(LeaseHeldError):
                there.destroy(deletion)
            there.destroy(deletion, lease=False)
    assert there.registry.models() == ()


def test_what_was_built_is_not_read_again(tmp_path: Path) -> None:
    """Digests and rendered files are kept below the home that the environment names."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    connection.build()
    kept = {path.name for path in (tmp_path / "home" / ".cache" / "clarifai-build").iterdir()}
    assert {"renders", "digests-4.sqlite"} <= kept


@pytest.mark.parametrize("compression", ["stored", "deflate"])
def test_a_zip_on_disk_takes_its_weights_from_there_too(tmp_path: Path, compression: Any) -> None:
    """Whichever way it is written, the cache that the environment names is looked into."""
    weight = weight_of("w.bin", "https://weights.invalid/w.bin", b"a weight")
    environ = environ_of(tmp_path)
    write_files(cache_dir.weights_folder(environ), {weight.sha256: b"a weight"})
    found = connect(model_in(tmp_path), environ).manifest
    manifest = replace(found, weights=(weight,), artifact=Zip(compression))
    artifact, written = build_to(tmp_path / "m.zip", manifest, environ=environ)
    assert written.path.is_file()
    assert {entry.path: entry.size for entry in artifact.tree.entries}["1/w.bin"] == 8


@pytest.mark.parametrize("sandbox", [False, ENDPOINTS])
def test_weights_come_with_the_environment_that_is_handed_in(
    tmp_path: Path, sandbox: bool | Endpoints
) -> None:
    """From its cache, and with its credentials, where everything else leads to the sandbox, too."""
    content = b"a weight"
    weight = weight_of("w.bin", "https://weights.invalid/w.bin", content)
    environ = {**environ_of(tmp_path), "AWS_ACCESS_KEY_ID": "cloud"}
    folder = cache_dir.weights_folder(environ)
    write_files(folder, {weight.sha256: content})
    made = connect(model_in(tmp_path), environ, sandbox=sandbox)
    made = replace(made, manifest=replace(made.manifest, weights=(weight,)))
    assert {entry.path: entry.size for entry in made.build().tree.entries}["1/w.bin"] == 8
    assert made.environ["AWS_ACCESS_KEY_ID"] == "cloud"


def test_a_lease_that_is_left_behind_is_taken_away(tmp_path: Path) -> None:
    """Whoever held it is named; where nobody does, nobody is."""
    there = in_memory(tmp_path, MemoryStore())
    with leases.for_model(there.store(), "mine", "me/main", "lines", "apply lines"):
        assert str(there.unlock()).endswith("(apply lines)")
    assert there.unlock() is None


def test_records_of_weights_are_those_of_the_store(tmp_path: Path) -> None:
    """Where the manifest wants nothing reused, nothing is known."""
    connection = connect(model_in(tmp_path), environ_of(tmp_path))
    records = connection.weight_records()
    assert records.cache == cache_dir.weights_folder(environ_of(tmp_path))
    assert records.bucket("other") is records.bucket("other")
    storage = replace(connection.manifest.destination, reuse="never")
    never = replace(connection.manifest, storage=storage)
    assert replace(connection, manifest=never).known_contents() is None
    assert connection.known_contents() is not None


def test_what_is_not_to_be_reused_is_not_in_the_sandbox_either(tmp_path: Path) -> None:
    """What is tried there is what goes to the cloud."""
    manifest = connect(model_in(tmp_path), environ_of(tmp_path)).manifest
    never = replace(manifest, storage=replace(manifest.destination, reuse="never"))
    assert in_sandbox(never, ENDPOINTS).destination.reuse == "never"
    assert in_sandbox(replace(manifest, storage=None), ENDPOINTS).destination.reuse == "auto"
